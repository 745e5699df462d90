"""What becomes of each datagram on one direction of a line.

    datagram -> outage? -> loss -> trace -> rate and its queue -> delay, jitter, reordering -> copies, each with the moment when it comes out

A line decides and holds nothing; `line_queue.py` holds what is under way.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

from blink_cli.core.impairment.conditions import MOST_DELAY_MS, Conditions
from blink_cli.core.impairment.loss_chain import loss_chain

Draw = Callable[[], float]
"""Returns a number from 0 up to but not with 1: `random.Random(seed).random`."""

_PARETO_SHAPE: Final = 3.0
_PARETO_MEAN: Final = 1.5
_PARETO_DEVIATION: Final = math.sqrt(0.75)
"""Mean and standard deviation of Pareto's distribution of that shape, from 1 on."""


class Copy(NamedTuple):
    """One datagram that comes out."""

    due_at: float
    """When, in the caller's seconds."""

    wrong_at: float | None = None
    """At which part of it, 0 to 1, a bit is flipped; None: it is whole."""


@dataclass(slots=True)
class LineCounters:
    """What a line did so far: what a capture at its end must agree with."""

    datagrams: int = 0
    """That were given to it. With `datagrams_duplicated` it is the sum of all that were lost, dropped, delivered or are under way."""

    datagrams_lost: int = 0
    """By chance (`loss`), or by a trace."""

    datagrams_lost_in_outages: int = 0
    datagrams_dropped: int = 0
    """The queue of the limited rate was full, or more was under way than is held, or the line was taken away."""

    datagrams_duplicated: int = 0
    datagrams_corrupted: int = 0
    """Copies with a wrong bit."""

    datagrams_held_back: int = 0
    """That those behind were let overtake (`reordering`)."""

    datagrams_delivered: int = 0
    """Copies that came out."""

    datagrams_overtaken: int = 0
    """Of these, how many came out behind one that was sent after them: by `reordering`, or by jitter."""

    delay_total_s: float = 0.0
    """Of all that came out, as it was decided; over `datagrams_delivered` it is the mean delay."""


class Bottleneck:
    """A limited rate that several lines share."""

    __slots__ = ("free_at",)

    def __init__(self) -> None:
        self.free_at = -math.inf
        """When the last bit of what was sent will have passed."""


