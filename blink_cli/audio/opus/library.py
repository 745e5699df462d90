"""The libopus that this process uses: the only door to it.

installed ──> binding, abilities ──> choice ──> libopus()
(where)       (load, try)            (the one that can do most)
"""

import ctypes
import functools
from collections.abc import Callable
from ctypes import CDLL, PYFUNCTYPE, c_char_p, c_int, c_int32, c_void_p

from blink_cli.audio.opus.choice import Choice, choose
from blink_cli.core.errors import DeviceError

__all__ = ["check", "decode_float", "libopus", "library_version", "used_library"]

DecodeFloat = Callable[[int, bytes | None, int, int, int, int], int]
"""`opus_decode_float`: decoder, payload, its length, address for the samples, room in samples, FEC; samples decoded or an error code."""


@functools.cache
def used_library() -> Choice:
    """The copy that is used and what else was found. Chosen once; what is installed later is for the next process.

    Raises:
        DeviceError: No copy works, or not the one that `BLINK_LIBOPUS` names.

    """
    return choose()


def libopus() -> CDLL:
    """The loaded library with its signatures declared. Thread-safe; calls release the interpreter lock.

    Raises:
        DeviceError: See `used_library`.

    """
    return used_library().used.library


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
    return used_library().used.abilities.version


def check(code: int, doing: str) -> int:
    """Return a non-negative result of libopus, or raise.

    Raises:
        DeviceError: `code` is one of libopus's negative error codes.

    """
    if code < 0:
        reason = libopus().opus_strerror(code).decode("ascii", "replace")
        raise DeviceError(f"Opus failed while {doing}: {reason}.")
    return code
