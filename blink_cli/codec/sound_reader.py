"""A file as sound at its own rate, in blocks: whatever libsndfile or FFmpeg read, or samples without a header.

raw form given?  ──>  samples as told
else libsndfile  ──>  WAV, FLAC, AIFF, MP3, Ogg (Vorbis, Opus) …
else FFmpeg      ──>  MP4, M4A, WebM, Matroska, AAC …   (its first audio track)
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, Protocol

import av
import numpy as np
import soundfile

from blink_cli.audio.devices.sounds import DECODING_ERRORS
from blink_cli.audio.samples import Samples
from blink_cli.audio.sound_file import ForwardSoundFile
from blink_cli.codec.figures import SoundFile
from blink_cli.codec.options import HIGHEST_RATE_HZ, LOWEST_RATE_HZ, RawForm, SampleFormat, Source
from blink_cli.codec.rates import LevelMeter
from blink_cli.core.errors import BlinkError, NotFoundError, UsageError
from blink_cli.core.text.path_text import shown
from blink_cli.files.ordinary import NotOrdinaryError
from blink_cli.files.reading import open_reading
from blink_cli.record.failure_text import failure_text

BLOCK_FRAMES: Final = 4_800

RAW_ENDINGS: Final = frozenset({".raw", ".pcm", ".bin", ".f32", ".s16", ".s24", ".s32"})
"""Of files without a header."""

LOUDEST: Final = 1e6
"""120 dB beyond full scale. Powers of what is far beyond would be infinite."""

_INTEGER_SCALE: Final = {"s16": 2.0**15, "s32": 2.0**31}


@dataclass(frozen=True, slots=True)
class SoundForm:
    """What is in a file."""

    kind: str
    rate_hz: int
    channels: int
    frames: int | None
    """At its rate; None where only reading tells."""


def file_read(path: Path, form: SoundForm, level: LevelMeter) -> SoundFile:
    """What is told of a file after all of it went through `level`."""
    return SoundFile(
        path=str(path),
        kind=form.kind,
        rate_hz=form.rate_hz,
        channels=form.channels,
        duration_s=round(level.frames / form.rate_hz, 6),
        level_dbfs=level.level_dbfs,
        peak_dbfs=level.peak_dbfs,
    )


class SoundReader(Protocol):
    """One open file. Belongs to one thread; blocks for as long as the disk does."""

    @property
    def form(self) -> SoundForm:
        """What is in it."""

    def blocks(self) -> Iterator[Samples]:
        """Its sound, float32 of shape (n, channels), n at most `BLOCK_FRAMES` or a codec's frame, from the beginning to the end, once.

        Raises:
            BlinkError: It is damaged here.

        """

    def close(self) -> None:
        """Let go of it. Safe to call twice."""


@contextlib.contextmanager
def open_sound(source: Source) -> Iterator[SoundReader]:
    """Open a file of sound.

    Raises:
        NotFoundError: There is none.
        UsageError: It is no sound, or has none.
        BlinkError: It cannot be read.

    """
    reader = _opened(source.path, source.raw)
    try:
        _require_sound(source.path, reader.form)
        yield reader
    finally:
        reader.close()


def _opened(path: Path, raw: RawForm | None) -> SoundReader:
    try:
        if raw is not None:
            return _RawReader(path, raw)
        if path.suffix.lower() in RAW_ENDINGS and not _has_header(path):
            raise UsageError(
                f"{shown(path)} has no header that tells its rate.",
                hint="Name its form: `--raw-rate 48000 --raw-channels 1 --raw-format f32`.",
            )
        try:
            return _SndfileReader(path)
        except soundfile.LibsndfileError as failure:
            return _FfmpegReader(path, failure)
    except OSError as failure:
        raise unreadable(path, failure) from failure


def _require_sound(path: Path, form: SoundForm) -> None:
    if not LOWEST_RATE_HZ <= form.rate_hz <= HIGHEST_RATE_HZ:
        raise UsageError(
            f"{shown(path)} says that it has {form.rate_hz} Hz, which is no sound.",
            hint=f"{LOWEST_RATE_HZ} to {HIGHEST_RATE_HZ} Hz are read; if its header is wrong, make a file without one and name its rate with --raw-rate.",
        )


def _has_header(path: Path) -> bool:
    with open_reading(path) as file:
        return file.read(4) in (b"RIFF", b"fLaC", b"OggS", b"FORM", b"RF64")


def unreadable(path: Path, failure: OSError) -> BlinkError:
    """What is said of a file that cannot be opened."""
    if isinstance(failure, FileNotFoundError):
        return NotFoundError(f"There is no file {shown(path)}.", hint="Check the path.")
    if isinstance(failure, IsADirectoryError | NotOrdinaryError):
        return UsageError(f"{shown(path)} is not an ordinary file.", hint="Name a sound file.")
    return BlinkError(
        f"{shown(path)} cannot be read: {failure_text(failure)}.", hint="Check who may read it."
    )


def damaged(path: Path, failure: Exception) -> BlinkError:
    """What is said of a file that ends in the middle."""
    return BlinkError(
        f"{shown(path)} is damaged: {failure_text(failure).rstrip('.')}.",
        hint="Play it in another program, or choose another file.",
    )


class _SndfileReader:
    """Through libsndfile."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = ForwardSoundFile(path)
        known = 0 < self._file.frames < 1 << 60
        if self._file.frames == 0:
            self._file.close()
            raise _empty(path)
        codec = {"OPUS": "Opus", "VORBIS": "Vorbis"}.get(self._file.subtype, "")
        kind = f"Ogg {codec}" if self._file.format == "OGG" else str(self._file.format)
        self.form = SoundForm(
            kind.strip(), self._file.samplerate, self._file.channels, self._file.frames if known else None
        )

    def blocks(self) -> Iterator[Samples]:
        while True:
            try:
                block = self._file.read(BLOCK_FRAMES, dtype="float32", always_2d=True)
            except DECODING_ERRORS as failure:
                raise damaged(self._path, failure) from failure
            if not len(block):
                return
            yield _numbers(block)

    def close(self) -> None:
        self._file.close()


