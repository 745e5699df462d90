"""One candidate's socket: aioice's, whose unanswered checks are repeated sooner, and which says when the system refuses to send.

A part of the seam to aioice; see docs/rtp_seam.md.
"""

import asyncio
import functools
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Final, cast

from aioice.ice import Connection, StunProtocol
from aioice.stun import Class, Message
from aioice.turn import TurnTransport
from typing_extensions import override

from blink_cli.net.handed_on import handed_on
from blink_cli.net.ice.turn_relay import RelayTransport, give_back_relay
from blink_cli.net.link_impairment import LinkImpairment

COPIES_AFTER_S: Final = (
    0.05,
    0.1,
    0.16,
    0.25,
    0.8,
    1.1,
    2.0,
    2.5,
    3.0,
    4.0,
    4.5,
    5.0,
    5.5,
    6.0,
    6.5,
    7.0,
    8.0,
    8.5,
    9.0,
)
"""When an unanswered check is said again, besides aioice's own repetitions after 0.5, 1.5, 3.5 and 7.5 s: with 30 % loss a check and its
answer both arrive only every second time. RFC 8445, section 14.3, asks for 0.5 s, for the sake of servers; browsers wait 0.05 s. Later ones are
for the first words between two machines of one network: while ARP's questions are lost, which it asks once a second, nothing at all goes out."""

SOON: Final = 4
"""So many of them say a check again whose way has just opened."""

MAX_REMEMBERED: Final = 256
"""Checks whose copies were arranged; each pair of addresses has one under way."""


class StunSocket(StunProtocol):
    """Belongs to one `IceConnection`, and to its event loop."""

    def __init__(
        self,
        connection: Connection,
        impairment: LinkImpairment,
        on_refused: Callable[[StunProtocol, Exception], None],
    ) -> None:
        """Of this connection; asyncio gives it its transport.

        Args:
            connection: Whose candidate it is.
            impairment: What is done on purpose to what goes to the peer.
            on_refused: Told that the system did not send or deliver a datagram, and why.

        """
        super().__init__(connection)
        self.is_gathered = False
        """Whether servers have been asked, whom nobody asks more often than aioice does: what goes out now is for the peer."""

        self.is_closed = False
        """Whether it is given back, or lost."""

        self._impairment = impairment
        self._on_refused = on_refused
        self._arranged: OrderedDict[bytes, tuple[Message, tuple[str, int]]] = OrderedDict()
        self._round_trips_s: OrderedDict[tuple[str, int], float] = OrderedDict()

    def round_trip_s(self, address: tuple[str, int]) -> float | None:
        """How long the last check of this address took; None where none was answered before it was said again: nobody knows which question that answered."""
        return self._round_trips_s.get(address)

    @override
    async def request(
        self,
        request: Message,
        addr: tuple[str, int],
        integrity_key: bytes | None = None,
        retransmissions: int | None = None,
    ) -> tuple[Message, tuple[str, int]]:
        began_s = time.monotonic()
        answer = await super().request(request, addr, integrity_key, retransmissions)
        took_s = time.monotonic() - began_s
        if self.is_gathered and took_s < COPIES_AFTER_S[0]:
            self._round_trips_s[addr] = took_s
            if len(self._round_trips_s) > MAX_REMEMBERED:
                self._round_trips_s.popitem(last=False)
        return answer

    @override
    def connection_made(self, transport: asyncio.BaseTransport | TurnTransport) -> None:
        if isinstance(transport, TurnTransport):
            transport = cast("asyncio.DatagramTransport", RelayTransport(transport))
        super().connection_made(transport)

    @override
    async def send_data(self, data: bytes, addr: tuple[str, int]) -> None:
        outgoing = self._impairment.outgoing
        if outgoing is None:
            await super().send_data(data, addr)
        else:
            outgoing.put(data, time.monotonic(), self.let_out(addr))

    @override
    def send_stun(self, message: Message, addr: tuple[str, int]) -> None:
        self._send_stun(message, addr)
        if not self.is_gathered:
            return
        with handed_on():
            if message.message_class is Class.REQUEST and message.transaction_id not in self._arranged:
                if len(self._arranged) >= MAX_REMEMBERED:
                    self._arranged.popitem(last=False)
                self._arranged[message.transaction_id] = message, addr
                self._arrange(COPIES_AFTER_S, message, addr)

    def say_again(self, address: tuple[str, int]) -> None:
        """Repeat what is asked of this address and not answered yet, now and soon: it may be heard there only since now.

        It stays one question, so that an answer on its way to what was said before counts.
        """
        for message, asked in tuple(self._arranged.values()):
            if asked == address and message.transaction_id in self.transactions:
                self._send_again(message, address)
                self._arrange(COPIES_AFTER_S[:SOON], message, address)

    def _arrange(self, copies_after_s: tuple[float, ...], message: Message, address: tuple[str, int]) -> None:
        loop = asyncio.get_running_loop()
        for after_s in copies_after_s:
            loop.call_later(after_s, self._send_again, message, address)

    def _send_again(self, message: Message, address: tuple[str, int]) -> None:
        if message.transaction_id in self.transactions:
            self._send_stun(message, address)

    def _send_stun(self, message: Message, address: tuple[str, int]) -> None:
        outgoing = self._impairment.outgoing
        if outgoing is None or not self.is_gathered:
            super().send_stun(message, address)
        else:
            outgoing.put(bytes(message), time.monotonic(), self.let_out(address))

    def let_out(self, address: tuple[str, int]) -> Callable[[bytes, float], None]:
        """Return what sends a datagram to this address that has been on its way for a while."""
        return functools.partial(self._let_out, address)

    def _let_out(self, address: tuple[str, int], datagram: bytes, due_at: float) -> None:
        del due_at  # when it goes out is measured by whoever hears it
        if not self.is_closed:
            self.transport.sendto(datagram, address)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self.is_closed = True
        super().connection_lost(exc)

    @override
    def error_received(self, exc: Exception) -> None:
        self._on_refused(self, exc)

    @override
    async def close(self) -> None:
        self.is_closed = True
        relay: Any = self.transport
        if isinstance(relay, TurnTransport):
            give_back_relay(relay)
        await super().close()
