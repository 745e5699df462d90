"""Between a device's rate and channels, and the voice format: 48 kHz, one channel, float32.

    device (frames, channels) ──> mean of channels ──> 48 kHz ──> blocks of 480
    blocks of 480 ──> device's rate ──> same in every channel ──> device (frames, channels)

soxr is run in its variable-rate mode, though the rate does not vary: the fixed one works in FFT blocks that come out in bursts of up
to 37 ms (16 kHz, HQ), this one gives its 10 ms for every 10 ms, 5 ms late at 44.1 kHz and 15 ms late at 16 kHz.
"""

import numpy as np
import soxr

from blink_cli.audio.samples import Samples
from blink_cli.core.voice import SAMPLE_RATE_HZ, TICK_SAMPLES


def to_mono(frames: Samples) -> Samples:
    """Return the mean of the channels of `frames`, shape `(n, channels)`, as `(n,)`, contiguous."""
    if frames.shape[1] == 1:
        return np.ascontiguousarray(frames[:, 0])
    mono: Samples = frames.mean(axis=1, dtype=np.float32)
    return mono


class VoiceFromDevice:
    """Device frames in, voice blocks out. One per device; used by the capture thread alone."""

    def __init__(self, sample_rate_hz: int) -> None:
        self._resampler = (
            None
            if sample_rate_hz == SAMPLE_RATE_HZ
            else soxr.ResampleStream(
                sample_rate_hz, SAMPLE_RATE_HZ, 1, dtype="float32", quality="HQ", vr=True
            )
        )
        self._rest: Samples = np.zeros(0, dtype=np.float32)

    def convert(self, frames: Samples) -> list[Samples]:
        """Take `frames`, shape `(n, channels)`, and return the blocks of 480 that are complete now, in order."""
        voice = to_mono(frames)
        if self._resampler is not None:
            voice = self._resampler.resample_chunk(voice)
        elif len(voice) == TICK_SAMPLES and not len(self._rest):
            return [voice]
        voice = np.concatenate((self._rest, voice))
        whole = len(voice) // TICK_SAMPLES * TICK_SAMPLES
        self._rest = voice[whole:]
        return list(voice[:whole].reshape(-1, TICK_SAMPLES))


class DeviceFromVoice:
    """Voice blocks in, device frames out. One per device; used by the playout thread alone."""

    def __init__(self, sample_rate_hz: int, channels: int) -> None:
        self._channels = channels
        self._resampler = (
            None
            if sample_rate_hz == SAMPLE_RATE_HZ
            else soxr.ResampleStream(
                SAMPLE_RATE_HZ, sample_rate_hz, 1, dtype="float32", quality="HQ", vr=True
            )
        )

    def convert(self, block: Samples) -> Samples:
        """Return `block`, shape (480,), as `(n, channels)`; n is 10 ms of the device, give or take a frame. A view where possible."""
        mono = block if self._resampler is None else self._resampler.resample_chunk(block)
        column = mono[:, np.newaxis]
        return column if self._channels == 1 else np.broadcast_to(column, (len(mono), self._channels))
