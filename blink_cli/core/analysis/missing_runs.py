"""Numbers of a stream that have not come, as runs: a sender that leaps a thousand numbers costs no more than one that leaps two.

came 7 … missing 8 to 1006 … came 1007        one `MissingRun`
then 500 comes                                  two: 8 to 499, 501 to 1006
"""

from bisect import bisect_right
from collections.abc import Container
from typing import NamedTuple

from blink_cli.core.media.unwrapper import TIMESTAMP_MASK


class MissingRun(NamedTuple):
    """Numbers that follow each other. Their timestamps lie evenly between those of the packets beside them."""

    first: int
    last: int
    number: int
    """A number whose timestamp is known, beside the run or in it before it was split."""

    timestamp: int
    ticks: int
    """From the timestamp `steps` numbers before that one to its own."""

    steps: int

    def with_timestamps_in(self, timestamps: Container[int], most: int) -> list[int]:
        """Those of its last numbers, `most` at most, that should have one of these timestamps; ascending."""
        _, last, known, timestamp, ticks, steps = self
        if ticks < steps:
            return []  # several numbers would share a timestamp, and so one frame
        return [
            number
            for number in range(max(self.first, last - most + 1), last + 1)
            if (timestamp - (known - number) * ticks // steps) & TIMESTAMP_MASK in timestamps
        ]


class MissingRuns:
    """Runs in ascending order. They span `HISTORY_PACKETS` at most, so there are half as many at most."""

    __slots__ = ("_runs",)

    def __init__(self) -> None:
        self._runs: list[MissingRun] = []

    def __len__(self) -> int:
        """How many runs there are."""
        return len(self._runs)

    def add_behind(self, run: MissingRun) -> None:
        """Add numbers that are higher than all others; none if its last is before its first."""
        if run.first <= run.last:
            self._runs.append(run)

    def add_before(self, run: MissingRun) -> None:
        """Add numbers that are lower than all others; none if its last is before its first."""
        if run.first <= run.last:
            self._runs.insert(0, run)

    def came(self, number: int) -> None:
        """Take a number out, if it is missing."""
        runs = self._runs
        index = bisect_right(runs, number, key=_first) - 1
        if index < 0 or runs[index].last < number:
            return
        run = runs[index]
        parts = run._replace(last=number - 1), run._replace(first=number + 1)
        runs[index : index + 1] = [part for part in parts if part.first <= part.last]

    def take_before(self, number: int) -> list[MissingRun]:
        """Take out all that is below a number."""
        runs = self._runs
        count = bisect_right(runs, number - 1, key=_first)
        taken = runs[:count]
        del runs[:count]
        if taken and taken[-1].last >= number:
            runs.insert(0, taken[-1]._replace(first=number))
            taken[-1] = taken[-1]._replace(last=number - 1)
        return taken

    def clear(self) -> None:
        """Forget all."""
        self._runs.clear()

    def copy(self) -> "MissingRuns":
        """Another one that goes its own way."""
        twin = MissingRuns()
        twin._runs = self._runs.copy()
        return twin


def _first(run: MissingRun) -> int:
    return run.first
