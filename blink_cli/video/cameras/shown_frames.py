"""Decoded frames as they are meant to be seen: the right way up, of one field, on black, with square pixels.

Telephones film as they are held and write the turn beside the pictures; broadcasts have two half pictures in one; images have holes; old formats have
pixels that are wider than high. Players take care of all of it, decoders of none.
"""

from fractions import Fraction
from typing import Final

import av
import numpy as np

from blink_cli.core.api.camera_name import PictureSize
from blink_cli.video.frames import frame_of, planes_of
from blink_cli.video.picture import Picture

_QUARTER_DEGREES: Final = 90


def shown_size(frame: av.VideoFrame, pixel_shape: Fraction | None) -> PictureSize:
    """Return how large a frame is where pixels are square, the right way up.

    Args:
        frame: As it was decoded.
        pixel_shape: Width by height of one pixel; None, or nothing that can be: square.

    """
    shape = pixel_shape if pixel_shape is not None and Fraction(1, 8) <= pixel_shape <= 8 else Fraction(1)
    width, height = round(frame.width * shape), frame.height
    return PictureSize(height, width) if _quarters(frame) % 2 else PictureSize(width, height)


def as_shown(frame: av.VideoFrame) -> av.VideoFrame:
    """Return a frame the right way up, of one field, without transparency; the same frame where nothing is to be done.

    Of two fields the first one is taken: with both, what moves has combs. Half of the lines are enough for a picture of a call.
    """
    quarters = _quarters(frame)
    if any(component.is_alpha for component in frame.format.components):
        frame = _on_black(frame)
    if not frame.interlaced_frame and not quarters:
        return frame
    plain = frame.reformat(format="yuv420p", threads=1)
    y, u, v = planes_of(plain)
    height, width = plain.height & ~1, plain.width & ~1
    planes = [y[:height, :width], u[: height // 2, : width // 2], v[: height // 2, : width // 2]]
    if frame.interlaced_frame and height >= 4:
        lines = height & ~3  # half of it is even
        planes = [plane[: lines if part == 0 else lines // 2][::2] for part, plane in enumerate(planes)]
    if quarters:
        planes = [np.rot90(plane, quarters) for plane in planes]
    upright = frame_of(Picture(planes[0], planes[1], planes[2], 0, None))
    upright.color_range, upright.colorspace = plain.color_range, plain.colorspace
    return upright


def _quarters(frame: av.VideoFrame) -> int:
    """By how many quarters a frame is to be turned against the clock, 0 to 3."""
    return round(frame.rotation / _QUARTER_DEGREES) % 4


def _on_black(frame: av.VideoFrame) -> av.VideoFrame:
    """What is transparent shows black."""
    pixels = frame.to_ndarray(format="rgba")
    colour, alpha = pixels[:, :, :3].astype(np.uint16), pixels[:, :, 3:].astype(np.uint16)
    return av.VideoFrame.from_ndarray((colour * alpha // 255).astype(np.uint8), "rgb24")
