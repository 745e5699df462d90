"""Encoded pictures of which none takes the line longer than a tenth of a second: coarser where one would, and smaller where that is not enough.

    something new? --> the encoder makes its frame as coarse as it has to be
    encode --still too large?--> again as a key frame with the coarsest quantizer --still?--> the next smaller size, and again
              '--coarse for a while?--> the next smaller size
    fine for a while, or the rate has grown? --> the next larger size is tried

libvpx knows no such bound: by itself a change of the scene at 300 kb/s makes a frame that takes the line for more than a second, with the voice
behind it. libx264 keeps it nearly always. What was encoded and not sent is no harm: a key frame follows, which needs nothing of it.
"""

from collections.abc import Callable
from typing import Final

from blink_cli.core.api.camera_name import SMALLEST_SIDE, PictureSize
from blink_cli.core.media.video.coded_picture import CodedPicture
from blink_cli.core.media.video_codec import VideoCodec
from blink_cli.video.codec.h264_encoder import H264Encoder
from blink_cli.video.codec.picture_encoder import LARGEST_FRAME_S, PictureEncoder
from blink_cli.video.codec.scene_change import SceneChange
from blink_cli.video.codec.vp8_encoder import Vp8Encoder
from blink_cli.video.frames import Fitter, frame_of
from blink_cli.video.picture import CLOCK_RATE_HZ, Picture

SCALES: Final = (1.0, 1.5, 2.0, 3.0, 4.0)
"""By what each side is divided: 640x360, 426x240, 320x180, 212x120, 160x90."""

TOLERATED: Final = 1.25
"""Times the bound, of a frame that follows others: a key frame in its place would be larger."""

COARSE_FOR_S: Final = 1.5

FINE_FOR_S: Final = 4.0
"""Before more pixels are tried for the first time; twice as long after each time that it was in vain."""

LONGEST_S: Final = 60.0

RATE_GREW: Final = 1.3
"""So many times the rate at which a size became too large, and it is tried again."""

GROWN_FOR_S: Final = 0.5

QUANTIZER_FADES: Final = 0.1
"""Share of one frame in the mean quantizer."""


def scaled_size(size: PictureSize, scale: float) -> PictureSize:
    """Width and height of a picture with each side divided; both even."""
    return PictureSize(int(size.width / scale) & ~1, int(size.height / scale) & ~1)


_ENCODERS: Final[dict[VideoCodec, Callable[[PictureSize, float, float], PictureEncoder]]] = {
    VideoCodec.VP8: Vp8Encoder,
    VideoCodec.H264: H264Encoder,
}