class _FfmpegReader:
    """Through FFmpeg, as PyAV brings it."""

    def __init__(self, path: Path, refused: Exception) -> None:
        self._path = path
        self._file: BinaryIO = open_reading(path)
        try:
            self._container: Any = av.open(self._file, "r")
        except (av.error.FFmpegError, ValueError) as failure:
            self._file.close()
            raise UsageError(
                f"{shown(path)} is no sound that can be read: {failure_text(refused).rstrip('.')}.",
                hint="WAV, FLAC, Ogg, MP3, MP4 and what else libsndfile and FFmpeg know works; for samples without a header name "
                "`--raw-rate`, `--raw-channels` and `--raw-format`.",
            ) from failure
        streams = self._container.streams.audio
        if not streams or not streams[0].rate or not streams[0].channels:
            self.close()
            raise UsageError(f"{shown(path)} holds no sound.", hint="Name a file with an audio track.")
        stream = streams[0]
        self._stream = stream
        duration_s = None
        if stream.duration is not None and stream.time_base is not None:
            duration_s = float(stream.duration * stream.time_base)
        elif self._container.duration is not None:
            duration_s = self._container.duration / av.time_base
        frames = None if duration_s is None else max(round(duration_s * stream.rate), 1)
        name = self._container.format.name
        kind = "MP4" if "mp4" in name else name.split(",")[0]
        self.form = SoundForm(kind, stream.rate, stream.channels, frames)

    def blocks(self) -> Iterator[Samples]:
        resampler = av.AudioResampler(
            format="flt", layout=self._stream.layout.name, rate=self._stream.rate, frame_size=BLOCK_FRAMES
        )
        channels = self.form.channels
        try:
            for frame in self._container.decode(self._stream):
                for ready in resampler.resample(frame):
                    yield _numbers(np.asarray(ready.to_ndarray(), np.float32).reshape(-1, channels))
            for ready in resampler.resample(None):
                yield _numbers(np.asarray(ready.to_ndarray(), np.float32).reshape(-1, channels))
        except (av.error.FFmpegError, ValueError) as failure:
            raise damaged(self._path, failure) from failure

    def close(self) -> None:
        self._container.close()
        self._file.close()


