"""Says the last flight of a DTLS handshake again, soon, until the next one is due.

OpenSSL waits a second before it repeats a lost flight, then two, then four: made for modems. Where every third datagram
is lost the four flights of a handshake then take longer than anybody waits. RFC 9147, section 5.8.2, lets applications that
know their network use a shorter timer; OpenSSL's cannot be set through Python, so its datagrams are kept here and sent
again as they were. A copy of one that arrived is dropped there by DTLS's own protection against replays.
"""

import asyncio
from collections.abc import Callable
from typing import Final

COPIES_AFTER_S: Final = (0.05, 0.1, 0.2, 0.35, 0.55, 0.8, 1.2, 1.7, 2.4)
"""After a flight was said first. The first two come before the answer of somebody far away, and cost a few hundred bytes once; of a
thousand datagrams under 30 % loss, all but one are through after five of them."""

MAX_KEPT_DATAGRAMS: Final = 16
"""A flight has one to four. Of a longer one the first are repeated, the rest is left to OpenSSL's timer."""


class DtlsRetransmitter:
    """The copies of one handshake. Belongs to the event loop; `close` it with its transport."""

    def __init__(self, send: Callable[[bytes], None]) -> None:
        """Have nothing to say yet.

        Args:
            send: Takes a datagram that was said before. Must not raise.

        """
        self._send = send
        self._flight: list[bytes] = []
        self._answered = True
        self._finished = False
        self._timers: list[asyncio.TimerHandle] = []

    def said(self, datagram: bytes) -> None:
        """A datagram of the handshake went out: with it begins a flight, or it belongs to the present one."""
        if self._finished:
            return
        if self._answered:
            self._answered = False
            self._stop()
            self._flight = []
            loop = asyncio.get_running_loop()
            self._timers = [loop.call_later(after_s, self._repeat) for after_s in COPIES_AFTER_S]
        if len(self._flight) < MAX_KEPT_DATAGRAMS:
            self._flight.append(datagram)

    def heard(self) -> None:
        """A datagram of the other side's handshake came in: what is said from now on is another flight.

        The present one is repeated until then, because what came may be a repetition that asks for it.
        """
        self._answered = True

    def finish(self) -> None:
        """Our half of the handshake is done: nothing new is kept. What was said last has no answer, and so is repeated to the end."""
        self._finished = True

    def close(self) -> None:
        """Say nothing any more. Safe to call twice."""
        self._finished = True
        self._stop()

    def _repeat(self) -> None:
        for datagram in self._flight:
            self._send(datagram)

    def _stop(self) -> None:
        for timer in self._timers:
            timer.cancel()
        self._timers = []
