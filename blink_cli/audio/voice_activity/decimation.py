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


ROW_SAMPLES: Final = 16
"""So many samples come out of one row of the matrix product: longer rows are mostly zeros, shorter ones more rows."""

_ROW_REACH: Final = TAPS - FACTOR + ROW_SAMPLES * FACTOR
"""How many samples at 48 kHz have a part in a row."""


def _lowpass() -> Samples:
    """A windowed sinc (Kaiser, beta 6), sum 1."""
    at = np.arange(TAPS) - (TAPS - 1) / 2
    taps = np.sinc(2 * CUTOFF_HZ / SAMPLE_RATE_HZ * at) * np.kaiser(TAPS, 6.0)
    return np.asarray(taps / taps.sum(), dtype=np.float32)


def _row() -> Samples:
    """Column i: the taps, where sample i of a row finds what it is made of."""
    row = np.zeros((_ROW_REACH, ROW_SAMPLES), dtype=np.float32)
    for sample in range(ROW_SAMPLES):
        row[FACTOR * sample : FACTOR * sample + TAPS, sample] = _lowpass()
    return row


_ROW: Final = _row()


class Decimation:
    """Keeps the end of the last block; used by one thread."""

    def __init__(self) -> None:
        self._heard: Samples = np.zeros(TAPS - 1 + TICK_SAMPLES, dtype=np.float32)
        # A view, so that a block costs one matrix product.
        windows = np.lib.stride_tricks.sliding_window_view(self._heard[FACTOR - 1 :], _ROW_REACH)
        self._overlapping = windows[:: FACTOR * ROW_SAMPLES]
        self._rows: Samples = np.empty(self._overlapping.shape, dtype=np.float32)
        """The same side by side: numpy takes a slow way with rows that share their samples."""

    def convert(self, block: Samples) -> Samples:
        """Return shape (160,) for float32 `block` of shape (480,)."""
        self._heard[: TAPS - 1] = self._heard[TICK_SAMPLES:]
        self._heard[TAPS - 1 :] = block
        self._rows[:] = self._overlapping
        slowed: Samples = (self._rows @ _ROW).reshape(-1)
        return slowed
