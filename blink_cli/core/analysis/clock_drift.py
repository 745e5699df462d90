"""How much faster the sender's sample clock runs than our clock, from nothing but arrivals.

    transit = arrival - RTP time
    |  .    .      . :     .          jitter only ever adds to it, so that the packets that were
    |.   :  . . .     .  :   .        held up least lie on a line, whose slope is the difference of
    | .  .   __.__-----'  '           the clocks
    |_.--'-'
    '----------------------> time

The minimum of each window stands for it; the drift is the median of the slopes between all pairs of minima.
"""

import math
import statistics
from typing import Final

WINDOW_S: Final = 1.0
"""At first; twice as long whenever there are too many."""

MAX_WINDOWS: Final = 64
"""2,016 pairs: half a millisecond of work, for a call of any length."""

LEAST_WINDOWS: Final = 10
LEAST_SPAN_S: Final = 20.0
"""Over less, a millisecond of jitter looks like 50 ppm."""

_CONFIDENCE_95: Final = 1.96


class ClockDrift:
    """Belongs to one stream. Its memory is bounded."""

    __slots__ = ("_minima", "_origin", "_window_s")

    def __init__(self) -> None:
        """Know nothing yet."""
        self._origin: tuple[float, float] | None = None
        self._window_s = WINDOW_S
        self._minima: list[
            tuple[int, float, float]
        ] = []  # window, when its earliest packet came, its transit

    def observe(self, media_s: float, arrival_s: float) -> None:
        """Take one packet: its RTP time, unwrapped, and its monotonic arrival, both in seconds."""
        if self._origin is None:
            self._origin = media_s, arrival_s
        elapsed_s = arrival_s - self._origin[1]
        transit_s = elapsed_s - (media_s - self._origin[0])
        window = math.floor(elapsed_s / self._window_s)
        minima = self._minima
        if not minima or window > minima[-1][0]:
            minima.append((window, elapsed_s, transit_s))
            if len(minima) > MAX_WINDOWS:
                self._merge()
        elif transit_s < minima[-1][2]:
            minima[-1] = (minima[-1][0], elapsed_s, transit_s)

    def restart(self) -> None:
        """Begin anew: the sender has another clock, or counts from another number."""
        self._origin = None
        self._minima = []
        self._window_s = WINDOW_S

    def _merge(self) -> None:
        self._window_s *= 2
        best: dict[int, tuple[int, float, float]] = {}
        for window, elapsed_s, transit_s in self._minima:
            known = best.get(window >> 1)
            if known is None or transit_s < known[2]:
                best[window >> 1] = (window >> 1, elapsed_s, transit_s)
        self._minima = list(best.values())

    def estimate_ppm(self) -> tuple[float, float, float] | None:
        """The drift and its 95 % confidence interval, in parts per million; positive when the sender's clock is fast.

        Returns:
            (drift, low, high); None before there is enough to tell.

        Source: P. K. Sen, 1968: the median of pairwise slopes; a few windows that a burst of delay or another route has lifted do not move it.

        """
        minima = self._minima[:-1]  # the last window is not over
        count = len(minima)
        if count < LEAST_WINDOWS or minima[-1][1] - minima[0][1] < LEAST_SPAN_S:
            return None
        slopes = sorted(
            -1e6 * (later[2] - earlier[2]) / (later[1] - earlier[1])
            for index, earlier in enumerate(minima)
            for later in minima[index + 1 :]
        )
        spread = _CONFIDENCE_95 * math.sqrt(count * (count - 1) * (2 * count + 5) / 18)
        low = max(int((len(slopes) - spread) / 2), 0)
        high = min(math.ceil((len(slopes) + spread) / 2), len(slopes) - 1)
        return statistics.median(slopes), slopes[low], slopes[high]
