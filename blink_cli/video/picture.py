"""One picture, as it moves between cameras, codecs and whoever shows it."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from blink_cli.core.api.camera_name import PictureSize

Plane = npt.NDArray[np.uint8]
"""Brightness or one of the two colours, shape (height, width)."""

CLOCK_RATE_HZ: Final = 90_000
"""Of RTP timestamps of video (RFC 7741, RFC 6184)."""

BLACK_LUMA: Final = 16
NO_COLOUR: Final = 128
"""Black in the limited range of ITU-R BT.601, which cameras, VP8 and H.264 use."""


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """One picture in I420: brightness of each pixel, colour of each two by two, limited range of ITU-R BT.601.

    The planes are not changed by anybody once they are in a picture; they may be views of rows that are longer.
    """

    y: Plane
    """Shape (height, width); both are even."""

    u: Plane
    v: Plane
    """Blue and red differences, shape (height / 2, width / 2)."""

    timestamp: int
    """In 1/90000 s, modulo 2^32. From a camera: `timestamp_at(captured_at)`, so it goes on evenly from one camera to the next."""

    captured_at: float | None
    """Monotonic time at which it was taken, on this machine; None of a picture that came from another one."""

    def __post_init__(self) -> None:
        height, width = self.y.shape
        assert width % 2 == height % 2 == 0, "I420 has a colour for two by two pixels"
        assert self.u.shape == self.v.shape == (height // 2, width // 2), (
            "planes of one picture fit each other"
        )

    @property
    def size(self) -> PictureSize:
        """Width and height."""
        height, width = self.y.shape
        return PictureSize(width, height)


def timestamp_at(moment_s: float) -> int:
    """Return the RTP time of a moment of monotonic time, modulo 2^32."""
    return round(moment_s * CLOCK_RATE_HZ) & 0xFFFFFFFF


def black(size: PictureSize, captured_at: float) -> Picture:
    """Return a black picture, taken at `captured_at`."""
    colour = np.full((size.height // 2, size.width // 2), NO_COLOUR, np.uint8)
    brightness = np.full((size.height, size.width), BLACK_LUMA, np.uint8)
    return Picture(brightness, colour, colour, timestamp_at(captured_at), captured_at)
