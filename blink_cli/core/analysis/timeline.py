"""How a received stream went, second by second: what a plot shows. Reads the figures of its `StreamAnalysis`, and computes none of its own."""

from typing import Final

import msgspec

from blink_cli.core.analysis.stream_analysis import StreamAnalysis

STEP_S: Final = 1.0

LONGEST_GAP_S: Final = 300.0
"""Of seconds without a packet no more are made up: a pause can last for hours, and a damaged log says anything."""

BACK_S: Final = 10.0
"""Packets overtake each other by less: a time before that is another clock's."""


class Moment(msgspec.Struct, frozen=True):
    """One second of a stream."""

    time_s: float
    """Its end, since the first packet of the whole log."""

    jitter_ms: float
    transit_ms: float
    """How much longer the last packet was under way than the first one."""

    buffer_delay_ms: float | None
    """Mean of the frames played in it."""

    expected: int
    lost: int
    """On the way; below zero when late packets filled earlier holes."""

    recovered: int
    level_dbov: float | None
    """Mean of its packets."""


class Timeline:
    """Looks at one stream after each of its packets."""

    __slots__ = (
        "_expected",
        "_levels",
        "_lost",
        "_next_s",
        "_origin_s",
        "_recovered",
        "_sums",
        "moments",
        "stream",
    )

    def __init__(self, stream: StreamAnalysis, origin_s: float, first_s: float) -> None:
        """Follow a stream from its first packet on, in a log that began at `origin_s`."""
        self.stream = stream
        self.moments: list[Moment | None] = []
        """None: a break, of which nothing is known."""

        self._origin_s = origin_s
        self._next_s = first_s + STEP_S
        self._expected = 0
        self._lost = 0
        self._recovered = 0
        self._sums = (0.0, 0)
        self._levels: list[int] = []

    def packet(self, arrival_s: float, level_dbov: int | None) -> None:
        """Take the time and level of a packet that the stream's analysis is about to take."""
        beyond_s = arrival_s - self._next_s
        if beyond_s > LONGEST_GAP_S or beyond_s < -STEP_S - BACK_S:
            self._close(self._next_s)
            self.moments.append(None)
            self._next_s = arrival_s + STEP_S
        while arrival_s >= self._next_s:
            self._close(self._next_s)
            self._next_s += STEP_S
        if level_dbov is not None:
            self._levels.append(level_dbov)

    def _close(self, at_s: float) -> None:
        stream = self.stream
        counts = stream.statistics
        delay_s, delays = stream.delay_sums()
        new_delays = delays - self._sums[1]
        recovered = stream.recovered
        self.moments.append(
            Moment(
                time_s=at_s - self._origin_s,
                jitter_ms=1000 * counts.jitter_s,
                transit_ms=1000 * stream.skew_s,
                buffer_delay_ms=1000 * (delay_s - self._sums[0]) / new_delays if new_delays else None,
                expected=counts.packets_expected - self._expected,
                lost=counts.packets_lost - self._lost,
                recovered=recovered - self._recovered,
                level_dbov=sum(self._levels) / len(self._levels) if self._levels else None,
            )
        )
        self._expected, self._lost = counts.packets_expected, counts.packets_lost
        self._recovered = recovered
        self._sums = delay_s, delays
        self._levels = []
