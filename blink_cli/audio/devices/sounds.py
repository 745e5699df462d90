"""The sounds that a virtual microphone can hear: a sine, silence, a file."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import soundfile
import soxr

from blink_cli.audio.resampling import to_mono
from blink_cli.audio.samples import Samples
from blink_cli.core.errors import DeviceError
from blink_cli.core.voice import SAMPLE_RATE_HZ

TONE_AMPLITUDE: Final = 0.1
"""-20 dBFS: about as loud as speech."""

DECODING_ERRORS: Final = (soundfile.SoundFileError, OSError, RuntimeError, ValueError)
"""What libsndfile and soxr raise at a damaged file, or at a rate that nobody can convert."""

READ_AHEAD_S: Final = 0.1
"""How much of a file is decoded at once: little, so that no tick is held up by it."""


class Tone:
    """A sine at -20 dBFS."""

    def __init__(self, frequency_hz: float) -> None:
        self._step = 2.0 * np.pi * frequency_hz / SAMPLE_RATE_HZ
        self._next = 0

    def rewind(self) -> None:
        """Begin again at phase 0."""
        self._next = 0

    def next(self, count: int) -> Samples:
        """Return the next `count` samples."""
        # float64 for the phase: float32 would be audibly off after a minute.
        phase = self._step * np.arange(self._next, self._next + count, dtype=np.float64)
        self._next += count
        return (TONE_AMPLITUDE * np.sin(phase)).astype(np.float32)

    def skip(self, count: int) -> None:
        """Leave out the next `count` samples."""
        self._next += count

    def close(self) -> None:
        """Nothing is open."""


class Silence:
    """Exact zeros."""

    def rewind(self) -> None:
        """It has no beginning."""

    def next(self, count: int) -> Samples:
        """Return `count` zeros."""
        return np.zeros(count, dtype=np.float32)

    def skip(self, count: int) -> None:
        """It is the same everywhere."""

    def close(self) -> None:
        """Nothing is open."""


class _ForwardFile(soundfile.SoundFile):  # type: ignore[misc]  # the base carries no annotations
    """A sound file that is read from the beginning to the end.

    Otherwise soundfile seeks to where it already is after every read, and libsndfile's MP3 decoder then starts anew in the middle of
    its bit reservoir: the sound is damaged from the second read on.
    """

    def seekable(self) -> bool:
        """Say no, so that nothing but us seeks."""
        return False


class FileSound:
    """A sound file as 48 kHz mono: decoded and resampled a little ahead of its time, so that neither costs delay.

    Sample k at 48 kHz is the file's sound at k / 48000 seconds: the delay of the resampler is taken off. After the end come zeros,
    or the beginning again when it loops.
    """

    def __init__(self, path: Path, *, loop: bool = False) -> None:
        """Look at the file.

        Raises:
            DeviceError: It is missing, not readable, not a sound file, or empty.

        """
        self._path = path
        self._loop = loop
        self._ready: Samples = np.zeros(0, dtype=np.float32)
        self._file: soundfile.SoundFile | None = None
        self._chunks: Iterator[Samples] = iter(())
        if not path.exists():
            raise DeviceError(
                f"There is no file {path}.",
                hint="check the path; `~` and relative paths are those of who names it",
            )
        if not path.is_file():  # a pipe would make the session wait for whoever writes into it
            raise DeviceError(f"{path} is not an ordinary file.", hint="choose a sound file")
        with self._open() as file:
            if file.frames == 0:
                raise DeviceError(f"{path} holds no sound.", hint="choose a file that is not empty")

    def rewind(self) -> None:
        """Begin again.

        Raises:
            DeviceError: The file is gone by now, or damaged at its beginning.

        """
        self.close()
        self._file = self._open()
        self._chunks = self._voice(self._file)
        try:
            first = self._next_chunk()
        except DeviceError:
            self.close()
            raise
        if first is not None:
            self._ready = first

    def next(self, count: int) -> Samples:
        """Return the next `count` samples.

        Raises:
            DeviceError: The file is damaged here.

        """
        while len(self._ready) < count:
            chunk = self._next_chunk()
            if chunk is None:
                chunk = np.zeros(count - len(self._ready), dtype=np.float32)
            self._ready = np.concatenate((self._ready, chunk))
        samples, self._ready = self._ready[:count], self._ready[count:]
        return samples

    def skip(self, count: int) -> None:
        """Leave out the next `count` samples, in little memory. Raises as `next`."""
        while count > len(self._ready):
            count -= len(self._ready)
            chunk = self._next_chunk()
            if chunk is None:  # behind the end everything is the same
                self._ready = self._ready[:0]
                return
            self._ready = chunk
        self._ready = self._ready[count:]

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None
        self._chunks = iter(())
        self._ready = np.zeros(0, dtype=np.float32)

    def _open(self) -> soundfile.SoundFile:
        try:
            return _ForwardFile(str(self._path))
        except (soundfile.LibsndfileError, OSError) as error:
            raise DeviceError(
                f"{self._path} cannot be read as sound: {error}",
                hint="WAV, FLAC, Ogg, MP3 and the other formats of libsndfile work",
            ) from error

    def _next_chunk(self) -> Samples | None:
        try:
            return next(self._chunks, None)
        except DECODING_ERRORS as error:
            raise DeviceError(
                f"{self._path} is damaged: {error}", hint="play it in another program, or choose another file"
            ) from error

    def _voice(self, file: soundfile.SoundFile) -> Iterator[Samples]:
        rate_hz: int = file.samplerate
        step = max(1, int(rate_hz * READ_AHEAD_S))
        resampler = (
            None
            if rate_hz == SAMPLE_RATE_HZ
            else soxr.ResampleStream(rate_hz, SAMPLE_RATE_HZ, 1, dtype="float32")
        )
        ended = False
        while not ended:
            mono = to_mono(file.read(step, dtype="float32", always_2d=True))
            if self._loop and len(mono) < step:
                mono = self._over_the_end(file, mono, step)
            ended = len(mono) < step
            yield mono if resampler is None else resampler.resample_chunk(mono, last=ended)

    @staticmethod
    def _over_the_end(file: soundfile.SoundFile, mono: Samples, step: int) -> Samples:
        """Read on from the beginning, so that there are `step` frames: of a very short file, its whole again and again."""
        file.seek(0)
        missing = step - len(mono)
        more = to_mono(file.read(missing, dtype="float32", always_2d=True))
        if 0 < len(more) < missing:
            again = np.resize(more, missing)
            file.seek(missing % len(more))
            more = again
        return np.concatenate((mono, more))
