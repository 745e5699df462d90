"""libvpx by ctypes: what PyAV's encoder context cannot do, change the bit rate of a stream that runs.

FFmpeg's wrapper takes the bit rate when it opens the encoder and never again: to follow a line one would begin a new stream, and with it a key frame,
every second. libvpx itself takes another rate between two frames (`vpx_codec_enc_config_set`). PyAV's wheels carry the library on all systems; where
PyAV was built from source it is the system's.

The structures below are libvpx's since 2010; only their ends grew. Defaults that are told are held against those that are known before anything is
believed, and the number of the interface is found by asking: libvpx refuses all but its own.
"""

import ctypes
import ctypes.util
import functools
from pathlib import Path
from typing import Any, Final

import av

from blink_cli.core.errors import CameraError

FORCE_KEY_FRAME: Final = 1
CHANGES_NOTHING: Final = 1 << 18 | 1 << 20 | 1 << 22 | 1 << 23
"""`VP8_EFLAG_NO_UPD_LAST`, `_ENTROPY`, `_GF`, `_ARF`: the next frame is encoded as if this one had not been."""

REALTIME: Final = 1
CBR: Final = 1
I420: Final = 0x102
ONLY_FIRST_IS_KEY: Final = 0
"""`VPX_KF_DISABLED`: no key frames but the first one and those that are asked for."""

CPU_USED: Final = 13
STATIC_THRESHOLD: Final = 17
TOKEN_PARTITIONS: Final = 18
GET_LAST_QUANTIZER_64: Final = 20
MAX_INTRA_BITRATE_PCT: Final = 26

_FRAME_PACKET: Final = 0
_IS_KEY: Final = 1
_ABI_MISMATCH: Final = 3
_ABI_NUMBERS: Final = range(10, 100)
_WHEEL_FOLDERS: Final = ("../av.libs", ".dylibs")
_MISSING_HINT: Final = "Install libvpx, for example with `apt install libvpx7`, or PyAV as a wheel."


class _Buffer(ctypes.Structure):
    _fields_ = (("buf", ctypes.c_void_p), ("size", ctypes.c_size_t))


class _Rational(ctypes.Structure):
    _fields_ = (("num", ctypes.c_int), ("den", ctypes.c_int))


class EncoderConfig(ctypes.Structure):
    """The first fields of `vpx_codec_enc_cfg_t`, with room for what follows them."""

    _fields_ = (
        ("g_usage", ctypes.c_uint),
        ("g_threads", ctypes.c_uint),
        ("g_profile", ctypes.c_uint),
        ("g_w", ctypes.c_uint),
        ("g_h", ctypes.c_uint),
        ("g_bit_depth", ctypes.c_int),
        ("g_input_bit_depth", ctypes.c_uint),
        ("g_timebase", _Rational),
        ("g_error_resilient", ctypes.c_uint32),
        ("g_pass", ctypes.c_int),
        ("g_lag_in_frames", ctypes.c_uint),
        ("rc_dropframe_thresh", ctypes.c_uint),
        ("rc_resize_allowed", ctypes.c_uint),
        ("rc_scaled_width", ctypes.c_uint),
        ("rc_scaled_height", ctypes.c_uint),
        ("rc_resize_up_thresh", ctypes.c_uint),
        ("rc_resize_down_thresh", ctypes.c_uint),
        ("rc_end_usage", ctypes.c_int),
        ("rc_twopass_stats_in", _Buffer),
        ("rc_firstpass_mb_stats_in", _Buffer),
        ("rc_target_bitrate", ctypes.c_uint),
        ("rc_min_quantizer", ctypes.c_uint),
        ("rc_max_quantizer", ctypes.c_uint),
        ("rc_undershoot_pct", ctypes.c_uint),
        ("rc_overshoot_pct", ctypes.c_uint),
        ("rc_buf_sz", ctypes.c_uint),
        ("rc_buf_initial_sz", ctypes.c_uint),
        ("rc_buf_optimal_sz", ctypes.c_uint),
        ("rc_2pass_vbr_bias_pct", ctypes.c_uint),
        ("rc_2pass_vbr_minsection_pct", ctypes.c_uint),
        ("rc_2pass_vbr_maxsection_pct", ctypes.c_uint),
        ("rc_2pass_vbr_corpus_complexity", ctypes.c_uint),
        ("kf_mode", ctypes.c_int),
        ("kf_min_dist", ctypes.c_uint),
        ("kf_max_dist", ctypes.c_uint),
        ("rest", ctypes.c_ubyte * 4096),
    )


class _FramePacket(ctypes.Structure):
    """The head of `vpx_codec_cx_pkt_t`, of a frame."""

    _fields_ = (
        ("kind", ctypes.c_int),
        ("buf", ctypes.c_void_p),
        ("size", ctypes.c_size_t),
        ("pts", ctypes.c_int64),
        ("duration", ctypes.c_ulong),
        ("flags", ctypes.c_uint32),
    )