class BoundedEncoder:
    """Of one camera. Belongs to one thread at a time."""

    def __init__(self, size: PictureSize, fps: float, codec: VideoCodec = VideoCodec.VP8) -> None:
        """Begin with pictures as large as they come."""
        self.size = size
        self.codec = codec
        self.frames_redone = 0
        """Frames that were too large and were encoded once more."""

        self._fps = fps
        self._step = 0
        self._encoder: PictureEncoder | None = None
        self._fitter = Fitter(size)
        self._changes = SceneChange()
        self._quantizer: float | None = None
        """In the mean; None before the first frame of this size."""

        self._begun_at: int | None = None
        self._fine_since: int | None = None
        self._coarse_since: int | None = None
        """Timestamps."""

        self._is_trial = False
        """Whether this size was tried since the one before was fine."""

        self._too_large_at_bps = 0.0
        self._fine_for_s = FINE_FOR_S

    @property
    def scale(self) -> float:
        """By what each side is divided now."""
        return SCALES[self._step]

    def encode(self, picture: Picture, bitrate_bps: float, fps: float, *, key: bool) -> CodedPicture | None:
        """Encode the next picture; as `PictureEncoder.encode`, of any size of which this encoder was made."""
        if self._step > 0 and self._may_grow(picture.timestamp, bitrate_bps):
            self._use(self._step - 1)
        elif self._is_coarse(picture.timestamp) and self._may_shrink():
            self._shrink(bitrate_bps)
        most_bytes = LARGEST_FRAME_S * bitrate_bps / 8
        if self._changes.is_new(picture) and not key and self._encoder is not None:
            self._encoder.expect_new(self._scaled(picture), fps, TOLERATED * most_bytes)
        coded = self._encoded(picture, bitrate_bps, fps, key=key)
        if coded is None or len(coded.payload) <= most_bytes * (1 if coded.is_key else TOLERATED):
            return coded
        self.frames_redone += 1
        while True:
            coded = self._encoded(picture, bitrate_bps, fps, key=True, coarse=True)
            if coded is None or len(coded.payload) <= most_bytes or not self._may_shrink():
                return coded
            self._shrink(bitrate_bps)

    def _encoded(
        self, picture: Picture, bitrate_bps: float, fps: float, *, key: bool, coarse: bool = False
    ) -> CodedPicture | None:
        picture = self._scaled(picture)
        encoder = self._encoder
        if encoder is None:
            encoder = self._encoder = _ENCODERS[self.codec](picture.size, self._fps, bitrate_bps)
            self._begun_at = picture.timestamp
        coded = encoder.encode(picture, bitrate_bps, fps, key=key, coarse=coarse)
        if not coarse:
            last, before = float(encoder.last_quantizer), self._quantizer
            self._quantizer = last if before is None else before + QUANTIZER_FADES * (last - before)
        return coded

    def _scaled(self, picture: Picture) -> Picture:
        if self._step == 0:
            return picture
        return self._fitter.fit(frame_of(picture), picture.timestamp, picture.captured_at)

    def _is_coarse(self, timestamp: int) -> bool:
        """Whether pictures have been coarse for too long."""
        encoder, mean = self._encoder, self._quantizer
        if encoder is None or mean is None or min(mean, encoder.last_quantizer) < encoder.coarse_quantizer:
            self._coarse_since = None
            return False
        if self._coarse_since is None:
            self._coarse_since = timestamp
        return _since_s(self._coarse_since, timestamp) >= COARSE_FOR_S

    def _may_shrink(self) -> bool:
        if self._step + 1 >= len(SCALES):
            return False
        size = scaled_size(self.size, SCALES[self._step + 1])
        return min(size.width, size.height) >= SMALLEST_SIDE

    def _shrink(self, bitrate_bps: float) -> None:
        self._too_large_at_bps = bitrate_bps
        self._fine_for_s = min(2 * self._fine_for_s, LONGEST_S) if self._is_trial else FINE_FOR_S
        self._use(self._step + 1)

    def _may_grow(self, timestamp: int, bitrate_bps: float) -> bool:
        """Whether pictures have been fine for long enough, or the rate is another one."""
        encoder = self._encoder
        if self._begun_at is None or self._quantizer is None or encoder is None:
            return False
        if bitrate_bps > RATE_GREW * self._too_large_at_bps:
            return _since_s(self._begun_at, timestamp) >= GROWN_FOR_S
        if self._quantizer > encoder.fine_quantizer:
            self._fine_since = None
            return False
        if self._fine_since is None:
            self._fine_since = timestamp
        return _since_s(self._fine_since, timestamp) >= self._fine_for_s

    def _use(self, step: int) -> None:
        self._is_trial = step < self._step
        if self._is_trial:  # the next larger one needs as much more again
            self._too_large_at_bps *= RATE_GREW
        self._step = step
        self._fitter = Fitter(scaled_size(self.size, self.scale))
        self._fine_since = self._coarse_since = self._quantizer = None
        self.close()

    def close(self) -> None:
        """Give the encoder back. Safe to call twice."""
        if self._encoder is not None:
            self._encoder.close()
            self._encoder = None


def _since_s(begin: int, timestamp: int) -> float:
    return ((timestamp - begin) & 0xFFFFFFFF) / CLOCK_RATE_HZ
