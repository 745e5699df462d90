"""The sound of a file, for a virtual microphone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import soundfile
import soxr

from blink_cli.audio.channel_mix import ChannelMix
from blink_cli.audio.channel_reading import ChannelReading
from blink_cli.audio.sound_file import ForwardSoundFile
from blink_cli.core.api.device_name import no_such_channel
from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.core.errors import DeviceError
from blink_cli.files.ordinary import NotOrdinaryError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from blink_cli.audio.samples import Samples

DECODING_ERRORS: Final = (soundfile.SoundFileError, OSError, RuntimeError, ValueError)
"""What libsndfile and soxr raise at a damaged file, or at a rate that nobody can convert."""

READ_AHEAD_S: Final = 0.1
"""How much of a file is decoded at once: little, so that no tick is held up by it."""


class FileSound:
    """A sound file at 48 kHz, its two channels where it has two, else as one: decoded and resampled a little ahead of its time, so that neither costs delay.

    Sample k at 48 kHz is the file's sound at k / 48000 seconds: the delay of the resampler is taken off. After the end come zeros,
    or the beginning again when it loops.
    """

    def __init__(self, path: Path, *, loop: bool = False, channel: int | None = None) -> None:
        """Look at the file.

        Args:
            path: Where it is.
            loop: Whether it begins again at its end.
            channel: The only one to hear, from 1.

        Raises:
            DeviceError: It is missing, not readable, not a sound file, or empty.
            NotFoundError: It has no such channel.

        """
        self._path = path
        self._loop = loop
        self._channel = channel
        self._mix: ChannelMix | None = None
        self.width = 1
        """Channels of what `next` returns: 1, shape (n,), or 2, shape (n, 2)."""

        self._ready: Samples = np.zeros(0, dtype=np.float32)
        self._file: soundfile.SoundFile | None = None
        self._chunks: Iterator[Samples] = iter(())
        if not path.exists():
            raise DeviceError(
                f"There is no file {path}.",
                hint="Check the path. `~` is your home; a relative path begins where the command is given.",
            )
        with self._open() as file:
            if file.frames == 0:
                raise DeviceError(f"{path} holds no sound.", hint="Choose a file that is not empty.")
            if channel is not None and channel > file.channels:
                raise no_such_channel(str(path), file.channels, channel)
            if file.channels == 2 and channel is None:
                self.width = 2
            self._ready = self._nothing

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
                chunk = np.zeros((count - len(self._ready), *self._ready.shape[1:]), dtype=np.float32)
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
        self._ready = self._nothing

    @property
    def _nothing(self) -> Samples:
        return np.zeros(0 if self.width == 1 else (0, self.width), dtype=np.float32)

    def channels(self) -> ChannelReading | None:
        """Return what became of its channels; None if it has but one, before it was heard, and where both of two are given."""
        mix = self._mix
        return None if mix is None else mix.reading()

    def _open(self) -> soundfile.SoundFile:
        try:
            return ForwardSoundFile(self._path)
        except (IsADirectoryError, NotOrdinaryError) as error:
            raise DeviceError(
                f"{self._path} is not an ordinary file.", hint="Choose a sound file."
            ) from error
        except (soundfile.LibsndfileError, OSError) as error:
            reason = error.error_string if isinstance(error, soundfile.LibsndfileError) else error.strerror
            raise DeviceError(
                f"{self._path} cannot be read as sound: {str(reason).rstrip('.')}.",
                hint="WAV, FLAC, Ogg, MP3 and the other formats of libsndfile work.",
            ) from error

    def _next_chunk(self) -> Samples | None:
        try:
            return next(self._chunks, None)
        except DECODING_ERRORS as error:
            raise DeviceError(
                f"{self._path} is damaged: {str(error).rstrip('.')}.",
                hint="Play it in another program, or choose another file.",
            ) from error

    def _voice(self, file: soundfile.SoundFile) -> Iterator[Samples]:
        rate_hz: int = file.samplerate
        step = max(1, int(rate_hz * READ_AHEAD_S))
        resampler = (
            None
            if rate_hz == SAMPLE_RATE_HZ
            else soxr.ResampleStream(rate_hz, SAMPLE_RATE_HZ, self.width, dtype="float32")
        )
        mix = ChannelMix(file.channels, rate_hz, self._channel)
        self._mix = mix if file.channels > 1 and self.width == 1 else None

        def read(frames: int) -> Samples:
            sound: Samples = file.read(frames, dtype="float32", always_2d=True)
            return sound if self.width > 1 else mix.mix(sound)

        ended = False
        while not ended:
            sound = read(step)
            if self._loop and len(sound) < step:
                sound = self._over_the_end(file, read, sound, step)
            ended = len(sound) < step
            yield sound if resampler is None else resampler.resample_chunk(sound, last=ended)

    @staticmethod
    def _over_the_end(
        file: soundfile.SoundFile, read: Callable[[int], Samples], sound: Samples, step: int
    ) -> Samples:
        """Read on from the beginning, so that there are `step` frames: of a very short file, its whole again and again."""
        file.seek(0)
        missing = step - len(sound)
        more = read(missing)
        if 0 < len(more) < missing:
            again = np.resize(more, (missing, *more.shape[1:]))
            file.seek(missing % len(more))
            more = again
        return np.concatenate((sound, more))