class _RawReader:
    """Samples, and nothing else."""

    def __init__(self, path: Path, raw: RawForm) -> None:
        self._path = path
        self._raw = raw
        self._file: BinaryIO = open_reading(path)
        self._frame_bytes = raw.channels * bytes_of(raw.sample_format)
        size = path.stat().st_size
        if size < self._frame_bytes:
            self.close()
            raise _empty(path)
        if size % self._frame_bytes:
            self.close()
            raise UsageError(
                f"{shown(path)} is not made of samples of {raw.sample_format} in {raw.channels} channels: {size} bytes are no whole number of them.",
                hint="Check --raw-format and --raw-channels.",
            )
        self.form = SoundForm("raw", raw.rate_hz, raw.channels, size // self._frame_bytes)

    def blocks(self) -> Iterator[Samples]:
        while data := self._file.read(BLOCK_FRAMES * self._frame_bytes):
            whole = len(data) // self._frame_bytes * self._frame_bytes
            self._refuse_integers(data[:whole])
            yield unpacked(data[:whole], self._raw.sample_format).reshape(-1, self._raw.channels)

    def _refuse_integers(self, data: bytes) -> None:
        """Integers that are taken for floating-point numbers are beyond all sound here and there, which would be noise and silence."""
        if self._raw.sample_format != "f32":
            return
        samples = np.abs(np.frombuffer(data, "<f4"))
        if (samples[np.isfinite(samples)] > LOUDEST).any():
            raise UsageError(
                f"{shown(self._path)} holds no samples of f32: some would be beyond all sound.",
                hint="Say what it holds: --raw-format s16, for example.",
            )

    def close(self) -> None:
        self._file.close()


def bytes_of(sample_format: SampleFormat) -> int:
    """Of one sample."""
    return int(sample_format[1:]) // 8


def unpacked(data: bytes, sample_format: SampleFormat) -> Samples:
    """Samples of bytes, float32 of shape (n,), full scale at +/-1; what is no number is silent."""
    if sample_format == "f32":
        return _numbers(np.frombuffer(data, "<f4").astype(np.float32))
    if sample_format == "s24":
        octets = np.frombuffer(data, np.uint8).reshape(-1, 3)
        padded = np.zeros((len(octets), 4), np.uint8)
        padded[:, 1:] = octets
        return (padded.view("<i4").reshape(-1) / 2.0**31).astype(np.float32)
    integers = np.frombuffer(data, "<i2" if sample_format == "s16" else "<i4")
    return (integers / _INTEGER_SCALE[sample_format]).astype(np.float32)


def _numbers(samples: Samples) -> Samples:
    """The samples, silent where they are no number, an infinite one, or beyond all sound."""
    sound = np.abs(samples) <= LOUDEST
    return samples if sound.all() else np.where(sound, samples, np.float32(0))


def packed(samples: Samples, sample_format: SampleFormat) -> bytes:
    """Bytes of samples; beyond full scale they are cut off where there is no room for more."""
    if sample_format == "f32":
        return samples.astype("<f4").tobytes()
    bits = int(sample_format[1:])
    scale = 2.0 ** (bits - 1)
    integers = np.clip(np.rint(samples.astype(np.float64) * scale), -scale, scale - 1)
    if sample_format == "s24":
        return integers.astype("<i4").reshape(-1, 1).view(np.uint8).reshape(-1, 4)[:, :3].tobytes()
    return integers.astype(f"<i{bits // 8}").tobytes()


def _empty(path: Path) -> UsageError:
    return UsageError(f"{shown(path)} holds no sound.", hint="Choose a file that is not empty.")
