"""How often a time was so long, counted in steps: what a long load notes takes no more memory than a short one."""

from collections.abc import Iterable
from itertools import accumulate

from blink_cli.lab.load.load_report import Percentiles


class StepCounts:
    """Times from 0 on. What is longer than all steps counts in the last one."""

    __slots__ = ("_counts", "_step_ms")

    def __init__(self, *, step_ms: float, steps: int) -> None:
        self._step_ms = step_ms
        self._counts = [0] * steps

    def take(self, time_ms: float) -> None:
        """Count one."""
        self._counts[min(max(int(time_ms / self._step_ms), 0), len(self._counts) - 1)] += 1

    def add(self, others: Iterable["StepCounts"]) -> None:
        """Count what these have counted, in the same steps."""
        for one in others:
            assert (one._step_ms, len(one._counts)) == (self._step_ms, len(self._counts))
            self._counts = [mine + more for mine, more in zip(self._counts, one._counts, strict=True)]

    def clear(self) -> None:
        """Begin anew."""
        self._counts = [0] * len(self._counts)

    def percentiles(self) -> Percentiles | None:
        """Return what the times are like, each counted as the end of its step; None of nothing."""
        sums = tuple(accumulate(self._counts))
        total = sums[-1]
        if not total:
            return None

        def at(share: float) -> float:
            return ms(next(step for step, below in enumerate(sums) if below >= share * total))

        def ms(step: int) -> float:
            return round(self._step_ms * (step + 1), 3)

        seen = [step for step, count in enumerate(self._counts) if count]
        return Percentiles(
            count=total, min=ms(seen[0]), p50=at(0.5), p95=at(0.95), p99=at(0.99), max=ms(seen[-1])
        )
