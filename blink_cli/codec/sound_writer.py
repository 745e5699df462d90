"""Files that are written: each beside its place, and moved there when it is whole.

.wav .flac .aiff       sound, as it was decoded
.raw .pcm .f32 .s16    the same without a header
.opus .ogg .mp4 .m4a   Opus packets, as they were encoded
"""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import av
import soundfile

from blink_cli.audio.samples import Samples
from blink_cli.codec.options import SampleFormat
from blink_cli.codec.sound_reader import RAW_ENDINGS, packed
from blink_cli.core.errors import BlinkError, UsageError
from blink_cli.core.media.rtp import EncodedFrame
from blink_cli.core.text.path_text import shown
from blink_cli.files.ordinary import NotOrdinaryError, ordinary_stands_at
from blink_cli.files.writing import name_for_library, replacing
from blink_cli.record.failure_text import failure_text
from blink_cli.record.finished.ogg_opus import OggOpusWriter
from blink_cli.record.mp4.file import Mp4Labels, mux, open_ordinary
from blink_cli.record.mp4.movie import amend

_HEADED: Final = {".wav": "WAV", ".flac": "FLAC", ".aiff": "AIFF", ".aif": "AIFF"}
_SUBTYPES: Final[dict[SampleFormat, str]] = {
    "s16": "PCM_16",
    "s24": "PCM_24",
    "s32": "PCM_32",
    "f32": "FLOAT",
}
_PACKETS: Final = {".opus": "Ogg Opus", ".ogg": "Ogg Opus", ".mp4": "MP4", ".m4a": "MP4"}

SoundSink = Callable[[Samples], None]
"""Takes the next block, shape (n, channels)."""

PacketSink = Callable[[EncodedFrame, int], None]
"""Takes the next frame, and how many of its samples at 48 kHz belong to the sound: fewer than it lasts at the end."""


def holds_packets(path: Path) -> bool:
    """Whether a file of this name holds packets and no samples."""
    return path.suffix.lower() in _PACKETS


def kind_of(path: Path) -> str:
    """What a file of this name is.

    Raises:
        UsageError: Nobody can tell.

    """
    ending = path.suffix.lower()
    if ending in RAW_ENDINGS:
        return "raw"
    kind = _HEADED.get(ending) or _PACKETS.get(ending)
    if kind is None:
        raise UsageError(
            f"{shown(path)} has no ending that tells what to write.",
            hint="Choose .wav, .flac, .aiff or .raw for sound, .opus or .mp4 for Opus packets.",
        )
    return kind


def require_writable(path: Path, source: Path | None) -> None:
    """Check before any work that a file may be written here.

    Raises:
        UsageError: It is what is read, or no ordinary file, or has no known ending.
        BlinkError: Its folder is not there.

    """
    kind_of(path)
    require_replaceable(path, source)


def require_sound(path: Path, source: Path | None) -> None:
    """The same of a file that holds samples and no packets. Raises as `require_writable`."""
    require_writable(path, source)
    if holds_packets(path):
        raise UsageError(
            f"{shown(path)} would hold packets and no sound.",
            hint="End its name with .wav, .flac or .raw; `blink codec ogg` and `mp4` encode it then.",
        )


def require_replaceable(path: Path, source: Path | None) -> None:
    """The same of a file of any kind. Raises as `require_writable`."""
    try:
        if source is not None and path.exists() and source.exists() and path.samefile(source):
            raise UsageError(f"{shown(path)} is what is read.", hint="Name another file to write.")
        ordinary_stands_at(path)
    except (IsADirectoryError, NotOrdinaryError) as failure:
        raise UsageError(
            f"{shown(path)} is not an ordinary file, so nothing replaces it.", hint="Name another file."
        ) from failure
    except OSError as failure:
        raise unwritable(path, failure) from failure
    if not path.absolute().parent.is_dir():
        raise BlinkError(f"There is no folder {shown(path.absolute().parent)}.", hint="Make it first.")


@contextlib.contextmanager
def sound_sink(
    path: Path, rate_hz: int, channels: int, sample_format: SampleFormat | None
) -> Iterator[SoundSink]:
    """Write decoded sound.

    Raises:
        UsageError: Such a file has no samples of this format.
        BlinkError: It cannot be written; nothing is left behind.

    """
    kind = kind_of(path)
    try:
        with replacing(path) as file:
            if kind == "raw":
                form = sample_format or _by_ending(path)

                def write(block: Samples) -> None:
                    file.write(packed(block, form))

                yield write
                return
            subtype = _SUBTYPES[sample_format or "s16"]
            if not soundfile.check_format(kind, subtype):
                raise UsageError(
                    f"{kind} files have no samples of {sample_format}.",
                    hint="FLAC takes s16 and s24; WAV takes all.",
                )
            with soundfile.SoundFile(
                file.fileno(), "w", rate_hz, channels, subtype, format=kind, closefd=False
            ) as sound:
                yield sound.write
    except (OSError, soundfile.LibsndfileError) as failure:
        raise unwritable(path, failure) from failure


@contextlib.contextmanager
def packet_sink(path: Path, channels: int, pre_skip: int) -> Iterator[PacketSink]:
    """Write Opus packets.

    Args:
        path: Ends in .opus, .ogg, .mp4 or .m4a.
        channels: 1 or 2.
        pre_skip: The encoder's look-ahead in samples at 48 kHz, which readers leave out: 312, or 120 of `lowdelay`.

    Raises:
        BlinkError: It cannot be written; nothing is left behind.

    """
    write = _ogg_sink if _PACKETS[path.suffix.lower()] == "Ogg Opus" else _mp4_sink
    try:
        with replacing(path) as file, write(file, path.stem, channels, pre_skip) as sink:
            yield sink
    except (OSError, av.error.FFmpegError) as failure:
        raise unwritable(path, failure) from failure


@contextlib.contextmanager
def _ogg_sink(file: Any, title: str, channels: int, pre_skip: int) -> Iterator[PacketSink]:
    writer = OggOpusWriter(file, title, "", channels=channels, pre_skip=pre_skip)
    with contextlib.closing(writer):
        yield lambda frame, samples: writer.write(frame.payload, frame.timestamp, samples)


@contextlib.contextmanager
def _mp4_sink(file: Any, title: str, channels: int, pre_skip: int) -> Iterator[PacketSink]:
    about = Mp4Labels((title,), title, "", "")
    container, (stream,) = open_ordinary(name_for_library(file), about, channels=channels, pre_skip=pre_skip)
    with contextlib.closing(container):
        yield lambda frame, samples: mux(
            container, stream, frame.payload, frame.timestamp, samples, pre_skip=pre_skip
        )
    amend(file.fileno())


def _by_ending(path: Path) -> SampleFormat:
    ending = path.suffix.lower()
    return next((form for form in _SUBTYPES if ending == f".{form}"), "f32")


def unwritable(path: Path, failure: Exception) -> BlinkError:
    """What is said of a file that could not be written."""
    return BlinkError(
        f"{shown(path)} cannot be written: {failure_text(failure)}.",
        hint="Can its folder be written, and has its disk room?",
    )
