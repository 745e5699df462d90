"""libx264 by ctypes: what PyAV's encoder context cannot do, change rate and buffer together, and say how coarse one picture is to be.

FFmpeg's wrapper follows a changed bit rate, but not its buffer, which then allows frames that take the line for longer than they may; and it encodes no
single frame as coarse as can be. libx264 itself does both between two frames (`x264_encoder_reconfig`, `i_qpplus1`). PyAV's wheels carry the library on
all systems; where PyAV was built from source it is the system's.

It is under the GPL, version 2 or later. This program neither contains nor brings it: it is loaded where PyAV, or the system, brought it, and nothing
needs it but sending H.264, for which VP8 is there, and pictures in recordings.

Settings are said by name (`x264_param_parse`), so that of the large structure of settings the first fields alone are touched; their defaults are held
against those that are known before anything is believed. The number of the interface is part of a function's name.
"""

import ctypes
import ctypes.util
import functools
from pathlib import Path
from typing import Any, Final

import av

from blink_cli.core.errors import CameraError

AUTOMATIC: Final = 0
IDR: Final = 1
"""Types of a picture: whatever it becomes, and one that needs no other."""

_PARAMETER_BYTES: Final = 8_192
"""Twice what the structure of settings takes."""

_WIDTH_AT: Final = 7
_HEIGHT_AT: Final = 8
_KNOWN_DEFAULTS: Final = {_WIDTH_AT: 0, _HEIGHT_AT: 0, 9: 2, 10: 8, 11: -1}
"""Of fields of 32 bits: width, height, I420, bits of a sample, level."""

_I420: Final = 2
_BUILDS: Final = range(155, 200)
_WHEEL_FOLDERS: Final = ("../av.libs", ".dylibs")
_MISSING_HINT: Final = "VP8 needs none: leave `codec=h264` out. Or install PyAV as a wheel, or for example `apt install libx264-164`."


class _Image(ctypes.Structure):
    _fields_ = (
        ("i_csp", ctypes.c_int),
        ("i_plane", ctypes.c_int),
        ("i_stride", ctypes.c_int * 4),
        ("plane", ctypes.c_void_p * 4),
    )


class PictureIo(ctypes.Structure):
    """The first fields of `x264_picture_t`, with room for what follows them."""

    _fields_ = (
        ("i_type", ctypes.c_int),
        ("i_qpplus1", ctypes.c_int),
        ("i_pic_struct", ctypes.c_int),
        ("b_keyframe", ctypes.c_int),
        ("i_pts", ctypes.c_int64),
        ("i_dts", ctypes.c_int64),
        ("param", ctypes.c_void_p),
        ("img", _Image),
        ("rest", ctypes.c_ubyte * 2_048),
    )


class _Unit(ctypes.Structure):
    """`x264_nal_t`."""

    _fields_ = (
        ("i_ref_idc", ctypes.c_int),
        ("i_type", ctypes.c_int),
        ("b_long_startcode", ctypes.c_int),
        ("i_first_mb", ctypes.c_int),
        ("i_last_mb", ctypes.c_int),
        ("i_payload", ctypes.c_int),
        ("p_payload", ctypes.c_void_p),
        ("i_padding", ctypes.c_int),
    )


