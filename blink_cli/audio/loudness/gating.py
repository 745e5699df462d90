"""Means and spreads that leave pauses out, of any length of sound in bounded memory.

Blocks are counted, and their powers summed up, in bins of 0.01 LU. A mean of bins is exact; only which blocks of the one bin at the gate belong to it is
decided for all of them together.

Source: ITU-R BS.1770-4, annex 1, equations 5 to 7 (integrated); EBU Tech 3342, section 3 (range).
"""

import math
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

ABSOLUTE_GATE_LUFS: Final = -70.0
HIGHEST_LUFS: Final = 30.0
"""Nothing within full scale is louder, with 24 channels; louder blocks count as this loud for the gate alone."""

INTEGRATED_GATE_LU: Final = -10.0
RANGE_GATE_LU: Final = -20.0
RANGE_FROM: Final = 0.10
RANGE_TO: Final = 0.95

_BINS_A_LU: Final = 100
_BINS: Final = round((HIGHEST_LUFS - ABSOLUTE_GATE_LUFS) * _BINS_A_LU)
_SILENT_POWER: Final = 1e-12
"""-120 LUFS: what the filter rings on behind a sound, and no converter's noise."""

_OFFSET_LUFS: Final = -0.691
"""So that a sine of 997 Hz at full scale in one channel is -3.01 LUFS."""


def lufs(power: float) -> float | None:
    """The loudness of K-weighted sound of this mean square, summed over the channels with their weights; None of silence."""
    return None if power <= _SILENT_POWER else _OFFSET_LUFS + 10.0 * math.log10(power)


def power_of(loudness_lufs: float) -> float:
    """The mean square of K-weighted sound that is so loud."""
    return math.pow(10.0, (loudness_lufs - _OFFSET_LUFS) / 10.0)


_ABSOLUTE_GATE: Final = power_of(ABSOLUTE_GATE_LUFS)
_INTEGRATED_GATE: Final = 10.0 ** (INTEGRATED_GATE_LU / 10.0)


def _bin_of(power: float) -> int:
    """Where a block is counted, from -70 LUFS on; 0 for one that is softer."""
    above_lu = _OFFSET_LUFS + 10.0 * math.log10(power) - ABSOLUTE_GATE_LUFS
    return min(max(int(above_lu * _BINS_A_LU), 0), _BINS - 1)


class GatedBlocks:
    """All blocks of a sound that are above the absolute gate."""

    def __init__(self) -> None:
        self._counts: npt.NDArray[np.int32] = np.zeros(_BINS, dtype=np.int32)
        """Enough for six years of blocks in one bin."""

        self._powers: Floats = np.zeros(_BINS)
        self._count, self._power = 0, 0.0
        """Of all."""

        self._gate_bin = 0
        self._count_above, self._power_above = 0, 0.0
        """Of the bins above that one: a gate moves by few bins from one block to the next, and 10,000 need not be looked through."""

    def add(self, power: float) -> None:
        """Take the mean square of a block; one at or below -70 LUFS is left out."""
        if power <= _ABSOLUTE_GATE:
            return
        place = _bin_of(power)
        self._counts[place] += 1
        self._powers[place] += power
        self._count += 1
        self._power += power
        if place > self._gate_bin:
            self._count_above += 1
            self._power_above += power

    @property
    def gated_mean(self) -> float | None:
        """Loudness of the mean of all blocks above the relative gate; None if there is none."""
        if not self._count:
            return None
        gate = self._power / self._count * _INTEGRATED_GATE
        place = _bin_of(gate)
        low, high = sorted((place, self._gate_bin))
        counts, powers = self._counts[low + 1 : high + 1], self._powers[low + 1 : high + 1]
        sign = 1 if place < self._gate_bin else -1
        self._count_above += sign * int(counts.sum())
        self._power_above += sign * float(powers.sum())
        self._gate_bin = place
        count, power = self._count_above, self._power_above
        if self._powers[place] > gate * self._counts[place]:
            count += int(self._counts[place])
            power += float(self._powers[place])
        return lufs(power / count)

    @property
    def gated_spread(self) -> float | None:
        """Between which loudnesses, from the 10th to the 95th percentile, the blocks above the relative gate lie, in LU; None if there is none."""
        counts, powers = self._above(RANGE_GATE_LU)
        ranks = np.cumsum(counts)
        if not len(ranks):
            return None
        last = int(ranks[-1]) - 1
        ends = []
        for share in (RANGE_FROM, RANGE_TO):
            place = int(np.searchsorted(ranks, round(last * share), side="right"))
            loudness = lufs(float(powers[place]) / int(counts[place]))
            assert loudness is not None, "no block here is silent"
            ends.append(loudness)
        return ends[1] - ends[0]

    def _above(self, gate_lu: float) -> tuple[npt.NDArray[np.int32], Floats]:
        """Return counts and powers of the bins that are not empty and lie above the mean of all by `gate_lu` or more."""
        used = np.flatnonzero(self._counts)
        counts, powers = self._counts[used], self._powers[used]
        if not len(used):
            return counts, powers
        gate = float(powers.sum()) / int(counts.sum()) * 10.0 ** (gate_lu / 10.0)
        heard = powers > gate * counts
        return counts[heard], powers[heard]
