# ruff: noqa: SLF001 - zeroconf's private corner is here, and nowhere else
"""Stands before zeroconf: what of all that is multicast to port 5353 it is given, and how much it keeps.

    every datagram   --> too many? the kernel drops all but a trickle for a while (Linux)
                     --> names nothing of ours? dropped unread: printers and televisions speak here too
                     --> question? a budget of its own, since each may be answered      --> zeroconf
                     --> records? a budget by how many there are                        --> zeroconf --> its browser's schedule is kept short

zeroconf itself bounds its cache (10,000 records). It reads whatever comes, at 50 us a datagram, and its browser keeps a date for each name that
was ever claimed. In a flood sessions find each other by their greetings (core/gossip/greeting.py).
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Container
from heapq import heapify
from typing import Any, Final

from typing_extensions import override
from zeroconf import Zeroconf
from zeroconf.asyncio import AsyncServiceBrowser

from blink_cli.core.gossip.budget import TokenBucket
from blink_cli.net.host import socket_filter
from blink_cli.net.host.socket_filter import trickle

DATAGRAMS_PER_S: Final = 1_000.0
"""Looked at, for 2 us each. The busiest networks have some hundreds."""

RECORDS_PER_S: Final = 500.0
"""In datagrams that name something of ours, some 10 us each. A session that starts says five records three times."""

QUESTIONS_PER_S: Final = 20.0
"""Datagrams with questions. Who asks with a spoofed address gets no more answers than that in somebody else's name."""

SHARE: Final = 32
"""In a flood one datagram of so many is looked at."""

CLOSED_S: Final = 10.0

MAX_SCHEDULED: Final = 2_048
"""Names for which the browser keeps the time to ask again: four times as many as this session remembers."""

_OURS: Final = (b"_blink", b"blink-", b"_dns-sd")
"""A name that is spoken of stands in full at least once in a datagram: our service, a session's name, the question for all services."""

_HEADER_BYTES: Final = 12
_LEAST_RECORD_BYTES: Final = 12
_IS_RESPONSE: Final = 0x80

_log = logging.getLogger(__name__)


class MdnsGuard(asyncio.DatagramProtocol):
    """Before one of zeroconf's sockets; belongs to the event loop."""

    def __init__(self, inner: Any, descriptor: int) -> None:
        """Hand on to `inner`, zeroconf's own protocol, what comes by this socket."""
        self._inner = inner
        self._descriptor = descriptor
        self._datagrams = TokenBucket(DATAGRAMS_PER_S)
        self._records = TokenBucket(RECORDS_PER_S)
        self._questions = TokenBucket(QUESTIONS_PER_S)
        self._closed: asyncio.TimerHandle | None = None

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        """For the transport."""
        if self._closed is not None:
            self._closed.cancel()
            self._closed = None
        self._inner.connection_lost(exc)

    @override
    def error_received(self, exc: Exception) -> None:
        """For the transport."""
        self._inner.error_received(exc)

    @override
    def datagram_received(self, data: bytes, addr: Any) -> None:
        """For the transport."""
        now_s = time.monotonic()
        if not self._datagrams.take(now_s):
            self._close()
        elif self._is_worth_reading(data, now_s):
            self._inner.datagram_received(data, addr)

    def _is_worth_reading(self, data: bytes, now_s: float) -> bool:
        if len(data) < _HEADER_BYTES:
            return False
        lower = data.lower()
        if not any(name in lower for name in _OURS):
            return False
        if not data[2] & _IS_RESPONSE:
            return self._questions.take(now_s)
        if not self._records.has_token(now_s):
            return False
        for count_at in (6, 8, 10):  # answers, authorities, additional records
            said = int.from_bytes(data[count_at : count_at + 2], "big")
            for _ in range(min(said, len(data) // _LEAST_RECORD_BYTES)):
                self._records.spend()
        return True

    def _close(self) -> None:
        if self._closed is not None or not socket_filter.is_available():
            return
        try:
            socket_filter.attach(self._descriptor, trickle(SHARE))
        except OSError as reason:
            _log.debug("the system does not filter multicast DNS: %s", reason)
        else:
            self._closed = asyncio.get_running_loop().call_later(CLOSED_S, self._open)

    def _open(self) -> None:
        self._closed = None
        with contextlib.suppress(OSError):  # the socket is gone
            socket_filter.detach(self._descriptor)


def guard(zeroconf: Zeroconf) -> None:
    """Stand before every socket of one that has started."""
    for reader in zeroconf.engine.readers:
        transport: Any = reader.transport
        transport.set_protocol(MdnsGuard(transport.get_protocol(), reader.fileno))


def shorten_schedule(browser: AsyncServiceBrowser, known: Container[str]) -> None:
    """When the browser plans to ask for too many names again, leave those in its plan that are known here."""
    scheduler = browser.query_scheduler
    planned = scheduler._next_scheduled_for_alias
    if len(planned) <= MAX_SCHEDULED:
        return
    for alias in [alias for alias in planned if alias not in known]:
        planned.pop(alias).cancelled = True
    scheduler._query_heap = [query for query in scheduler._query_heap if not query.cancelled]
    heapify(scheduler._query_heap)
