"""Reads a UDP socket without letting whoever floods it have the event loop.

At most a batch is read per turn of the loop, so that audio waits for no more than a fraction of a millisecond; and
when more comes in a second than any call needs, the socket is left alone for some milliseconds at a time, while the
kernel drops what does not fit its buffer. Dropping there costs this process nothing.
"""

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from blink_cli.core.gossip.datagram import MAX_DATAGRAM_BYTES
from blink_cli.core.gossip.paths import Address


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast one socket is read."""

    batch: int = 16
    """Datagrams per turn of the event loop: about 0.2 ms of work when all are garbage."""

    per_s: float = 2_000.0
    """Datagrams a second in the long run. Twelve sessions that all dial each other at once make some hundreds."""

    burst: float = 400.0
    """Datagrams at once, after silence."""

    pause_s: float = 0.02
    """Left alone for so long when the budget is used up."""


_DEFAULT_PACE: Final = Pace()


class PacedReader:
    """Calls back for each datagram of a bound, non-blocking socket, which it closes in the end."""

    def __init__(
        self,
        sock: socket.socket,
        deliver: Callable[[bytes, Address], None],
        *,
        pace: Pace = _DEFAULT_PACE,
    ) -> None:
        """Begin to read, on the running event loop.

        Args:
            sock: IPv4, UDP. Owned from now on.
            deliver: Gets each datagram, cut at one byte more than is allowed, and its source. Must not raise.
            pace: How fast.

        """
        self._socket = sock
        self._deliver = deliver
        self._pace = pace
        self._tokens = pace.burst
        self._loop = asyncio.get_running_loop()
        self._filled_s = self._loop.time()
        self._resume: asyncio.TimerHandle | None = None
        self.pauses = 0
        """Times that the budget was used up: somebody floods."""

        self.failures = 0
        """Errors of the operating system while reading."""

        self._loop.add_reader(sock, self._readable)

    def _readable(self) -> None:
        now_s = self._loop.time()
        pace = self._pace
        self._tokens = min(pace.burst, self._tokens + (now_s - self._filled_s) * pace.per_s)
        self._filled_s = now_s
        for _ in range(min(pace.batch, int(self._tokens))):
            try:
                datagram, source = self._socket.recvfrom(MAX_DATAGRAM_BYTES + 1)
            except BlockingIOError:
                return
            except OSError:
                # A late ICMP error, or the interface going down: of one datagram, not of the socket.
                self.failures += 1
                return
            self._tokens -= 1.0
            self._deliver(datagram, source)
            if self._socket.fileno() < 0:
                return  # closed by what was delivered
        if self._tokens < 1.0:
            self.pauses += 1
            self._loop.remove_reader(self._socket)
            self._resume = self._loop.call_later(pace.pause_s, self._go_on)

    def _go_on(self) -> None:
        self._resume = None
        self._loop.add_reader(self._socket, self._readable)

    def close(self) -> None:
        """Stop, and close the socket. Safe to call twice."""
        if self._socket.fileno() < 0:
            return
        if self._resume is not None:
            self._resume.cancel()
            self._resume = None
        else:
            self._loop.remove_reader(self._socket)
        self._socket.close()
