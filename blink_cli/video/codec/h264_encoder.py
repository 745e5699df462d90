"""Pictures to H.264, at a bit rate that may change with every frame (ITU-T H.264, Constrained Baseline)."""

from typing import Any, Final

import numpy as np

from blink_cli.core.api.camera_name import PictureSize
from blink_cli.core.media.video.coded_picture import CodedPicture
from blink_cli.core.media.video.h264_stream import SEI, kind_of, stream_of, units_of
from blink_cli.core.media.video_codec import VideoCodec
from blink_cli.video.codec import libx264 as x264
from blink_cli.video.codec.libx264 import libx264
from blink_cli.video.codec.picture_encoder import LARGEST_FRAME_S, LEAST_CHANGE, fill
from blink_cli.video.picture import Picture

PRESET: Final = b"veryfast"
"""1.6 ms for 640x360, as much as VP8 takes; `ultrafast` takes 0.6 and is 1.3 dB worse at the same rate."""

COARSEST: Final = 51

_FIXED: Final = {
    "keyint": "infinite",  # the first one and those that are asked for
    "scenecut": "0",
    "threads": "1",
    "qpmin": "10",  # finer is not seen
    "repeat-headers": "1",
    "annexb": "1",
    "force-cfr": "1",
    "log": "-1",
}


class H264Encoder:
    """Of one camera. Belongs to one thread at a time."""

    coarse_quantizer = 42.0
    fine_quantizer = 22.0

    def __init__(self, size: PictureSize, fps: float, bitrate_bps: float) -> None:
        """Begin a stream; its first frame is a key frame.

        Args:
            size: Of its pictures.
            fps: Pictures a second, at most.
            bitrate_bps: At first.

        Raises:
            CameraError: There is no libx264, or it refuses.

        """
        self._library = libx264()
        self.size = size
        self._fps = fps
        self._told = (bitrate_bps, fps)
        self._planes = np.empty(size.width * size.height * 3 // 2, np.uint8)
        settings = {**_FIXED, "fps": f"{round(1000 * fps)}/1000", **self._rates(bitrate_bps, fps)}
        self._parameters: Any = self._library.parameters(PRESET, settings)
        self._context: Any = self._library.begin(self._parameters, size.width, size.height)
        self._picture = self._library.picture(size.width, size.height, self._planes.ctypes.data)
        self._quantizer = 0

    def _rates(self, bitrate_bps: float, fps: float) -> dict[str, str]:
        """The rate in the mean, and the buffer, which is the largest frame: by the library's clock, for which a frame always takes as long."""
        share_bits = bitrate_bps * min(1 / fps, LARGEST_FRAME_S)
        kbps = max(round(share_bits * self._fps / 1000), 1)
        buffer_kbit = max(LARGEST_FRAME_S * bitrate_bps, share_bits) / 1000
        return {
            "bitrate": str(kbps),
            "vbv-maxrate": str(kbps),
            "vbv-bufsize": str(max(round(buffer_kbit), int(kbps / self._fps) + 1)),
        }

    def encode(
        self, picture: Picture, bitrate_bps: float, fps: float, *, key: bool, coarse: bool = False
    ) -> CodedPicture | None:
        """See `PictureEncoder`."""
        assert picture.size == self.size, "another size is another stream"
        before_bps, before_fps = self._told
        if fps != before_fps or abs(bitrate_bps - before_bps) > LEAST_CHANGE * before_bps:
            self._told = (bitrate_bps, fps)
            self._library.set(self._parameters, self._rates(bitrate_bps, fps))
            self._library.change(self._context, self._parameters)
        fill(self._planes, picture)
        io = self._picture
        io.i_type = x264.IDR if key else x264.AUTOMATIC
        io.i_qpplus1 = COARSEST + 1 if coarse else 0
        stream, is_key, self._quantizer = self._library.encode(self._context, io)
        io.i_pts += 1
        if not stream:
            return None
        if is_key:  # the first one tells at length by whom it was encoded
            stream = stream_of([unit for unit in units_of(stream) if kind_of(unit) != SEI])
        return CodedPicture(stream, picture.timestamp, is_key, picture.captured_at, codec=VideoCodec.H264)

    def expect_new(self, picture: Picture, fps: float, most_bytes: float) -> None:
        """See `PictureEncoder`: the buffer bounds every frame."""

    @property
    def last_quantizer(self) -> int:
        """Of the last frame, 0 (fine) to 51 (coarse)."""
        return self._quantizer

    def close(self) -> None:
        """Give the encoder back. Safe to call twice."""
        if self._context is not None:
            self._library.end(self._context)
            self._context = None
