"""What is under way on one direction of a line, until its moment."""

import heapq
from collections.abc import Iterator
from typing import Final, Generic, NamedTuple, TypeVar

from blink_cli.core.impairment.line import Line, with_wrong_bit

MOST_UNDER_WAY: Final = 16_384
"""Datagrams on one line at once: voice of a hundred streams for more than a second. What comes beyond that is dropped and counted."""

Item = TypeVar("Item")


class _UnderWay(NamedTuple, Generic[Item]):
    due_at: float
    order: int
    """Of what is due at once, what was sent first comes first; never equal, so that items are not compared."""

    sent_at: float
    number: int
    datagram: bytes
    item: Item


class Released(NamedTuple, Generic[Item]):
    """A datagram that comes out."""

    due_at: float
    """When it was due; whoever asks late gets it late, and knows."""

    sent_at: float
    datagram: bytes
    item: Item
    """What was given with it."""


class LineQueue(Generic[Item]):
    """A line and what it carries. `put` and `take` may be called in any rhythm; `next_timeout` says when to call `take`."""

    def __init__(self, line: Line, *, most_under_way: int = MOST_UNDER_WAY) -> None:
        self.line = line
        self._most = most_under_way
        self._waiting: list[_UnderWay[Item]] = []
        self._order = 0
        self._newest_out = -1

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, datagram: bytes, item: Item, now: float, *, overhead_bytes: int = 0) -> None:
        """Send one datagram.

        Args:
            datagram: What is sent; not empty.
            item: Comes out with it.
            now: When.
            overhead_bytes: Of headers around it, which take their time on a limited rate too.

        """
        line = self.line
        number = line.counters.datagrams
        copies = line.fate(now, len(datagram) + overhead_bytes)
        for copy in copies:
            if len(self._waiting) >= self._most:
                line.counters.datagrams_dropped += 1
                continue
            self._order += 1
            content = datagram if copy.wrong_at is None else with_wrong_bit(datagram, copy.wrong_at)
            heapq.heappush(self._waiting, _UnderWay(copy.due_at, self._order, now, number, content, item))

    def next_timeout(self) -> float | None:
        """When the next one comes out; None while nothing is under way."""
        return self._waiting[0].due_at if self._waiting else None

    def take(self, now: float) -> Iterator[Released[Item]]:
        """Give what has come out by now, in its order."""
        while self._waiting and self._waiting[0].due_at <= now:
            yield self._released()

    def take_all(self) -> Iterator[Released[Item]]:
        """Give all that is under way, before its moment."""
        while self._waiting:
            yield self._released()

    def clear(self) -> None:
        """Drop what is under way: the line is taken away."""
        self.line.counters.datagrams_dropped += len(self._waiting)
        self._waiting.clear()

    def _released(self) -> Released[Item]:
        out = heapq.heappop(self._waiting)
        counters = self.line.counters
        counters.datagrams_delivered += 1
        counters.delay_total_s += out.due_at - out.sent_at
        if out.number < self._newest_out:
            counters.datagrams_overtaken += 1
        self._newest_out = max(self._newest_out, out.number)
        return Released(out.due_at, out.sent_at, out.datagram, out.item)
