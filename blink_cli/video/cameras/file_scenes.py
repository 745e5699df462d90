"""What `file:` and `image:` see: video files and still images, decoded as they are needed."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, Final

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from blink_cli.core.api.camera_name import FASTEST_FPS, LARGEST_HEIGHT, LARGEST_WIDTH, PictureSize
from blink_cli.core.errors import CameraError
from blink_cli.files.ordinary import NotOrdinaryError
from blink_cli.files.reading import open_reading
from blink_cli.video.cameras.made_up_scenes import USUAL_FPS
from blink_cli.video.cameras.shown_frames import as_shown, shown_size
from blink_cli.video.frames import Fitter, fitted
from blink_cli.video.picture import Picture, black, timestamp_at

_NO_OTHER_FILE: Final = {"protocol_whitelist": "none"}
"""A playlist names other files and addresses: none of them is opened."""

_MOST_PIXELS: Final = 1 << 26
"""Width by height of what is decoded at all: 8K fits, and what telephones take. An image of a few kB can be of hundreds of millions, each of which takes memory."""

_LARGEST: Final = {"max_pixels": str(_MOST_PIXELS)}

_SMALLER: Final = f"Choose another file, or a smaller picture: {_MOST_PIXELS // 1_000_000} million pixels are the most. Of WebP, still images are decoded."

_FASTEST_UNEVEN_FPS: Final = 30.0

_EPSILON_S: Final = 1e-4
"""Times of a container are rounded to its ticks."""


class FileScene:
    """A video file. What is seen at a position is the last picture that begins by then; behind its end black, or its beginning again when it loops."""

    def __init__(self, path: Path, *, loop: bool, size: PictureSize | None) -> None:
        """Look at the file.

        Raises:
            CameraError: It is missing, not readable, or no video.

        """
        self._path = path
        self._loop = loop
        self._file: BinaryIO | None = None
        self._container: InputContainer | None = None
        self._frames: Iterator[tuple[float, av.VideoFrame]] = iter(())
        self._shown: av.VideoFrame | None = None
        self._ahead: tuple[float, av.VideoFrame] | None = None
        self._ended_at = 0.0
        with _opened(path) as (_, container):
            self.fps = _rate(container.streams.video[0])
            frame, self._shape = _first(container, path)
            del frame
        self.size = size or _within_limits(self._shape)
        self._fitter = Fitter(self.size)

    def rewind(self) -> None:
        """Begin again.

        Raises:
            CameraError: The file is gone by now, or damaged at its beginning.

        """
        self.close()
        with _told(self._path):
            self._file = open_reading(self._path)
            self._container = _container(self._file)
        self._frames = self._decoded(self._container)
        self._ahead = self._next()
        if self._ahead is None:
            raise CameraError(f"{self._path} holds no pictures.", hint="Choose another file.")

    def at(self, position_s: float, captured_at: float) -> Picture:
        """Return what is seen at a position. Decodes on from where it is: a second of a file costs some 10 to 60 ms."""
        while self._ahead is not None and self._ahead[0] <= position_s + _EPSILON_S:
            self._shown = self._ahead[1]
            self._ahead = self._next()
        if self._shown is None or (self._ahead is None and position_s >= self._ended_at - _EPSILON_S):
            return black(self.size, captured_at)
        return self._fitter.fit(as_shown(self._shown), timestamp_at(captured_at), captured_at, self._shape)

    def close(self) -> None:
        """Close the file."""
        self._frames = iter(())
        self._shown = self._ahead = None
        self._ended_at = 0.0
        if self._container is not None:
            self._container.close()
            self._container = None
        if self._file is not None:
            self._file.close()
            self._file = None

    def _next(self) -> tuple[float, av.VideoFrame] | None:
        with _told(self._path):
            return next(self._frames, None)

    def _decoded(self, container: InputContainer) -> Iterator[tuple[float, av.VideoFrame]]:
        """The file's pictures with their positions, from 0; on and on when it loops."""
        stream = container.streams.video[0]
        stream.codec_context.options = _LARGEST
        stream.thread_type = "NONE"  # the decoder's own threads would compete with the voice thread
        begin_s = 0.0
        while True:
            first_s: float | None = None
            position_s = begin_s - 1 / self.fps
            for frame in _pictures(container, stream):
                time_s = frame.time if frame.pts is not None else None
                if first_s is None:
                    first_s = time_s or 0.0
                # A frame without a time, or with one that runs back, follows the one before it.
                following_s = position_s + 1 / self.fps
                position_s = following_s if time_s is None else max(position_s, begin_s + time_s - first_s)
                yield position_s, frame
            if first_s is None:
                return
            begin_s = self._ended_at = position_s + 1 / self.fps
            if not self._loop:
                return
            container.seek(0)


