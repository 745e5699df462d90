"""The names by which people choose cameras, as typed values.

    default                 the system's first camera
    Integrated Camera       a camera: its exact name, or a part that fits one only; on Linux also /dev/videoN
    testsrc                 a moving test picture with a clock that programs can read
    file:PATH[?loop=1]      a video file, at real time; black after its end unless looped
    image:PATH              a still image
    blank                   black
    …?size=WxH&fps=N        of any: this size, the picture fitted into it with black beside it, and so many pictures a second
    …&codec=h264            of any: its pictures go out as H.264 where everybody takes it, else as VP8, as all others do
    …&phase=MS              of all but the system's: it begins at the next moment of monotonic time that is so many ms behind a whole period of its rate

A question mark starts options only when what follows it reads like options.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from typing_extensions import override

from blink_cli.core.api.name_options import (
    known_options,
    names_that_fit,
    number,
    one_or_zero,
    options_behind,
    options_text,
    phase_ms,
    picture_hint,
    split_options,
)
from blink_cli.core.errors import NotFoundError, UsageError
from blink_cli.core.media.video_codec import VideoCodec

SMALLEST_SIDE: Final = 16
"""A macroblock of VP8 and H.264."""

LARGEST_WIDTH: Final = 1920
LARGEST_HEIGHT: Final = 1080
"""More than that no processor encodes beside a call, in Python's process."""

SLOWEST_FPS: Final = 1.0
FASTEST_FPS: Final = 60.0

_SIZE: Final = re.compile(r"(\d{1,5})x(\d{1,5})")


class PictureSize(msgspec.Struct, frozen=True):
    """Of a picture, in pixels; both sides are even, since a pixel of colour stands for two by two of brightness."""

    width: int
    height: int

    @override
    def __str__(self) -> str:
        return f"{self.width}x{self.height}"


class CameraOptions(msgspec.Struct, frozen=True):
    """What is asked of a camera, whichever it is."""

    size: PictureSize | None = None
    """None: its own."""

    fps: float | None = None
    """Pictures a second; None: its own."""

    phase_ms: float | None = None
    """Of a virtual camera: where in the period of its rate it begins, by monotonic time. None: at once."""

    codec: VideoCodec | None = None
    """By what its pictures are encoded if everybody takes it; None: by what all take."""

    def text(self) -> dict[str, str | float | None]:
        """Return them as options of a name."""
        return {
            "size": None if self.size is None else str(self.size),
            "fps": self.fps,
            "phase": self.phase_ms,
            "codec": None if self.codec is None else self.codec.lower(),
        }


_AS_IT_IS: Final = CameraOptions()


class DefaultCamera(msgspec.Struct, frozen=True):
    """The system's first camera."""

    options: CameraOptions = _AS_IT_IS

    @override
    def __str__(self) -> str:
        return f"default{options_text(**self.options.text())}"


class NamedCamera(msgspec.Struct, frozen=True):
    """A camera of the system."""

    name: str
    options: CameraOptions = _AS_IT_IS

    @override
    def __str__(self) -> str:
        return f"{self.name}{options_text(**self.options.text())}"


class TestPicture(msgspec.Struct, frozen=True):
    """Bars, something that moves, and a clock that programs read."""

    __test__ = False  # pytest would take it for a test

    options: CameraOptions = _AS_IT_IS

    @override
    def __str__(self) -> str:
        return f"testsrc{options_text(**self.options.text())}"


class FileCamera(msgspec.Struct, frozen=True):
    """A video file."""

    path: str
    loop: bool = False
    options: CameraOptions = _AS_IT_IS

    @override
    def __str__(self) -> str:
        loop = "1" if self.loop else None
        return f"file:{self.path}{options_behind(self.path, 'loop=0', loop=loop, **self.options.text())}"


class ImageCamera(msgspec.Struct, frozen=True):
    """A still image."""

    path: str
    options: CameraOptions = _AS_IT_IS

    @override
    def __str__(self) -> str:
        return f"image:{self.path}{options_behind(self.path, 'loop=0', **self.options.text())}"


class BlankCamera(msgspec.Struct, frozen=True):
    """Black."""

    options: CameraOptions = _AS_IT_IS

    @override
    def __str__(self) -> str:
        return f"blank{options_text(**self.options.text())}"


SystemCamera = DefaultCamera | NamedCamera
CameraName = SystemCamera | TestPicture | FileCamera | ImageCamera | BlankCamera

CAMERAS: Final = "A camera is default, a camera's name, testsrc, file:PATH, image:PATH or blank."


