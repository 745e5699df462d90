"""Pictures to VP8, at a bit rate that may change with every frame (RFC 6386)."""

from typing import Any, Final

import numpy as np

from blink_cli.core.api.camera_name import PictureSize
from blink_cli.core.media.video.coded_picture import CodedPicture
from blink_cli.video.codec import libvpx as vpx
from blink_cli.video.codec.libvpx import EncoderConfig, libvpx
from blink_cli.video.codec.picture_encoder import LARGEST_FRAME_S, LEAST_CHANGE, fill
from blink_cli.video.picture import CLOCK_RATE_HZ, Picture

SPEED: Final = -8
"""`cpu-used`: how much is tried for better pictures. 2.6 ms for 640x360."""

FINEST: Final = 4
COARSEST: Final = 63
"""Quantizers."""

BUFFER_MS: Final = 500
"""How far the encoder may run ahead of its rate: a frame that is larger is followed by smaller ones within this time."""


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
            DeviceError: There is no libvpx, or it refuses.

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
        library.control(context, vpx.CPU_USED, SPEED)
        library.control(context, vpx.STATIC_THRESHOLD, 1)
        library.control(context, vpx.TOKEN_PARTITIONS, 0)
        library.control(context, vpx.MAX_INTRA_BITRATE_PCT, self._largest_key_percent())
        self._pts = 0

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
        if coarse:
            self._config.rc_min_quantizer = COARSEST
            self._library.change(self._context, self._config)
        if abs(bitrate_bps - self._bitrate_bps) > LEAST_CHANGE * self._bitrate_bps:
            self._bitrate_bps = bitrate_bps
            self._config.rc_target_bitrate = max(round(bitrate_bps / 1000), 1)
            self._library.change(self._context, self._config)
        fill(self._planes, picture)
        duration = round(CLOCK_RATE_HZ / fps)
        payload, is_key = self._library.encode(self._context, self._image, self._pts, duration, key=key)
        self._pts += duration
        if coarse:
            self._config.rc_min_quantizer = FINEST
            self._library.change(self._context, self._config)
        if not payload:
            return None
        return CodedPicture(payload, picture.timestamp, is_key, picture.captured_at)

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
