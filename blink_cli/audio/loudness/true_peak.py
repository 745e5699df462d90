"""True peak: how high the wave goes between the samples.

Source: ITU-R BS.1770-4, annex 2: four times as many samples by its filter of 48 taps.
"""

import math
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

# Annex 2's table, in units of 2 ** -13. The other two phases are these from back to front.
_PHASE_0: Final = (14, 90, -161, 272, -487, 1125, 7964, -838, 390, -218, 122, -68)
_PHASE_1: Final = (-239, 240, -424, 730, -1364, 3810, 6388, -1641, 832, -477, 271, -155)
_TAPS: Final = len(_PHASE_0)
_PHASES: Final[Floats] = np.array([_PHASE_0, _PHASE_1, _PHASE_1[::-1], _PHASE_0[::-1]]).T / 8192.0


class TruePeak:
    """The highest so far, of all channels. One thread at a time."""

    def __init__(self, channels: int) -> None:
        self._before: Floats = np.zeros((channels, _TAPS - 1))
        self._highest = 0.0

    def add(self, samples: Floats) -> None:
        """Take sound of shape `(channels, n)`, full scale at +/-1.0."""
        if not samples.shape[1]:
            return
        joined = np.concatenate([self._before, samples], axis=1)
        self._before = joined[:, -(_TAPS - 1) :]
        windows = np.lib.stride_tricks.sliding_window_view(joined, _TAPS, axis=1)
        between = windows @ _PHASES
        # The filter has no phase that is the sample itself.
        highest = max(float(np.abs(between).max()), float(np.abs(samples).max()))
        self._highest = max(self._highest, highest)

    @property
    def dbtp(self) -> float | None:
        """The highest so far in dBTP: 0 is full scale; None of silence."""
        return None if self._highest <= 0.0 else 20.0 * math.log10(self._highest)