def parse_camera_name(text: str) -> CameraName:
    """Return what `text` names.

    Raises:
        UsageError: It is empty, or its options make no sense.

    """
    # A path may end in spaces.
    stripped = text.lstrip() if text.lstrip().startswith(("file:", "image:")) else text.strip()
    if "\0" in stripped:
        raise UsageError("No camera's name has a NUL byte.", hint=CAMERAS)
    if not stripped:
        raise UsageError("A camera's name is missing.", hint=CAMERAS)
    kind, colon, rest = stripped.partition(":")
    if kind in {"file", "image"} and (colon or not rest):
        return _parse_path(kind, rest, text)
    body, options = split_options(stripped)
    own = body in {"testsrc", "blank"}
    asked = _options(known_options(options, text, "size", "fps", "codec", *(["phase"] if own else [])), text)
    match body:
        case "testsrc":
            return TestPicture(asked)
        case "blank":
            return BlankCamera(asked)
        case "default":
            return DefaultCamera(asked)
        case _:
            return NamedCamera(body, asked)


def choose_camera(wanted: str, names: Sequence[str]) -> str:
    """Return the one of `names` that `wanted` means: its exact name, or a part of one only (letter case aside).

    Raises:
        NotFoundError: None fits, or several do.

    """
    fitting = names_that_fit(wanted, names)
    if len(fitting) == 1:
        return fitting[0]
    if not fitting:
        known = ", ".join(sorted(set(names))) or "none"
        raise NotFoundError(
            f"There is no camera {wanted!r}.",
            hint=f"{picture_hint(wanted)}The cameras here are: {known}. `testsrc`, `file:PATH`, `image:PATH` and `blank` need none.",
        )
    raise NotFoundError(
        f"{wanted!r} fits {len(fitting)} cameras: {', '.join(fitting)}.", hint="Write more of the name."
    )


def parse_size(value: str, text: str) -> PictureSize:
    """Return the size that `WxH` is; an odd side is one less. `text` is where it stands, for the error.

    Raises:
        UsageError: It is none, or too small or too large.

    """
    match = _SIZE.fullmatch(value)
    width, height = (int(match[1]), int(match[2])) if match else (0, 0)
    if not (SMALLEST_SIDE <= width <= LARGEST_WIDTH and SMALLEST_SIDE <= height <= LARGEST_HEIGHT):
        raise UsageError(
            f"{value!r} is not the size of a picture, in {text!r}.",
            hint=f"Write WIDTHxHEIGHT from {SMALLEST_SIDE}x{SMALLEST_SIDE} to {LARGEST_WIDTH}x{LARGEST_HEIGHT}, for example size=640x360.",
        )
    return PictureSize(width & ~1, height & ~1)


def _parse_path(kind: str, rest: str, text: str) -> FileCamera | ImageCamera:
    path, options = split_options(rest)
    if not path:
        example = "file:clip.mp4" if kind == "file" else "image:me.png"
        raise UsageError(f"{text!r} lacks its path.", hint=f"For example {example}.")
    asked = _options(known_options(options, text, "size", "fps", "phase", "codec", "loop"), text)
    loop = one_or_zero(options, "loop", text)  # an image has no end at which it matters
    return FileCamera(path, loop, asked) if kind == "file" else ImageCamera(path, asked)


def _options(options: Mapping[str, str], text: str) -> CameraOptions:
    size = options.get("size")
    return CameraOptions(
        None if size is None else parse_size(size, text),
        _fps(options, text),
        phase_ms(options, text, below_ms=1000.0, of="camera"),
        _codec(options, text),
    )


def _codec(options: Mapping[str, str], text: str) -> VideoCodec | None:
    value = options.get("codec")
    if value is None:
        return None
    known = {codec.lower(): codec for codec in VideoCodec}
    if value not in known:
        raise UsageError(
            f"Pictures of a call are not encoded by {value!r}, in {text!r}.",
            hint=f"Write one of {', '.join(known)}, for example codec=h264.",
        )
    return known[value]


def _fps(options: Mapping[str, str], text: str) -> float | None:
    value = options.get("fps")
    if value is None:
        return None
    fps = number(value)
    if fps is None or not SLOWEST_FPS <= fps <= FASTEST_FPS:
        raise UsageError(
            f"A camera cannot give {value!r} pictures a second, in {text!r}.",
            hint=f"Write a number from {SLOWEST_FPS:g} to {FASTEST_FPS:g}, for example fps=15.",
        )
    return fps
