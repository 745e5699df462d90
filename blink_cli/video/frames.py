"""From FFmpeg's frames to pictures, and back; and to other sizes.

Frames of FFmpeg hold their planes in rows that may be longer than the picture is wide. A picture keeps its frame alive through its planes.
Safe on any thread; a `Fitter` belongs to one thread at a time, since it keeps what scaling needs from one picture to the next.
"""

from typing import Any, Final

import av
import numpy as np
import numpy.typing as npt
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter

from blink_cli.core.api.camera_name import PictureSize
from blink_cli.video.picture import BLACK_LUMA, NO_COLOUR, Picture, Plane

Pixels = npt.NDArray[np.uint8]
"""Red, green, blue, shape (height, width, 3)."""

_FORMAT: Final = "yuv420p"


def planes_of(frame: av.VideoFrame) -> tuple[Plane, Plane, Plane]:
    """Return the planes of an I420 frame as views of its memory."""
    y, u, v = (_rows(plane)[:, : plane.width] for plane in frame.planes)
    return y, u, v


def frame_of(picture: Picture) -> av.VideoFrame:
    """Return a picture as a frame: a copy, without a time."""
    height, width = picture.y.shape
    frame = av.VideoFrame(width, height, _FORMAT)
    for plane, content in zip(frame.planes, (picture.y, picture.u, picture.v), strict=True):
        _rows(plane)[:, : plane.width] = content
    return frame


def _rows(plane: Any) -> Plane:  # PyAV does not declare that planes are buffers
    return np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[: plane.height]


class Fitter:
    """Brings frames to one size: as large as they fit into it with their shape kept, in the middle, black beside."""

    def __init__(self, size: PictureSize | None) -> None:
        """Fit into `size`; None: every frame keeps its own, but for an odd row or column."""
        self._size = size
        self._reformatter = VideoReformatter()

    def fit(
        self,
        frame: av.VideoFrame,
        timestamp: int,
        captured_at: float | None,
        shape: PictureSize | None = None,
    ) -> Picture:
        """Return a frame of any format as a picture in the limited range of BT.601.

        Args:
            frame: Of any size.
            timestamp: Of the picture.
            captured_at: Likewise.
            shape: How wide and high the frame is meant to be seen, where its pixels are not square; None: they are.

        """
        target = self._size or PictureSize(max(2, frame.width & ~1), max(2, frame.height & ~1))
        inner = fitted(shape or PictureSize(frame.width, frame.height), target)
        scaled = self._reformatter.reformat(
            frame,
            inner.width,
            inner.height,
            _FORMAT,
            dst_colorspace=Colorspace.ITU601,
            dst_color_range=ColorRange.MPEG,
            interpolation=Interpolation.AREA if inner.width < frame.width else Interpolation.BILINEAR,
            threads=1,  # more would compete with the voice thread
        )
        y, u, v = planes_of(scaled)
        if inner != target:
            y, u, v = (
                _framed(y, target, 1, BLACK_LUMA),
                _framed(u, target, 2, NO_COLOUR),
                _framed(v, target, 2, NO_COLOUR),
            )
        return Picture(y, u, v, timestamp, captured_at)


def fitted(size: PictureSize, into: PictureSize) -> PictureSize:
    """Return how large a picture of `size` is when it just fits into another one; both sides even, and never 0."""
    width = min(into.width, round(into.height * size.width / size.height))
    height = min(into.height, round(into.width * size.height / size.width))
    # Nearly the same shape is the same shape: nobody wants a black line of a pixel.
    if into.width - width < 4 and into.height - height < 4:
        return into
    return PictureSize(max(2, width & ~1), max(2, height & ~1))


def _framed(plane: Plane, target: PictureSize, part: int, border: int) -> Plane:
    framed = np.full((target.height // part, target.width // part), border, np.uint8)
    height, width = plane.shape
    # An even place, so that colours stay on their pixels.
    top, left = (target.height // part - height) // 2, (target.width // part - width) // 2
    if part == 1:
        top, left = top & ~1, left & ~1
    framed[top : top + height, left : left + width] = plane
    return framed


def to_rgb(picture: Picture, box: PictureSize) -> Pixels:
    """Return a picture as red, green and blue, as large as it fits into `box`; its shape is kept, to the pixel."""
    size = picture.size
    scale = min(box.width / size.width, box.height / size.height)
    width, height = max(1, round(size.width * scale)), max(1, round(size.height * scale))
    frame = frame_of(picture)
    frame.color_range = ColorRange.MPEG
    frame.colorspace = Colorspace.ITU601
    scaled = frame.reformat(
        width,
        height,
        "rgb24",
        interpolation=Interpolation.AREA if scale < 1 else Interpolation.BILINEAR,
        threads=1,
    )
    rows = _rows(scaled.planes[0])[:, : width * 3]
    return np.ascontiguousarray(rows).reshape(height, width, 3)