class Libvpx:
    """The library, with an encoder's calls. Its calls let other threads run."""

    def __init__(self, path: str) -> None:
        """Load it.

        Raises:
            CameraError: It is none, or one whose interface is not known.

        """
        try:
            self._library = ctypes.CDLL(path)
            self._declare()
        except (OSError, AttributeError) as failure:
            raise CameraError(f"libvpx cannot be loaded: {failure}.", hint=_MISSING_HINT) from failure
        self._interface = self._library.vpx_codec_vp8_cx()
        self._abi: int | None = None
        config = self.default_config()
        known = (
            config.g_w,
            config.g_h,
            config.rc_target_bitrate,
            config.rc_max_quantizer,
            config.kf_max_dist,
        )
        if known != (320, 240, 256, 63, 128):
            raise CameraError("The libvpx that was found has another interface.", hint=_MISSING_HINT)

    def _declare(self) -> None:
        library, pointer = self._library, ctypes.c_void_p
        library.vpx_codec_vp8_cx.restype = pointer
        library.vpx_codec_enc_config_default.argtypes = [pointer, pointer, ctypes.c_uint]
        library.vpx_codec_enc_init_ver.argtypes = [pointer, pointer, pointer, ctypes.c_long, ctypes.c_int]
        library.vpx_codec_enc_config_set.argtypes = [pointer, pointer]
        library.vpx_codec_control_.argtypes = [pointer, ctypes.c_int]  # the rest is variadic
        library.vpx_codec_encode.argtypes = [
            pointer,
            pointer,
            ctypes.c_int64,
            ctypes.c_ulong,
            ctypes.c_long,
            ctypes.c_ulong,
        ]
        library.vpx_codec_get_cx_data.argtypes = [pointer, pointer]
        library.vpx_codec_get_cx_data.restype = pointer
        library.vpx_img_wrap.argtypes = [pointer, ctypes.c_int, *[ctypes.c_uint] * 3, pointer]
        library.vpx_img_wrap.restype = pointer
        library.vpx_img_free.argtypes = [pointer]
        library.vpx_codec_destroy.argtypes = [pointer]

    def default_config(self) -> EncoderConfig:
        """What an encoder of VP8 is set to by itself."""
        config = EncoderConfig()
        if self._library.vpx_codec_enc_config_default(self._interface, ctypes.byref(config), 0):
            raise CameraError("libvpx knows no VP8.", hint=_MISSING_HINT)
        return config

    def begin(self, config: EncoderConfig) -> Any:
        """An encoder, to be given back with `end`.

        Raises:
            CameraError: It refuses.

        """
        context = (ctypes.c_ubyte * 512)()
        numbers = _ABI_NUMBERS if self._abi is None else (self._abi,)
        for number in numbers:
            refusal = self._library.vpx_codec_enc_init_ver(
                context, self._interface, ctypes.byref(config), 0, number
            )
            if refusal != _ABI_MISMATCH:
                self._abi = number
                break
        if refusal:
            raise CameraError(f"libvpx makes no encoder (error {refusal}).", hint="Choose another size.")
        return context

    def control(self, context: Any, what: int, value: int) -> None:
        """Set what the configuration has no field for."""
        self._library.vpx_codec_control_(context, what, ctypes.c_int(value))

    def quantizer(self, context: Any) -> int:
        """Of the last frame, 0 to 63."""
        value = ctypes.c_int(0)
        self._library.vpx_codec_control_(context, GET_LAST_QUANTIZER_64, ctypes.byref(value))
        return value.value

    def change(self, context: Any, config: EncoderConfig) -> None:
        """Encode by another configuration from the next frame on."""
        self._library.vpx_codec_enc_config_set(context, ctypes.byref(config))

    def image(self, width: int, height: int, planes: Any) -> Any:
        """An image on memory in which the planes of I420 lie one behind the other; to be given back with `free`."""
        return self._library.vpx_img_wrap(None, I420, width, height, 1, planes)

    def free(self, image: Any) -> None:
        """Give an image back."""
        self._library.vpx_img_free(image)

    def encode(self, context: Any, image: Any, pts: int, duration: int, flags: int) -> tuple[bytes, bool]:
        """Return the next frame and whether it is a key frame; an empty one where the encoder left it out."""
        refusal = self._library.vpx_codec_encode(context, image, pts, duration, flags, REALTIME)
        if refusal:
            raise CameraError(f"libvpx did not encode a picture (error {refusal}).")
        place = ctypes.c_void_p()
        payload, is_key = b"", False
        while found := self._library.vpx_codec_get_cx_data(context, ctypes.byref(place)):
            packet = _FramePacket.from_address(found)
            if packet.kind == _FRAME_PACKET:
                payload += ctypes.string_at(packet.buf, packet.size)
                is_key = bool(packet.flags & _IS_KEY)
        return payload, is_key

    def end(self, context: Any) -> None:
        """Give an encoder back."""
        self._library.vpx_codec_destroy(context)


@functools.cache
def libvpx() -> Libvpx:
    """PyAV's copy, or the system's.

    Raises:
        CameraError: There is none.

    """
    package = Path(av.__file__).parent
    copies = (str(path) for folder in _WHEEL_FOLDERS for path in sorted((package / folder).glob("*vpx*")))
    path = next(copies, None) or ctypes.util.find_library("vpx")
    if path is None:
        raise CameraError("There is no libvpx here, which encodes pictures.", hint=_MISSING_HINT)
    return Libvpx(path)
