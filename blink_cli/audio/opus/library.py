"""Finds and loads libopus: the only door to it.

Order: `BLINK_LIBOPUS`, the copy in PyAV's wheel (so that a plain pip install already talks), the system's by
`ctypes.util`, and last the copy in PyOgg's wheel.
"""

import ctypes
import ctypes.util
import functools
import importlib.util
import os
from collections.abc import Callable, Iterator
from ctypes import CDLL, PYFUNCTYPE, c_char_p, c_int, c_int32, c_void_p
from pathlib import Path
from typing import Final

from blink_cli.core.errors import DeviceError

ENVIRONMENT_VARIABLE: Final = "BLINK_LIBOPUS"

_WHEEL_FOLDERS: Final = ("../av.libs", ".dylibs")
"""Beside or inside the package: auditwheel (Linux) and delvewheel (Windows) use the first, delocate (macOS) the second."""

_SIGNATURES: Final = {
    "opus_get_version_string": (c_char_p, []),
    "opus_strerror": (c_char_p, [c_int]),
    "opus_encoder_create": (c_void_p, [c_int32, c_int, c_int, c_void_p]),
    "opus_encoder_destroy": (None, [c_void_p]),
    "opus_encode_float": (c_int32, [c_void_p, c_void_p, c_int, c_void_p, c_int32]),
    # The controls are variadic: only the fixed arguments may be declared, or arm64 macOS passes the rest wrongly.
    "opus_encoder_ctl": (c_int, [c_void_p, c_int]),
    "opus_decoder_create": (c_void_p, [c_int32, c_int, c_void_p]),
    "opus_decoder_destroy": (None, [c_void_p]),
    "opus_decode_float": (c_int, [c_void_p, c_char_p, c_int32, c_void_p, c_int, c_int]),
    "opus_decoder_ctl": (c_int, [c_void_p, c_int]),
}

__all__ = ["ENVIRONMENT_VARIABLE", "check", "decode_float", "libopus", "library_version"]

DecodeFloat = Callable[[int, bytes | None, int, int, int, int], int]
"""`opus_decode_float`: decoder, payload, its length, address for the samples, room in samples, FEC; samples decoded or an error code."""


@functools.cache
def libopus() -> CDLL:
    """The loaded library with its signatures declared. Thread-safe; calls release the interpreter lock.

    Raises:
        DeviceError: No libopus was found, or the one that `BLINK_LIBOPUS` names cannot be loaded.

    """
    named = os.environ.get(ENVIRONMENT_VARIABLE)
    if named:
        try:
            return _declared(CDLL(named))
        except (OSError, AttributeError) as error:
            raise DeviceError(
                f"The Opus library that {ENVIRONMENT_VARIABLE} names cannot be loaded: {error}.",
                hint=f"Correct or unset {ENVIRONMENT_VARIABLE}.",
            ) from error
    refused = []
    for candidate in _candidates():
        try:
            return _declared(CDLL(candidate))
        except (OSError, AttributeError) as error:
            refused.append(f"{candidate}: {error}")
    raise DeviceError(
        "No usable Opus library (libopus) was found" + (f" ({'; '.join(refused)})." if refused else "."),
        hint=f"Install libopus (Debian: libopus0, macOS: brew install opus), or name the file in {ENVIRONMENT_VARIABLE}.",
    )


@functools.cache
def decode_float() -> DecodeFloat:
    """`opus_decode_float`, called with the interpreter lock held.

    It takes 20 us, and a playout tick calls it once for each peer: to let go of the lock and to ask for it again costs more, and each
    time another thread may keep it for a switch interval.

    Raises:
        DeviceError: There is no libopus.

    """
    address = ctypes.cast(libopus().opus_decode_float, c_void_p).value
    assert address is not None, "a declared function has an address"
    signature = PYFUNCTYPE(c_int, c_void_p, c_char_p, c_int32, c_void_p, c_int, c_int)
    function: DecodeFloat = signature(address)
    return function


def library_version() -> str:
    """What libopus calls itself, for example `libopus 1.6.1`."""
    version: bytes = libopus().opus_get_version_string()
    return version.decode("ascii", "replace")


def check(code: int, doing: str) -> int:
    """Return a non-negative result of libopus, or raise.

    Raises:
        DeviceError: `code` is one of libopus's negative error codes.

    """
    if code < 0:
        reason = libopus().opus_strerror(code).decode("ascii", "replace")
        raise DeviceError(f"Opus failed while {doing}: {reason}.")
    return code


def _candidates() -> Iterator[str]:
    # find_spec does not import PyAV, which would take a quarter of a second.
    spec = importlib.util.find_spec("av")
    if spec is not None and spec.origin is not None:
        package = Path(spec.origin).parent
        for folder in _WHEEL_FOLDERS:
            yield from (str(path) for path in sorted((package / folder).glob("*opus[-.]*")))
    found = ctypes.util.find_library("opus")
    if found:
        yield found
    # PyOgg's Windows wheels bundle the library. Its own loader appends to PATH while it looks, so its folder is read instead.
    spec = importlib.util.find_spec("pyogg")
    if spec is not None and spec.origin is not None:
        yield from (str(path) for path in sorted(Path(spec.origin).parent.glob("*opus*.dll")))


def _declared(library: CDLL) -> CDLL:
    for name, (result, arguments) in _SIGNATURES.items():
        function = getattr(library, name)
        function.restype = result
        function.argtypes = arguments
    return library
