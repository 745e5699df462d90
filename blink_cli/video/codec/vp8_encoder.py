"""Pictures to VP8, at a bit rate that may change with every frame (RFC 6386)."""

import math
from typing import Any, Final

import numpy as np

from blink_cli.core.api.camera_name import PictureSize
from blink_cli.core.media.video.coded_picture import CodedPicture
from blink_cli.video.codec import libvpx as vpx
from blink_cli.video.codec.libvpx import EncoderConfig, libvpx
from blink_cli.video.codec.picture_encoder import LARGEST_FRAME_S, LEAST_CHANGE, fill
from blink_cli.video.picture import CLOCK_RATE_HZ, Picture

MOST_CARE: Final = -3
MOST_CARE_PIXELS: Final = 7_000_000
"""A second: 640x360 at 30 pictures, which takes a tenth of a core."""

MOST_CARE_BITS: Final = 0.12
"""For each pixel. Who has more of them sees no difference: at 180 kb/s and 15 pictures of 640x360 a second SSIM is 0.946 in place of 0.936, at 700 kb/s
0.965 in place of 0.963."""

SPEEDS: Final = ((16_000_000, -5), (32_000_000, -6))
"""Up to how many pixels a second which `cpu-used`. For a picture of 640x360 -3 takes 3.5 ms, -4 2.2 ms, -5 1.3 ms, and -8 1.2 ms for an SSIM of 0.915."""

FASTEST: Final = -8

TRIED_COARSER: Final = 8
"""Than the frame before a picture of something new is encoded as a trial."""

BYTES_PER_STEP: Final = 0.045
"""Share of a frame's bytes that goes with each step of the quantizer."""

FILLED: Final = 0.9
"""Of a bound, by what is guessed from a trial."""

FINEST: Final = 4
COARSEST: Final = 63
"""Quantizers."""

BUFFER_MS: Final = 500
"""How far the encoder may run ahead of its rate: a frame that is larger is followed by smaller ones within this time."""


def speed_for(size: PictureSize, fps: float, bitrate_bps: float) -> int:
    """`cpu-used`: how much is tried for better pictures. Negative, so that frames do not depend on how busy the machine is."""
    pixels_per_s = size.width * size.height * fps
    if pixels_per_s <= MOST_CARE_PIXELS and bitrate_bps < MOST_CARE_BITS * pixels_per_s:
        return MOST_CARE
    return next((speed for most, speed in SPEEDS if pixels_per_s <= most), FASTEST)


class Vp8Encoder:
    """Of one camera. Belongs to one thread at a time."""

    coarse_quantizer = 59.0
    fine_quantizer = 30.0

    def __init__(self, size: PictureSize, fps: float, bitrate_bps: float) -> None:
        """Begin a stream; its first frame is a key frame.

        Args:
            size: Of its pictures.
            fps: Pictures a second, at most.
            bitrate_bps: At first.

        Raises:
            CameraError: There is no libvpx, or it refuses.

        """
        self._library = libvpx()
        self.size = size
        self._fps = fps
        self._bitrate_bps = bitrate_bps
        self._planes = np.empty(size.width * size.height * 3 // 2, np.uint8)
        self._config = self._configured(bitrate_bps)
        self._context: Any = self._library.begin(self._config)
        self._image: Any = self._library.image(size.width, size.height, self._planes.ctypes.data)
        library, context = self._library, self._context
        self._speed = speed_for(size, fps, bitrate_bps)
        library.control(context, vpx.CPU_USED, self._speed)
        library.control(context, vpx.STATIC_THRESHOLD, 1)
        library.control(context, vpx.TOKEN_PARTITIONS, 0)
        library.control(context, vpx.MAX_INTRA_BITRATE_PCT, self._largest_key_percent())
        self._pts = 0
        self._expected: int | None = None
        """How coarse the next frame is at most, and at least; None: as the rate wants it."""

    def _configured(self, bitrate_bps: float) -> EncoderConfig:
        config = self._library.default_config()
        config.g_threads = 1
        config.g_w, config.g_h = self.size.width, self.size.height
        config.g_timebase.num, config.g_timebase.den = 1, CLOCK_RATE_HZ
        config.g_lag_in_frames = 0
        config.rc_end_usage = vpx.CBR
        config.rc_target_bitrate = max(round(bitrate_bps / 1000), 1)
        config.rc_min_quantizer, config.rc_max_quantizer = FINEST, COARSEST
        config.rc_undershoot_pct, config.rc_overshoot_pct = 100, 15
        config.rc_buf_sz, config.rc_buf_initial_sz = BUFFER_MS, BUFFER_MS * 3 // 5
        config.rc_buf_optimal_sz = BUFFER_MS * 3 // 5
        config.kf_mode = vpx.ONLY_FIRST_IS_KEY
        return config

    def _largest_key_percent(self) -> int:
        """Of what a frame has in the mean."""
        return max(round(100 * LARGEST_FRAME_S * self._fps), 100)

    def encode(
        self, picture: Picture, bitrate_bps: float, fps: float, *, key: bool, coarse: bool = False
    ) -> CodedPicture | None:
        """See `PictureEncoder`."""
        assert picture.size == self.size, "another size is another stream"
        quantizer, self._expected = COARSEST if coarse else self._expected, None
        if quantizer is not None:
            self._bounded_by(quantizer, quantizer)
        if abs(bitrate_bps - self._bitrate_bps) > LEAST_CHANGE * self._bitrate_bps:
            self._bitrate_bps = bitrate_bps
            self._config.rc_target_bitrate = max(round(bitrate_bps / 1000), 1)
            self._library.change(self._context, self._config)
        speed = speed_for(self.size, fps, bitrate_bps)
        if speed != self._speed:
            self._speed = speed
            self._library.control(self._context, vpx.CPU_USED, speed)
        payload, is_key = self._next(picture, fps, vpx.FORCE_KEY_FRAME if key else 0)
        if quantizer is not None:
            self._bounded_by(FINEST, COARSEST)
        if not payload:
            return None
        return CodedPicture(payload, picture.timestamp, is_key, picture.captured_at)

    def _next(self, picture: Picture, fps: float, flags: int) -> tuple[bytes, bool]:
        fill(self._planes, picture)
        duration = round(CLOCK_RATE_HZ / fps)
        payload, is_key = self._library.encode(self._context, self._image, self._pts, duration, flags)
        self._pts += duration
        return payload, is_key

    def _bounded_by(self, finest: int, coarsest: int) -> None:
        self._config.rc_min_quantizer, self._config.rc_max_quantizer = finest, coarsest
        self._library.change(self._context, self._config)

    def expect_new(self, picture: Picture, fps: float, most_bytes: float) -> None:
        """See `PictureEncoder`. Encodes it, without a trace in the stream, and guesses from that how coarse it has to be; no finer than what was before."""
        before = self.last_quantizer
        tried = min(before + TRIED_COARSER, COARSEST)
        self._bounded_by(tried, tried)
        payload, _ = self._next(picture, fps, vpx.CHANGES_NOTHING)
        self._bounded_by(FINEST, COARSEST)
        if payload:
            steps = math.ceil(math.log(len(payload) / (FILLED * most_bytes)) / BYTES_PER_STEP)
            self._expected = min(max(tried + steps, before), COARSEST)

    @property
    def last_quantizer(self) -> int:
        """Of the last frame, 0 (fine) to 63 (coarse)."""
        return self._library.quantizer(self._context)

    def close(self) -> None:
        """Give the encoder back. Safe to call twice."""
        if self._context is not None:
            self._library.free(self._image)
            self._library.end(self._context)
            self._context = None
