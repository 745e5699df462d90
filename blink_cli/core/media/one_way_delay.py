"""How long each direction of a link takes, and how far that can be known.

    our message  T1 ------> T2  theirs           round trip = (T4 - T1) - (T3 - T2)
    their echo   T4 <------ T3                   T1, T4 by our clock, T2, T3 by theirs

The round trip needs one clock. One direction needs two that agree, and messages cannot tell by how much they differ: a path of 40 ms there
and 5 ms back looks as one of 22.5 ms each with clocks 17.5 ms apart (RFC 5905 takes half the round trip, which is then the error). So a
figure is given where something else says that the clocks agree:

    same clock            both ends read the monotonic clock of one machine
    synchronised clocks   both systems say that their wall clocks are synchronised, and by how much they may be wrong: less than half of
                          the round trip, or it says nothing

and none elsewhere. The difference of the wall clocks is told always, with half of the round trip as its error where nothing is better.
"""

import statistics
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Final

import msgspec

from blink_cli.core.media.clock_message import NO_IDENTITY, ClockMessage, Method

SAMPLES: Final = 5
"""A figure is the median of so many, some five seconds: one message that waited behind others does not move it."""

FORGOTTEN_S: Final = 15.0
"""Older ones are not how it is now."""

SAME_CLOCK_ERROR_S: Final = 0.0005
"""Between reading the clock and the datagram's departure, and in the kernel's stamp of its arrival."""

DRIFT: Final = 1e-4
"""By how much two clocks part, at most: 100 millionths."""

MOST_REMEMBERED: Final = 16
"""Messages of ours whose echo still tells something."""

_NS: Final = 1_000_000_000


class MachineClock(msgspec.Struct, frozen=True):
    """The clocks of this machine, as they stand now."""

    wall_offset_s: float
    """The wall clock less the monotonic clock."""

    max_error_s: float | None
    """By how much the system says that its wall clock is wrong at most; None where it is not synchronised, or does not say."""

    identity: bytes = NO_IDENTITY
    """Eight bytes for whoever reads the same monotonic clock and has the same two ends; zeros where that cannot be known."""


class OneWayDelay(msgspec.Struct, frozen=True):
    """Both directions of a link. A figure that cannot be known is None."""

    incoming_s: float | None = None
    """From the peer to this session."""

    outgoing_s: float | None = None
    error_s: float | None = None
    """By how much each of the two is wrong at most, one up and the other down."""

    method: Method | None = None
    clock_ahead_s: float | None = None
    """By how much the peer's wall clock is ahead of this one."""

    clock_error_s: float | None = None
    why: str | None = "the peer has not told its clock yet"
    """Why there are no delays."""


class _Sample(msgspec.Struct, frozen=True, gc=False):
    at_s: float
    incoming_s: float
    """As the monotonic clocks say, which may have nothing to do with each other."""

    outgoing_s: float | None
    wall_difference_s: float
    """The peer's wall clock less its monotonic clock, less ours likewise."""

    @property
    def round_trip_s(self) -> float | None:
        return None if self.outgoing_s is None else self.incoming_s + self.outgoing_s


