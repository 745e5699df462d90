"""How punctual a thread is: each tick's lateness, counted in a histogram."""

from bisect import bisect_left
from dataclasses import dataclass, field
from typing import Final

import msgspec

BUCKETS_MS: Final = (0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 7.5, 10.0, 15.0, 20.0, 30.0, 50.0, 100.0, 200.0, 500.0)
"""Upper bounds; what is later than the last is counted above it."""


class LatenessSummary(msgspec.Struct, frozen=True):
    """What a histogram says, in milliseconds. Percentiles are upper bounds of their bucket."""

    ticks: int
    p50_ms: float
    p99_ms: float
    max_ms: float
    over_10_ms: int
    """Ticks that came later than the next one was due."""


@dataclass(slots=True)
class Lateness:
    """Written by one thread; a summary may be taken on it at any time."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS_MS) + 1))
    max_s: float = 0.0

    def add(self, late_s: float) -> None:
        """Count one tick that ran `late_s` after it was due."""
        self.counts[bisect_left(BUCKETS_MS, late_s * 1000.0)] += 1
        self.max_s = max(self.max_s, late_s)

    def summary(self) -> LatenessSummary:
        """Return the figures so far."""
        return LatenessSummary(
            ticks=sum(self.counts),
            p50_ms=self._percentile_ms(0.50),
            p99_ms=self._percentile_ms(0.99),
            max_ms=self.max_s * 1000.0,
            over_10_ms=sum(self.counts[bisect_left(BUCKETS_MS, 10.0) + 1 :]),
        )

    def _percentile_ms(self, share: float) -> float:
        wanted = share * sum(self.counts)
        seen = 0
        for bound_ms, count in zip(BUCKETS_MS, self.counts, strict=False):
            seen += count
            if seen >= wanted:
                return min(bound_ms, self.max_s * 1000.0)
        return self.max_s * 1000.0
