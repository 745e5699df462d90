"""What is encoded to pictures, through PyAV."""

from typing import Final

import av
from av.video.codeccontext import VideoCodecContext

from blink_cli.core.api.camera_name import LARGEST_HEIGHT, LARGEST_WIDTH
from blink_cli.core.errors import WireError
from blink_cli.core.media.video.coded_picture import CodedPicture
from blink_cli.core.media.video_codec import VideoCodec
from blink_cli.video.frames import planes_of
from blink_cli.video.picture import Picture

_PIXELS: Final = LARGEST_WIDTH * LARGEST_HEIGHT


class PictureDecoder:
    """Of one stream, which may go over to another codec at a key frame. Belongs to one thread at a time."""

    def __init__(self) -> None:
        """Wait for a key frame."""
        self._codec = VideoCodec.VP8
        self._context = _context(self._codec)
        self._ready = False

    def decode(self, coded: CodedPicture) -> Picture | None:
        """Decode the next frame; None of one that shows nothing new.

        Raises:
            WireError: It cannot be decoded, or needs frames that did not come: a key frame is needed.

        """
        if coded.is_key:
            size = coded.key_size
            # A stranger's word: what it would take is refused before it is taken.
            if size is None or 0 in size or size[0] * size[1] > _PIXELS:
                self._ready = False
                raise WireError("the pictures have no size, or are too large")
            if coded.codec is not self._codec:
                self._codec, self._context = coded.codec, _context(coded.codec)
            self._ready = True
        elif not self._ready or coded.codec is not self._codec:
            raise WireError("the pictures begin with one that needs others")
        try:
            frames = self._context.decode(av.Packet(coded.payload))
        except av.FFmpegError as failure:
            self._context, self._ready = _context(self._codec), False
            raise WireError("a picture cannot be decoded") from failure
        for frame in frames[-1:]:
            width, height = frame.width & ~1, frame.height & ~1
            y, u, v = planes_of(frame)
            return Picture(
                y[:height, :width],
                u[: height // 2, : width // 2],
                v[: height // 2, : width // 2],
                coded.timestamp,
                None,
            )
        return None


def _context(codec: VideoCodec) -> VideoCodecContext:
    # FFmpeg's own decoders; its VP8 is faster than libvpx's here and conceals nothing by itself.
    context = av.CodecContext.create(codec.value.lower(), "r")
    assert isinstance(context, VideoCodecContext), "it is video"
    context.thread_count = 1  # others would compete with the voice thread
    return context
