"""Between a device's rate and channels, and the voice format: 48 kHz, one channel, float32.

    device (frames, channels) ──> ChannelMix ──> 48 kHz ──> blocks of 480, or less for shorter frames of the codec
    blocks of 480 ──> device's rate ──> same in every channel ──> device (frames, channels)

soxr is run in its variable-rate mode, though the rate does not vary: the fixed one works in FFT blocks that come out in bursts of up
to 37 ms (16 kHz, HQ), this one gives its 10 ms for every 10 ms, 5 ms late at 44.1 kHz and 15 ms late at 16 kHz.
"""

import numpy as np
import soxr
from typing_extensions import override

from blink_cli.audio.channel_mix import ChannelMix
from blink_cli.audio.samples import Samples
from blink_cli.core.audio_format import SAMPLE_RATE_HZ, TICK_SAMPLES


class VoiceFromDevice:
    """Device frames in, voice blocks out. One per device; used by the capture thread alone."""

    channels = 1
    """Of the blocks."""

    def __init__(self, sample_rate_hz: int, channels: int = 1, chosen: int | None = None) -> None:
        self._rate_hz = sample_rate_hz
        self.mix = ChannelMix(channels, sample_rate_hz, chosen)
        self._resampler = (
            None
            if sample_rate_hz == SAMPLE_RATE_HZ
            else soxr.ResampleStream(
                sample_rate_hz, SAMPLE_RATE_HZ, self.channels, dtype="float32", quality="HQ", vr=True
            )
        )
        self.block_samples = TICK_SAMPLES
        """How long the next blocks are, 120 to 480 samples; to be set between two calls."""

        self._rest: Samples = np.zeros(0 if self.channels == 1 else (0, self.channels), dtype=np.float32)
        self._taken_frames = 0
        self._given_samples = 0

    @property
    def behind_s(self) -> float:
        """How much sound it has taken and not given yet."""
        return self._taken_frames / self._rate_hz - self._given_samples / SAMPLE_RATE_HZ

    def frames_until(self, samples: int) -> int:
        """Return how many more device frames make so many samples complete that it has not given, at least 1."""
        missing = samples - len(self._rest)
        return max(1, -(-missing * self._rate_hz // SAMPLE_RATE_HZ))

    @property
    def holds_back_frames(self) -> int:
        """How many device frames of silence behind a sound bring all of it out."""
        return 0 if self._resampler is None else self._rate_hz // 25

    def convert(self, frames: Samples) -> list[Samples]:
        """Take `frames`, shape `(n, channels)`, and return the blocks that are complete now, in order."""
        return self._blocks(self.mix.mix(frames))

    def silence(self, frames: int) -> list[Samples]:
        """Take `frames` frames of silence, as `convert`."""
        return self._blocks(np.zeros(frames, dtype=np.float32))

    def _blocks(self, voice: Samples) -> list[Samples]:
        self._taken_frames += len(voice)
        if self._resampler is not None:
            voice = self._resampler.resample_chunk(voice)
        size = self.block_samples
        if len(voice) == size and not len(self._rest):
            self._given_samples += size
            return [voice.copy()]
        voice = np.concatenate((self._rest, voice))
        whole = len(voice) // size * size
        self._rest = voice[whole:]
        self._given_samples += whole
        return list(voice[:whole].reshape(-1, size, *voice.shape[1:]))


class StereoFromDevice(VoiceFromDevice):
    """The same with two channels: blocks of shape (n, 2), the device's first two channels as they are."""

    channels = 2

    @override
    def convert(self, frames: Samples) -> list[Samples]:
        """Take `frames`, shape `(n, channels)` of two channels or more, and return the blocks that are complete now, in order."""
        self.mix.mix(frames)  # which tells what the channels carry
        return self._blocks(np.ascontiguousarray(frames[:, :2]))

    @override
    def silence(self, frames: int) -> list[Samples]:
        """Take `frames` frames of silence, as `convert`."""
        return self._blocks(np.zeros((frames, 2), dtype=np.float32))


class DeviceFromVoice:
    """Voice blocks in, device frames out. One per device; used by the playout thread alone."""

    def __init__(self, sample_rate_hz: int, channels: int) -> None:
        self._channels = channels
        self._rate_hz = sample_rate_hz
        self._taken_samples = 0
        self._given_frames = 0
        self._resampler = (
            None
            if sample_rate_hz == SAMPLE_RATE_HZ
            else soxr.ResampleStream(
                SAMPLE_RATE_HZ, sample_rate_hz, 1, dtype="float32", quality="HQ", vr=True
            )
        )

    @property
    def behind_s(self) -> float:
        """How much sound it has taken and not given yet."""
        return self._taken_samples / SAMPLE_RATE_HZ - self._given_frames / self._rate_hz

    def convert(self, block: Samples) -> Samples:
        """Return `block`, shape (480,), as `(n, channels)`; n is 10 ms of the device, give or take a frame. A view where possible."""
        mono = block if self._resampler is None else self._resampler.resample_chunk(block)
        self._taken_samples += len(block)
        self._given_frames += len(mono)
        column = mono[:, np.newaxis]
        return column if self._channels == 1 else np.broadcast_to(column, (len(mono), self._channels))
