"""What a line takes, by how far apart packets arrive that left together: a line of a fixed rate spreads them by what each of them takes.

    sent    |a b|                        C = 8 * size of b / (arrival of b - arrival of a)
    arrived |a....b|

No queue has to be filled for that, as it has to be for a limit to be found by delay or loss. Jitter makes most pairs wrong, each in its own way, and
leaves some right, which agree: so what many agree on counts, and where nothing is, as on a line that passes packets on in lumps, nothing is known.
Pure.

Source: K. Lai, M. Baker, "Measuring Bandwidth" (1999), section 2, for packet pairs and for taking where they are densest.
"""

import math
import statistics
from collections import deque
from collections.abc import Sequence
from typing import Final, NamedTuple

REMEMBERED: Final = 48
"""Pairs."""

FEWEST: Final = 4
"""Pairs that tell something."""

FORGOTTEN_S: Final = 6.0

LEAST_APART_S: Final = 0.0005
"""Twice what feedback tells apart: what is closer came as one."""

ALIKE: Final = 1.15
"""Largest over smallest of pairs that agree."""

ENOUGH: Final = 0.2
BESIDES: Final = 3.2
"""Share of all pairs that has to agree, and how many besides: jitter of any spread brings one in eighteen together by chance, and some more of a few."""


NEWEST: Final = 8
NEWEST_AGREE: Final = 6
"""So many of the newest pairs, and older ones do not count: the line has changed."""

HELD_S: Final = 15.0
"""For so long a capacity is taken to be what it was, when pairs do not agree any more but do not speak against it either."""

WIDER: Final = 2.0
"""So many times more by three of four pairs, and the line has become another one."""

SURE: Final = 2.33
"""Standard deviations of a mean: of a hundred such bounds one is too high by chance."""

SURE_OF_FEW: Final = 2.8
"""Where that deviation is known by few pairs itself, over their number (Student's t)."""


class _Pair(NamedTuple):
    at: float
    apart_s: float
    bytes: int

    @property
    def bps(self) -> float:
        return _bps(self.bytes, self.apart_s)


class LineCapacity:
    """Of one link."""

    def __init__(self) -> None:
        """Know nothing."""
        self._pairs: deque[_Pair] = deque(maxlen=REMEMBERED)
        self._known: tuple[float, float] | None = None

    def pair(self, apart_s: float, second_bytes: int, now_s: float) -> None:
        """Two packets left together, and the second one arrived so much later, or sooner."""
        self._pairs.append(_Pair(now_s, apart_s, second_bytes))

    def bps(self, now_s: float) -> float | None:
        """What the line takes; None where that is not known."""
        ordered = self._ordered(now_s)
        newest = sorted(pair.bps for pair in list(self._pairs)[-NEWEST:])
        agreed = _agreed(newest, NEWEST_AGREE) or _agreed(ordered, ENOUGH * len(ordered) + BESIDES)
        if agreed is not None:
            self._known = (now_s, agreed)
        elif self._known is not None:
            at_s, known = self._known
            most_bps = ordered[len(ordered) // 4] if ordered else 0.0
            if now_s - at_s > HELD_S or most_bps > WIDER * known:
                self._known = None
        return None if self._known is None else self._known[1]

    def at_least_bps(self, now_s: float) -> float:
        """What it takes at least by all pairs together, whether they agree or not; 0 where too few say something.

        In the mean jitter brings packets of a pair neither together nor apart, and of many the mean is known better than of one.
        """
        self._forget(now_s)
        number = len(self._pairs)
        if number < FEWEST:
            return 0.0
        apart_s = [pair.apart_s for pair in self._pairs]
        surely_s = SURE * (1 + SURE_OF_FEW / (number - 1)) * statistics.stdev(apart_s) / math.sqrt(number)
        return _bps(
            statistics.fmean(pair.bytes for pair in self._pairs), statistics.fmean(apart_s) + surely_s
        )

    def _ordered(self, now_s: float) -> list[float]:
        self._forget(now_s)
        return sorted(pair.bps for pair in self._pairs)

    def _forget(self, now_s: float) -> None:
        while self._pairs and now_s - self._pairs[0].at > FORGOTTEN_S:
            self._pairs.popleft()


def _bps(size_bytes: float, apart_s: float) -> float:
    return 8 * size_bytes / apart_s if apart_s > LEAST_APART_S else math.inf


def _agreed(ordered: Sequence[float], enough: float) -> float | None:
    """The middle of the largest number of values that are alike; None where fewer than `enough` are."""
    begin = best_begin = best_count = 0
    for end, bps in enumerate(ordered, start=1):
        if bps == math.inf:
            break
        while bps > ALIKE * ordered[begin]:
            begin += 1
        if end - begin > best_count:
            best_begin, best_count = begin, end - begin
    return ordered[best_begin + best_count // 2] if best_count >= enough else None
