"""libopus's functions, declared for ctypes."""

import ctypes
import os
import sys
from ctypes import CDLL, Structure, c_char_p, c_int, c_int32, c_void_p
from pathlib import Path
from typing import Final

_SIGNATURES: Final = {
    "opus_get_version_string": (c_char_p, []),
    "opus_strerror": (c_char_p, [c_int]),
    "opus_encoder_create": (c_void_p, [c_int32, c_int, c_int, c_void_p]),
    "opus_encoder_destroy": (None, [c_void_p]),
    "opus_encode_float": (c_int32, [c_void_p, c_void_p, c_int, c_void_p, c_int32]),
    # The controls are variadic: only the fixed arguments may be declared, or arm64 macOS passes the rest wrongly.
    "opus_encoder_ctl": (c_int, [c_void_p, c_int]),
    "opus_decoder_get_size": (c_int, [c_int]),
    "opus_decoder_create": (c_void_p, [c_int32, c_int, c_void_p]),
    "opus_decoder_destroy": (None, [c_void_p]),
    "opus_decode_float": (c_int, [c_void_p, c_char_p, c_int32, c_void_p, c_int, c_int]),
    "opus_decoder_ctl": (c_int, [c_void_p, c_int]),
}


_DRED_SIGNATURES: Final = {
    "opus_dred_decoder_create": (c_void_p, [c_void_p]),
    "opus_dred_decoder_destroy": (None, [c_void_p]),
    "opus_dred_alloc": (c_void_p, [c_void_p]),
    "opus_dred_free": (None, [c_void_p]),
    "opus_dred_parse": (
        c_int,
        [c_void_p, c_void_p, c_char_p, c_int32, c_int32, c_int32, c_void_p, c_int],
    ),
    "opus_dred_process": (c_int, [c_void_p, c_void_p, c_void_p]),
    "opus_decoder_dred_decode_float": (c_int, [c_void_p, c_void_p, c_int32, c_void_p, c_int32]),
}
"""Since 1.5; built without DRED they are there all the same, and answer that they are not implemented."""


class _DlInfo(Structure):
    _fields_ = (
        ("dli_fname", c_char_p),
        ("dli_fbase", c_void_p),
        ("dli_sname", c_char_p),
        ("dli_saddr", c_void_p),
    )


def load(name: str) -> CDLL:
    """Load a copy and declare what is called of it.

    Raises:
        OSError: It cannot be loaded.
        AttributeError: It lacks a function.

    """
    library = CDLL(name)
    for function_name, (result, arguments) in _SIGNATURES.items():
        function = getattr(library, function_name)
        function.restype = result
        function.argtypes = arguments
    return library


def can_read_dred(library: CDLL) -> bool:
    """Declare what reads DRED, where a copy exports it."""
    try:
        for function_name, (result, arguments) in _DRED_SIGNATURES.items():
            function = getattr(library, function_name)
            function.restype = result
            function.argtypes = arguments
    except AttributeError:
        return False
    return True


def path_of(library: CDLL) -> str:
    """The file that was really loaded, links resolved; where the system does not tell, what it was asked for."""
    name = str(library._name)  # noqa: SLF001 - ctypes documents it, under this name
    if sys.platform != "win32":
        info = _DlInfo()
        dladdr = CDLL(None).dladdr
        dladdr.argtypes = [c_void_p, c_void_p]
        if (
            dladdr(ctypes.cast(library.opus_get_version_string, c_void_p), ctypes.byref(info))
            and info.dli_fname
        ):
            name = os.fsdecode(info.dli_fname)
    path = Path(name)
    return str(path.resolve()) if path.is_absolute() else name