class Line:
    """Decides, datagram by datagram, when each copy comes out.

    Every datagram takes the same number of draws whatever becomes of it, so the same datagrams and seed give the same fates,
    and a change of conditions changes what is asked and nothing else.
    """

    def __init__(
        self,
        conditions: Conditions,
        draw: Draw,
        *,
        began_at: float = 0.0,
        bottleneck: Bottleneck | None = None,
        beside: "Line | None" = None,
    ) -> None:
        """Begin.

        Args:
            conditions: How bad it is.
            draw: Chance, this line's own.
            began_at: From when on outages and traces count, in the caller's seconds.
            bottleneck: The rate that it shares with others; None: one of its own.
            beside: A line of the same way that has the good and bad times, and where those are counted in datagrams it is its own that count; None:
                this one. So the n-th of them has one fate however many there are beside them, and what goes beside them in a bad time is lost like them.

        """
        self.counters = LineCounters()
        self._draw = draw
        self._bottleneck = bottleneck or Bottleneck()
        self._beside = beside
        self._last_due_at = -math.inf
        self.change(conditions, began_at)

    @property
    def conditions(self) -> Conditions:
        """How bad it is now."""
        return self._conditions

    def loss_share_at(self, now: float) -> float:
        """Which share of what goes beside is lost by chance at that moment, 0 to 1."""
        return self._chain.share_at(max(now - self._began_at, 0.0))

    def change(self, conditions: Conditions, now: float) -> None:
        """Be like this from now on: outages and traces count from here. What is under way stays as it was decided."""
        self._conditions = conditions
        self._began_at = now
        self._numbered = 0
        self._chain = loss_chain(conditions)

    def count_from(self, moment: float) -> None:
        """Let outages and traces count from there, as if these conditions had begun then; chances go on."""
        self._began_at = moment

    def fate(self, now: float, size_bytes: int) -> tuple[Copy, ...]:
        """Return the copies that come out of one datagram, earliest first; empty when it is lost."""
        c = self._conditions
        draw = self._draw
        step, chance, reorder, twice, corrupt, wrong_at = draw(), draw(), draw(), draw(), draw(), draw()
        spreads_ms = self._spread_ms(draw(), draw()), self._spread_ms(draw(), draw())
        counters = self.counters
        counters.datagrams += 1
        number = self._numbered
        self._numbered += 1
        beside = self._beside
        elapsed_s = max(now - self._began_at, 0.0)
        lost = (
            self._chain.loses(step, chance, elapsed_s)
            if beside is None
            else chance < beside.loss_share_at(now)
        )
        if self._in_outage(elapsed_s):
            counters.datagrams_lost_in_outages += 1
            return ()
        traced_ms = 0.0 if c.trace is None else c.trace.at(number, elapsed_s)
        if lost or traced_ms is None:
            counters.datagrams_lost += 1
            return ()
        sent_at = self._through_bottleneck(now, size_bytes)
        if sent_at is None:
            counters.datagrams_dropped += 1
            return ()
        due_at = [
            sent_at + min(max(c.delay_ms + s, 0.0) + traced_ms, MOST_DELAY_MS) / 1000 for s in spreads_ms
        ]
        if c.keep_order:
            due_at = [max(due, self._last_due_at) for due in due_at]
        if reorder < c.reordering:
            counters.datagrams_held_back += 1
            due_at = [due + c.reorder_by_ms / 1000 for due in due_at]
        else:
            self._last_due_at = max(self._last_due_at, due_at[0])
        if c.outages:
            due_at = [self._behind_freezes(due) for due in due_at]
        first = Copy(due_at[0])
        if corrupt < c.corruption:
            counters.datagrams_corrupted += 1
            first = Copy(due_at[0], wrong_at)
        if twice >= c.duplication:
            return (first,)
        counters.datagrams_duplicated += 1
        second = Copy(due_at[1])
        return (first, second) if first.due_at <= second.due_at else (second, first)

    def _spread_ms(self, one: float, other: float) -> float:
        c = self._conditions
        if not c.jitter_ms:
            return 0.0
        if c.jitter_shape == "pareto":
            late = math.pow(1 - one, -1 / _PARETO_SHAPE)
            return c.jitter_ms * (late - _PARETO_MEAN) / _PARETO_DEVIATION
        # Box and Muller, 1958.
        return c.jitter_ms * math.sqrt(-2 * math.log(1 - one)) * math.cos(math.tau * other)

    def _in_outage(self, elapsed_s: float) -> bool:
        return any(
            outage.start_s <= elapsed_s < outage.start_s + outage.length_s
            for outage in self._conditions.outages
            if not outage.held
        )

    def _behind_freezes(self, due_at: float) -> float:
        for outage in self._conditions.outages:
            start_at = self._began_at + outage.start_s
            if outage.held and start_at <= due_at < start_at + outage.length_s:
                due_at = start_at + outage.length_s
        return due_at

    def _through_bottleneck(self, now: float, size_bytes: int) -> float | None:
        """Return when the last bit has passed; None when the queue is full."""
        c = self._conditions
        if c.rate_kbps is None:
            return now
        begins_at = max(now, self._bottleneck.free_at)
        if begins_at - now > c.queue_ms / 1000:
            return None
        self._bottleneck.free_at = begins_at + size_bytes * 8 / (c.rate_kbps * 1000)
        return self._bottleneck.free_at


def with_wrong_bit(datagram: bytes, wrong_at: float) -> bytes:
    """The datagram with a bit flipped at that part of it, 0 to 1."""
    bit = int(wrong_at * len(datagram) * 8)
    changed = bytearray(datagram)
    changed[bit // 8] ^= 0x80 >> bit % 8
    return bytes(changed)