class Libx264:
    """The library, with an encoder's calls. Its calls let other threads run."""

    def __init__(self, path: str) -> None:
        """Load it.

        Raises:
            CameraError: It is none, or one whose interface is not known.

        """
        try:
            self._library = ctypes.CDLL(path)
            self._open = next(
                function
                for build in _BUILDS
                if (function := getattr(self._library, f"x264_encoder_open_{build}", None)) is not None
            )
            self._declare()
        except (OSError, AttributeError, StopIteration) as failure:
            raise CameraError(f"libx264 cannot be loaded: {failure}.", hint=_MISSING_HINT) from failure
        fields = ctypes.cast(self.parameters(b"ultrafast", {}), ctypes.POINTER(ctypes.c_int))
        if any(fields[place] != value for place, value in _KNOWN_DEFAULTS.items()):
            raise CameraError("The libx264 that was found has another interface.", hint=_MISSING_HINT)

    def _declare(self) -> None:
        library, pointer, text = self._library, ctypes.c_void_p, ctypes.c_char_p
        library.x264_param_default_preset.argtypes = [pointer, text, text]
        library.x264_param_parse.argtypes = [pointer, text, text]
        library.x264_param_apply_profile.argtypes = [pointer, text]
        self._open.argtypes = [pointer]
        self._open.restype = pointer
        library.x264_encoder_reconfig.argtypes = [pointer, pointer]
        library.x264_picture_init.argtypes = [pointer]
        library.x264_encoder_encode.argtypes = [pointer] * 5
        library.x264_encoder_close.argtypes = [pointer]

    def parameters(self, preset: bytes, settings: dict[str, str]) -> Any:
        """Settings of an encoder that holds nothing back.

        Raises:
            CameraError: It knows the preset or one of the settings not.

        """
        parameters = (ctypes.c_ubyte * _PARAMETER_BYTES)()
        if self._library.x264_param_default_preset(parameters, preset, b"zerolatency"):
            raise CameraError("libx264 knows no such preset.", hint=_MISSING_HINT)
        self.set(parameters, settings)
        return parameters

    def set(self, parameters: Any, settings: dict[str, str]) -> None:
        """Change settings, by the names that the library has for them.

        Raises:
            CameraError: It knows one of them not.

        """
        for name, value in settings.items():
            if self._library.x264_param_parse(parameters, name.encode(), value.encode()):
                raise CameraError(f"libx264 does not take {name}={value}.", hint=_MISSING_HINT)

    def begin(self, parameters: Any, width: int, height: int) -> Any:
        """An encoder of Baseline, to be given back with `end`.

        Raises:
            CameraError: It refuses.

        """
        fields = ctypes.cast(parameters, ctypes.POINTER(ctypes.c_int))
        fields[_WIDTH_AT], fields[_HEIGHT_AT] = width, height
        self._library.x264_param_apply_profile(parameters, b"baseline")
        context = self._open(parameters)
        if not context:
            raise CameraError("libx264 makes no encoder.", hint="Choose another size.")
        return context

    def change(self, context: Any, parameters: Any) -> None:
        """Encode by other settings from the next picture on."""
        self._library.x264_encoder_reconfig(context, parameters)

    def picture(self, width: int, height: int, planes: int) -> PictureIo:
        """A picture on memory in which the planes of I420 lie one behind the other."""
        picture = PictureIo()
        self._library.x264_picture_init(ctypes.byref(picture))
        image = picture.img
        image.i_csp, image.i_plane = _I420, 3
        image.i_stride[0], image.i_stride[1], image.i_stride[2] = width, width // 2, width // 2
        pixels = width * height
        image.plane[0], image.plane[1], image.plane[2] = planes, planes + pixels, planes + pixels * 5 // 4
        return picture

    def encode(self, context: Any, picture: PictureIo) -> tuple[bytes, bool, int]:
        """Return the next frame (Annex B), whether it is a key frame, and its quantizer, 0 to 51; an empty one where the encoder left it out."""
        units, count, made = ctypes.c_void_p(), ctypes.c_int(), PictureIo()
        size = self._library.x264_encoder_encode(
            context,
            ctypes.byref(units),
            ctypes.byref(count),
            ctypes.byref(picture),
            ctypes.byref(made),
        )
        if size < 0:
            raise CameraError("libx264 did not encode a picture.")
        if size == 0 or units.value is None:
            return b"", False, 0
        first = _Unit.from_address(units.value)  # the others lie behind it
        return ctypes.string_at(first.p_payload, size), bool(made.b_keyframe), made.i_qpplus1 - 1

    def end(self, context: Any) -> None:
        """Give an encoder back."""
        self._library.x264_encoder_close(context)


@functools.cache
def libx264() -> Libx264:
    """PyAV's copy, or the system's.

    Raises:
        CameraError: There is none.

    """
    package = Path(av.__file__).parent
    copies = (str(path) for folder in _WHEEL_FOLDERS for path in sorted((package / folder).glob("*x264*")))
    path = next(copies, None) or ctypes.util.find_library("x264")
    if path is None:
        raise CameraError("There is no libx264 here, which encodes H.264.", hint=_MISSING_HINT)
    return Libx264(path)