class ClockExchange:
    """Of one link: writes our messages, reads the peer's. Pure; belongs to the event loop."""

    def __init__(self, read_clock: Callable[[], MachineClock]) -> None:
        """Know nothing yet. `read_clock` tells how this machine's clocks stand."""
        self._read_clock = read_clock
        self._sent: OrderedDict[int, float] = OrderedDict()
        self._last: tuple[int, int] = (0, 0)
        self._samples: deque[_Sample] = deque(maxlen=SAMPLES)
        self._peer: ClockMessage | None = None
        self._own: MachineClock | None = None
        self._best: tuple[float, float, float] | None = None
        """Of all round trips the one that says most of the wall clocks: their difference, its error, and when that was."""

    def message(self, now_s: float) -> ClockMessage:
        """What to send at this moment (monotonic)."""
        own = self._own = self._read_clock()
        sent_ns = round(now_s * _NS)
        self._sent[sent_ns] = now_s
        if len(self._sent) > MOST_REMEMBERED:
            self._sent.popitem(last=False)
        return ClockMessage(
            sent_ns,
            round(own.wall_offset_s * _NS),
            None if own.max_error_s is None else round(own.max_error_s * 1e6),
            *self._last,
            own.identity,
        )

    def received(self, message: ClockMessage, arrival_s: float) -> None:
        """Take the peer's message, which arrived then (monotonic)."""
        own = self._own = self._own or self._read_clock()
        self._last = (message.sent_ns, round(arrival_s * _NS))
        self._peer = message
        # Each echo counts once: the same one comes again while messages of ours are lost.
        ours_s = self._sent.pop(message.echoed_ns, None)
        sample = _Sample(
            arrival_s,
            arrival_s - message.sent_ns / _NS,
            None if ours_s is None else message.echo_arrived_ns / _NS - ours_s,
            message.wall_offset_ns / _NS - own.wall_offset_s,
        )
        self._samples.append(sample)
        if sample.outgoing_s is not None and sample.round_trip_s is not None and sample.round_trip_s >= 0:
            ahead_s = (sample.outgoing_s - sample.incoming_s) / 2 + sample.wall_difference_s
            error_s = sample.round_trip_s / 2
            if self._best is None or error_s <= self._error_now_s(arrival_s):
                self._best = ahead_s, error_s, arrival_s

    def delay(self, now_s: float) -> OneWayDelay:
        """How long each direction takes now."""
        samples = [one for one in self._samples if now_s - one.at_s < FORGOTTEN_S]
        peer, own = self._peer, self._own
        if not samples or peer is None or own is None:
            return OneWayDelay()
        ahead_s = None if self._best is None else self._best[0]
        clock_error_s = None if self._best is None else self._error_now_s(now_s)
        if peer.identity == own.identity != NO_IDENTITY:
            return _figures(
                samples,
                "same_clock",
                SAME_CLOCK_ERROR_S,
                ahead_s=samples[-1].wall_difference_s,
                clock_error_s=SAME_CLOCK_ERROR_S,
            )
        why = _why_not(peer, own, self._shortest_s(samples))
        if why is None:
            assert peer.max_error_us is not None
            assert own.max_error_s is not None
            error_s = peer.max_error_us / 1e6 + own.max_error_s
            found = _figures(
                samples, "synchronised_clocks", error_s, ahead_s=ahead_s, clock_error_s=clock_error_s
            )
            if min(found.incoming_s or 0.0, found.outgoing_s or 0.0) >= -error_s:
                return found
            why = "the clocks are further apart than both systems say"
        return OneWayDelay(clock_ahead_s=ahead_s, clock_error_s=clock_error_s, why=why)

    def _error_now_s(self, now_s: float) -> float:
        assert self._best is not None
        _, error_s, at_s = self._best
        return error_s + DRIFT * (now_s - at_s)

    @staticmethod
    def _shortest_s(samples: list[_Sample]) -> float | None:
        return min((one.round_trip_s for one in samples if one.round_trip_s is not None), default=None)


def _figures(
    samples: list[_Sample],
    method: Method,
    error_s: float,
    *,
    ahead_s: float | None,
    clock_error_s: float | None,
) -> OneWayDelay:
    """The medians, by monotonic clocks that are one, or by the wall clocks."""
    apart = [0.0 if method == "same_clock" else one.wall_difference_s for one in samples]
    incoming = [one.incoming_s - wall_s for one, wall_s in zip(samples, apart, strict=True)]
    outgoing = [
        one.outgoing_s + wall_s
        for one, wall_s in zip(samples, apart, strict=True)
        if one.outgoing_s is not None
    ]
    return OneWayDelay(
        incoming_s=statistics.median(incoming),
        outgoing_s=statistics.median(outgoing) if outgoing else None,
        error_s=error_s,
        method=method,
        clock_ahead_s=ahead_s,
        clock_error_s=clock_error_s,
        why=None,
    )


def _why_not(peer: ClockMessage, own: MachineClock, round_trip_s: float | None) -> str | None:
    """Why the wall clocks say nothing of one direction; None: they do."""
    unsure = [
        whose
        for whose, error in (("this machine's", own.max_error_s), ("the peer's", peer.max_error_us))
        if error is None
    ]
    if unsure:
        return f"{' and '.join(unsure)} clock is not synchronised"
    if round_trip_s is None:
        return "no message has come back yet"
    if own.max_error_s is not None and peer.max_error_us is not None:
        error_s = own.max_error_s + peer.max_error_us / 1e6
        if error_s >= round_trip_s / 2:
            return f"the clocks may be {1000 * error_s:.1f} ms apart, which is no less than half of the round trip"
    return None
