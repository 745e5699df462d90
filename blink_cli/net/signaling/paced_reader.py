"""Reads a UDP socket without letting whoever floods it have the event loop.

At most a batch is read per turn of the loop, so that audio waits for no more than a fraction of a millisecond; and
when more comes in a second than any call needs, the socket is left alone for some milliseconds at a time, while the
kernel drops what does not fit its buffer. Dropping there costs this process nothing. What is expected is let through all
the same (net/signaling/topic_filter.py).
"""

import asyncio
import socket
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from blink_cli.core.gossip.datagram import MAX_DATAGRAM_BYTES
from blink_cli.net.host.arrival import ArrivalClock
from blink_cli.net.signaling.topic_filter import LOOK_S, TopicFilter


class Pace(msgspec.Struct, frozen=True):
    """How fast one socket is read."""

    batch: int = 16
    """Datagrams per turn of the event loop: about 0.2 ms of work when all are garbage."""

    per_s: float = 2_000.0
    """Datagrams a second in the long run. Twelve sessions that all dial each other at once make some hundreds."""

    burst: float = 1_500.0
    """Datagrams at once, after silence. Whoever offers a call to sixty-three others says a thousand in half a second, and all on the network hear them; what
    strangers then answer is wanted."""

    pause_s: float = 0.02
    """Left alone for so long when the budget is used up, or woken too often."""

    wake_ups: float = 20.0
    """At once, after silence: two that dial each other answer without delay."""

    wake_ups_per_s: float = 20.0
    """In the long run, for as long as all that has come is read each time."""


LOOKED_AT: Final = 0.04
"""What a datagram costs of the budget that is read and dropped at once: 4 us in place of some 50 to 100."""

_DEFAULT_PACE: Final = Pace()


class PacedReader:
    """Calls back for each datagram of a bound, non-blocking socket, which it closes in the end."""

    def __init__(
        self,
        sock: socket.socket,
        deliver: Callable[[bytes, Any, float], None],
        *,
        pace: Pace = _DEFAULT_PACE,
        expected_topics: Callable[[], Sequence[bytes]] = tuple,
    ) -> None:
        """Begin to read, on the running event loop.

        Args:
            sock: UDP, of either family. Owned from now on.
            deliver: Gets each datagram, cut at one byte more than is allowed, its source as `recvfrom` returns it, and its monotonic
                arrival. Must not raise.
            pace: How fast.
            expected_topics: Tells the topics that pass in a flood, the most important first.

        """
        self._socket = sock
        self._deliver = deliver
        self._pace = pace
        self._tokens = pace.burst
        self._wake_ups = pace.wake_ups
        self._arrivals = ArrivalClock(sock.fileno())
        self._loop = asyncio.get_running_loop()
        self._filled_s = self._loop.time()
        self._resume: asyncio.TimerHandle | None = None
        self._filter = TopicFilter(sock.fileno(), expected_topics)
        self._look: asyncio.TimerHandle | None = None
        self.pauses = 0
        """Times that the budget was used up: somebody floods."""

        self.failures = 0
        """Errors of the operating system while reading."""

        self._loop.add_reader(sock, self._readable)

    def _readable(self) -> None:
        now_s = self._loop.time()
        pace, passed_s = self._pace, now_s - self._filled_s
        self._tokens = min(pace.burst, self._tokens + passed_s * pace.per_s)
        self._wake_ups = max(0.0, min(pace.wake_ups, self._wake_ups + passed_s * pace.wake_ups_per_s) - 1.0)
        self._filled_s = now_s
        is_empty = self._read()
        if self._socket.fileno() < 0:
            return  # closed by what was delivered
        if self._tokens < 1.0:
            self.pauses += 1
            self._flooded(now_s)
        elif not is_empty or self._wake_ups >= 1.0:
            return
        self._loop.remove_reader(self._socket)
        self._resume = self._loop.call_later(pace.pause_s, self._go_on)

    def _read(self) -> bool:
        """Read one batch. Returns whether that was all."""
        for _ in range(min(self._pace.batch, int(self._tokens))):
            try:
                datagram, source = self._socket.recvfrom(MAX_DATAGRAM_BYTES + 1)
            except BlockingIOError:
                self._filter.emptied()
                return True
            except OSError:
                # A late ICMP error, or the interface going down: of one datagram, not of the socket.
                self.failures += 1
                return False
            if self._filter.is_closed and not self._filter.passes(datagram):
                self._tokens -= LOOKED_AT
                continue
            self._tokens -= 1.0
            self._deliver(datagram, source, self._arrivals.now_s())
            if self._socket.fileno() < 0:
                return False
        return False

    def _flooded(self, now_s: float) -> None:
        self._filter.flooded(now_s)
        if self._look is None:
            self._look = self._loop.call_later(LOOK_S, self._look_at_filter)

    def _look_at_filter(self) -> None:
        self._filter.look(self._loop.time())
        self._look = self._loop.call_later(LOOK_S, self._look_at_filter) if self._filter.is_closed else None

    def _go_on(self) -> None:
        self._resume = None
        self._loop.add_reader(self._socket, self._readable)

    def close(self) -> None:
        """Stop, and close the socket. Safe to call twice."""
        if self._socket.fileno() < 0:
            return
        if self._look is not None:
            self._look.cancel()
            self._look = None
        if self._resume is not None:
            self._resume.cancel()
            self._resume = None
        else:
            self._loop.remove_reader(self._socket)
        self._socket.close()
