"""From 48 kHz to 16 kHz, a tick at a time: 480 samples in, 160 out, 0.4 ms late.

A converter of soxr would hold back 15 ms and more; for a detector a short filter is enough.
"""

from typing import Final

import numpy as np

from blink_cli.audio.samples import Samples
from blink_cli.core.audio_format import SAMPLE_RATE_HZ, TICK_SAMPLES

SPEECH_RATE_HZ: Final = 16_000
FACTOR: Final = SAMPLE_RATE_HZ // SPEECH_RATE_HZ
TAPS: Final = 36
"""35 dB down from 9 kHz on, flat to 5 kHz."""

CUTOFF_HZ: Final = 7_000


def _lowpass() -> Samples:
    """A windowed sinc (Kaiser, beta 6), sum 1."""
    at = np.arange(TAPS) - (TAPS - 1) / 2
    taps = np.sinc(2 * CUTOFF_HZ / SAMPLE_RATE_HZ * at) * np.kaiser(TAPS, 6.0)
    return np.asarray(taps / taps.sum(), dtype=np.float32)


_LOWPASS: Final = _lowpass()


class Decimation:
    """Keeps the end of the last block; used by one thread."""

    def __init__(self) -> None:
        self._heard: Samples = np.zeros(TAPS - 1 + TICK_SAMPLES, dtype=np.float32)
        # One row for each sample that comes out; a view, so that a block costs one matrix product.
        self._rows = np.lib.stride_tricks.sliding_window_view(self._heard, TAPS)[FACTOR - 1 :: FACTOR]

    def convert(self, block: Samples) -> Samples:
        """Return shape (160,) for float32 `block` of shape (480,)."""
        self._heard[: TAPS - 1] = self._heard[TICK_SAMPLES:]
        self._heard[TAPS - 1 :] = block
        slowed: Samples = self._rows @ _LOWPASS
        return slowed
