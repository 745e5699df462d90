"""ALSA's library, for devices that are plugins: the ways to a sound server, and what users define themselves. The only module that declares it.

Devices are opened non-blocking: no call here waits for longer than it is told, but for opening and closing, during which a plugin may ask
a server. Source: alsa-lib's pcm.h, whose ABI (`libasound.so.2`) stands still.
"""

import ctypes
import functools
from ctypes import POINTER, c_char_p, c_int, c_long, c_uint, c_ulong, c_void_p
from typing import Any, Final

PLAYBACK: Final = 0
CAPTURE: Final = 1
NONBLOCK: Final = 1
STATE_PREPARED: Final = 2
ACCESS_INTERLEAVED: Final = 3
FORMAT_FLOAT_LE: Final = 14
FORMAT_FLOAT_BE: Final = 15

ErrorHandler = ctypes.CFUNCTYPE(None, c_char_p, c_int, c_char_p, c_int, c_char_p)
_quiet = ErrorHandler(lambda *_: None)
"""Kept for as long as the process lives: ALSA calls it whenever it likes."""

_FUNCTIONS: Final[dict[str, tuple[Any, tuple[Any, ...]]]] = {
    "snd_pcm_open": (c_int, (POINTER(c_void_p), c_char_p, c_int, c_int)),
    "snd_pcm_close": (c_int, (c_void_p,)),
    "snd_pcm_set_params": (c_int, (c_void_p, c_int, c_int, c_uint, c_uint, c_int, c_uint)),
    "snd_pcm_get_params": (c_int, (c_void_p, POINTER(c_ulong), POINTER(c_ulong))),
    "snd_pcm_hw_params_malloc": (c_int, (POINTER(c_void_p),)),
    "snd_pcm_hw_params_free": (None, (c_void_p,)),
    "snd_pcm_hw_params_any": (c_int, (c_void_p, c_void_p)),
    "snd_pcm_hw_params_get_channels_max": (c_int, (c_void_p, POINTER(c_uint))),
    "snd_pcm_state": (c_int, (c_void_p,)),
    "snd_pcm_start": (c_int, (c_void_p,)),
    "snd_pcm_prepare": (c_int, (c_void_p,)),
    "snd_pcm_wait": (c_int, (c_void_p, c_int)),
    "snd_pcm_avail_update": (c_long, (c_void_p,)),
    "snd_pcm_delay": (c_int, (c_void_p, POINTER(c_long))),
    "snd_pcm_readi": (c_long, (c_void_p, c_void_p, c_ulong)),
    "snd_pcm_writei": (c_long, (c_void_p, c_void_p, c_ulong)),
    "snd_strerror": (c_char_p, (c_int,)),
}


@functools.cache
def libasound() -> Any:
    """Return the library with every function declared, and silent: its own diagnostics do not belong into the user's terminal.

    Raises:
        OSError: It is not installed, or lacks a function.

    """
    library = ctypes.CDLL("libasound.so.2")
    library.snd_lib_error_set_handler(_quiet)
    for name, (result, arguments) in _FUNCTIONS.items():
        try:
            function = getattr(library, name)
        except AttributeError as error:
            raise OSError(f"libasound has no {name}") from error
        function.restype, function.argtypes = result, arguments
    return library
