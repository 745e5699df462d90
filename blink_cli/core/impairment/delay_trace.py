"""Delays and losses that somebody measured, as text of one line each.

    12.5                    12.5 ms late: the next datagram
    lost                    lost
    # a remark

    time_s,delay_ms         with two columns: what holds from that time on, counted from the beginning
    0,20
    4.5,180
    5,lost

Behind its end a trace begins again. Columns are separated by a comma, a semicolon, a tab or spaces.
"""

import bisect
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from blink_cli.core.errors import UsageError

MOST_ENTRIES: Final = 1_000_000
MOST_BYTES: Final = 16 * 1024 * 1024
"""Of a file that holds a trace."""

_MOST_DELAY_MS: Final = 60_000.0
_SEPARATOR: Final = re.compile(r"\s*[,;\t]\s*|\s+")
_HEADERS: Final = {("delay_ms",), ("time_s", "delay_ms")}
_LOST: Final = "lost"


@dataclass(frozen=True, slots=True)
class DelayTrace:
    """What becomes of datagram after datagram, or from time to time."""

    name: str
    """Where it came from, as it was written: the path of a file."""

    delays_ms: tuple[float | None, ...] = field(repr=False)
    """None: lost. Not empty."""

    times_s: tuple[float, ...] | None = field(default=None, repr=False)
    """When each begins, rising from 0; None: one for each datagram."""

    def at(self, number: int, elapsed_s: float) -> float | None:
        """Return how late the datagram is, in ms; None: it is lost.

        Args:
            number: How many datagrams came before.
            elapsed_s: Since the beginning, 0 or more.

        """
        if self.times_s is None:
            return self.delays_ms[number % len(self.delays_ms)]
        # The last line holds as long as the one before it did; a single one for ever.
        last_s = self.times_s[-1]
        length_s = last_s + (last_s - self.times_s[-2] if len(self.times_s) > 1 else math.inf)
        place_s = elapsed_s % length_s if length_s < math.inf else elapsed_s
        return self.delays_ms[bisect.bisect_right(self.times_s, place_s) - 1]


def trace_from_text(name: str, text: str) -> DelayTrace:
    """Read a trace.

    Raises:
        UsageError: It is none; the line is named.

    """
    times_s: list[float] = []
    delays_ms: list[float | None] = []
    columns = 0
    for number, cells in _lines(text):
        if not delays_ms and cells in _HEADERS:
            continue
        columns = columns or len(cells)
        if len(cells) != columns or columns > 2:
            raise _mistake(name, number, "has another number of columns than the lines before it")
        delays_ms.append(_delay_ms(name, number, cells[-1]))
        if columns == 2:
            times_s.append(_time_s(name, number, cells[0], times_s))
        if len(delays_ms) > MOST_ENTRIES:
            raise UsageError(
                f"The trace {name} has more than {MOST_ENTRIES} lines.", hint="Cut it into pieces."
            )
    if not delays_ms:
        raise UsageError(
            f"The trace {name} is empty.", hint="Each line is a delay in ms, such as 12.5, or the word lost."
        )
    return DelayTrace(name, tuple(delays_ms), tuple(times_s) if columns == 2 else None)


def trace_text(trace: DelayTrace) -> str:
    """A trace as text that is read as this very trace."""
    cells = [_LOST if delay_ms is None else repr(delay_ms) for delay_ms in trace.delays_ms]
    if trace.times_s is not None:
        cells = [f"{time_s!r},{cell}" for time_s, cell in zip(trace.times_s, cells, strict=True)]
    return "\n".join(cells) + "\n"


def _lines(text: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    for number, line in enumerate(text.splitlines(), 1):
        content = line.partition("#")[0].strip()
        if content:
            yield number, tuple(_SEPARATOR.split(content.lower()))


def _delay_ms(name: str, line: int, cell: str) -> float | None:
    if cell == _LOST:
        return None
    value = _number(cell)
    if value is None or not 0 <= value <= _MOST_DELAY_MS:
        raise _mistake(name, line, f"holds {cell!r}, which is no delay")
    return value


def _time_s(name: str, line: int, cell: str, before_s: list[float]) -> float:
    value = _number(cell)
    if value is None or not math.isfinite(value):
        raise _mistake(name, line, f"holds {cell!r}, which is no time")
    if (before_s and value <= before_s[-1]) or (not before_s and value != 0):
        raise _mistake(name, line, "is out of order: times begin at 0 and rise")
    return value


def _number(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None


def _mistake(name: str, line: int, what: str) -> UsageError:
    return UsageError(
        f"Line {line} of the trace {name} {what}.",
        hint=f"Each line is a delay of 0 to {_MOST_DELAY_MS:g} ms or the word lost; in front of it may stand since when it holds, in s.",
    )
