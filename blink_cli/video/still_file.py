"""A picture as a file of its own, of the kind that the file's name says: PNG, JPEG or WebP.

JPEG and WebP are FFmpeg's encoders, which PyAV brings; PNG is written here, without a loss.
"""

from pathlib import Path
from typing import Final

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext
from av.video.reformatter import ColorRange, Colorspace

from blink_cli.core.api.still_name import StillKind, still_kind
from blink_cli.core.errors import BlinkError
from blink_cli.video.frames import to_rgb
from blink_cli.video.picture import Picture
from blink_cli.video.png import png_of

_FINE: Final = {
    StillKind.JPEG: ("mjpeg", "yuvj420p", ColorRange.JPEG, {"qmin": "2", "qmax": "2", "huffman": "default"}),
    StillKind.WEBP: ("libwebp", "yuv420p", ColorRange.MPEG, {"quality": "95"}),
}
"""Encoder, format, range of brightness, and settings with which nobody sees a difference."""


def still_of(picture: Picture, path: Path) -> bytes:
    """Return what stands in the file of a picture, as large as it is. Takes some 20 ms: on a worker thread.

    Raises:
        UsageError: The name says no kind, or one that is not written.
        BlinkError: PyAV has no encoder for it.

    """
    kind = still_kind(str(path))
    pixels = to_rgb(picture, picture.size)
    if kind is StillKind.PNG:
        return png_of(pixels)
    name, pixel_format, color_range, options = _FINE[kind]
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), "rgb24")
    frame = frame.reformat(format=pixel_format, dst_colorspace=Colorspace.ITU601, dst_color_range=color_range)
    try:
        encoder = av.CodecContext.create(name, "w")
        assert isinstance(encoder, VideoCodecContext), "pictures are video"
        encoder.width, encoder.height, encoder.pix_fmt = frame.width, frame.height, pixel_format
        encoder.color_range = color_range
        encoder.options = options
        return b"".join(bytes(packet) for packet in (*encoder.encode(frame), *encoder.encode(None)))
    except (av.FFmpegError, ValueError) as failure:
        raise BlinkError(
            f"PyAV writes no {kind.value} here: {failure}.", hint="A name that ends in .png works everywhere."
        ) from failure