class ImageScene:
    """A still image."""

    def __init__(self, path: Path, size: PictureSize | None) -> None:
        """Look at it.

        Raises:
            CameraError: It is missing, not readable, or no image.

        """
        self.fps = USUAL_FPS
        with _opened(path) as (_, container):
            frame, shape = _first(container, path)
            self.size = size or _within_limits(shape)
            self._picture = Fitter(self.size).fit(as_shown(frame), 0, None, shape)

    def rewind(self) -> None:
        """It has no beginning."""

    def at(self, position_s: float, captured_at: float) -> Picture:  # noqa: ARG002 - it is the same everywhere
        """Return it, taken at `captured_at`."""
        return replace(self._picture, timestamp=timestamp_at(captured_at), captured_at=captured_at)

    def close(self) -> None:
        """Nothing is open."""


def _rate(stream: VideoStream) -> float:
    """Pictures a second of a file: the mean, or, where they come unevenly, as fast as they come at their fastest."""
    mean = float(stream.average_rate or USUAL_FPS)
    fastest = float(stream.base_rate or 0)
    # Of interlaced pictures it is that of fields, and of damaged files anything.
    return min(FASTEST_FPS, fastest if mean < fastest <= _FASTEST_UNEVEN_FPS else mean)


def _first(container: InputContainer, path: Path) -> tuple[av.VideoFrame, PictureSize]:
    """The first picture, and how large it is meant to be seen."""
    stream = container.streams.video[0]
    stream.codec_context.options = _LARGEST
    stream.thread_type = "NONE"
    with _told(path):
        frame = next(_pictures(container, stream), None)
    if frame is None:
        raise CameraError(f"{path} holds no pictures.", hint="Choose another file.")
    return frame, shown_size(frame, stream.sample_aspect_ratio)


def _pictures(container: InputContainer, stream: VideoStream) -> Iterator[av.VideoFrame]:
    """All pictures from here on, as players show them: packets that the decoder refuses are passed over.

    Raises:
        av.InvalidDataError: It refused packets, and there is not one picture.

    """
    refusal: av.InvalidDataError | None = None
    is_empty = True
    for packet in container.demux(stream):
        try:
            decoded = packet.decode()
        except av.InvalidDataError as error:
            refusal = error
            continue
        for frame in decoded:
            is_empty = False
            yield frame
    if is_empty and refusal is not None:
        raise refusal


@contextmanager
def _opened(path: Path) -> Iterator[tuple[BinaryIO, InputContainer]]:
    if not path.exists():
        raise CameraError(
            f"There is no file {path}.",
            hint="Check the path. `~` is your home; a relative path begins where the command is given.",
        )
    with _told(path):
        file = open_reading(path)
    with file:
        with _told(path):
            container = _container(file)
        with container:
            if not container.streams.video:
                raise CameraError(
                    f"{path} holds no pictures.", hint="Choose a video, or an image with image:PATH."
                )
            if container.streams.video[0].codec_context.width <= 0:  # FFmpeg would not look at it
                raise CameraError(
                    f"{path} holds no pictures that can be decoded, or too large ones.", hint=_SMALLER
                )
            yield file, container


def _container(file: BinaryIO) -> InputContainer:
    # FFmpeg looks into the streams as it opens. Not `stream_options`: PyAV 18 refuses them for MPEG streams.
    return av.open(file, "r", container_options=_NO_OTHER_FILE, options=_LARGEST)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """What FFmpeg and the disk raise, as a sentence."""
    try:
        yield
    except (IsADirectoryError, NotOrdinaryError) as error:
        raise CameraError(f"{path} is not an ordinary file.", hint="Choose a video or an image.") from error
    except (av.FFmpegError, OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError | av.FFmpegError) else None) or str(error)
        raise CameraError(
            f"{path} cannot be read as video: {reason.rstrip('.')}.",
            hint="MP4, WebM, Matroska, PNG, JPEG and the other formats of FFmpeg work.",
        ) from error


def _within_limits(size: PictureSize) -> PictureSize:
    """The same, or smaller in the same shape: what no camera may have takes no call's processor either."""
    if size.width <= LARGEST_WIDTH and size.height <= LARGEST_HEIGHT:
        return PictureSize(max(2, size.width & ~1), max(2, size.height & ~1))
    return fitted(size, PictureSize(LARGEST_WIDTH, LARGEST_HEIGHT))
