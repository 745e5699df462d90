"""A TURN allocation: its channels are used as soon as they are asked for, and its end does not wait for a server that died.

aioice alone    ChannelBind -->    <-- confirmed    data -->    a round trip to the server before the first datagram to an address
here            ChannelBind, data -->                           the server takes the one after the other

Data for a channel that the server does not know is dropped there (RFC 8656, section 12.7), as any datagram may be: a bind that was lost
is said again with what is sent next, and checks and handshakes are said again anyway.

A part of the seam to aioice; see docs/rtp_seam.md.
"""

import asyncio
import struct
import time
from dataclasses import dataclass
from typing import Any, Final

from aioice.stun import Class, Message, Method, TransactionError
from aioice.turn import CHANNEL_NUMBER_MAX, TurnClientProtocol, TurnClientUdpProtocol, TurnTransport
from typing_extensions import override

from blink_cli.runtime.tasks import TaskOwner

RELAY_FAREWELL_S: Final = 0.8
"""How long a TURN server has to confirm the end of an allocation: one repetition of the request, after 0.5 s, included.
aioice would ask a dead one for 63 s. An allocation that is not given back expires by itself."""

BIND_AGAIN_S: Final = 0.04
"""An unconfirmed bind goes out with the data again, but not more often than this: less than the 0.05 s after which a check is said again."""

_CHANNEL_DATA: Final = struct.Struct("!HH")
"""Channel and length, before the data."""

Address = tuple[str, int]


@dataclass(slots=True)
class _Bind:
    """One ChannelBind without an answer yet."""

    request: Message
    said_s: float


class RelayTransport(TurnTransport):
    """Like a datagram transport, in the place of aioice's, which makes a task of each datagram and lets the first ones wait."""

    def __init__(self, opened: TurnTransport) -> None:
        """Use an allocation that was granted.

        Args:
            opened: aioice's, which is not used any further.

        """
        self._inner: TurnClientProtocol = vars(opened)["_TurnTransport__inner_protocol"]
        super().__init__(self._inner)
        self._opened = opened
        self._is_closed = False
        self._tasks = TaskOwner("relay")
        self._binds: dict[Address, _Bind] = {}
        self._repeats = isinstance(self._inner, TurnClientUdpProtocol)
        if self._repeats:
            vars(self._inner)["error_received"] = self._tell  # asyncio's own does nothing

    @property
    def own_address(self) -> str:
        """The address of this machine from which it speaks to the server."""
        address: str = self._inner.transport.get_extra_info("sockname")[0]
        return address

    @override
    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._opened.get_extra_info(name, default)

    @override
    def sendto(self, data: bytes, addr: Address) -> None:
        inner = self._inner
        if self._is_closed or inner.transport.is_closing():
            return
        channel = inner.peer_to_channel.get(addr)
        bind = self._binds.get(addr)
        if bind is None and (channel is None or time.time() > inner.channel_refresh_at[channel]):
            try:
                channel = self._bind(addr)
            except ConnectionError as failure:
                self._tell(failure)
                return
            bind = self._binds[addr]
        assert channel is not None, "a bind has a channel"
        datagram = _CHANNEL_DATA.pack(channel, len(data)) + data
        if bind is None:
            inner._send(datagram)  # noqa: SLF001 - part of the seam
        else:
            # Behind the bind, whose task begins in the loop's next round.
            asyncio.get_running_loop().call_soon(self._send_behind, bind, datagram)

    def _send_behind(self, bind: _Bind, datagram: bytes) -> None:
        inner = self._inner
        if self._is_closed or inner.transport.is_closing():
            return
        now_s = time.monotonic()
        is_unanswered = bind.request.transaction_id in inner.transactions
        if self._repeats and is_unanswered and now_s - bind.said_s >= BIND_AGAIN_S:
            bind.said_s = now_s
            inner.send_stun(bind.request, inner.server)
        inner._send(datagram)  # noqa: SLF001 - part of the seam

    def _bind(self, address: Address) -> int:
        """Begin to bind, or to refresh, the channel of an address.

        Raises:
            ConnectionError: There are no channels left.

        """
        inner = self._inner
        channel = inner.peer_to_channel.get(address)
        if channel is None:
            # The number of a bind that failed is the address's own for ever (RFC 8656, section 12).
            channel = inner.peer_to_failed_channel.pop(address, None)
        if channel is None:
            if inner.channel_number > CHANNEL_NUMBER_MAX:
                raise ConnectionError("No TURN channel number available")
            channel = inner.channel_number
            inner.channel_number += 1
        request = Message(message_method=Method.CHANNEL_BIND, message_class=Class.REQUEST)
        request.attributes["CHANNEL-NUMBER"] = channel
        request.attributes["XOR-PEER-ADDRESS"] = address
        # What comes by it is taken from now on: its first datagram may overtake the confirmation.
        inner.peer_to_channel[address] = channel
        inner.channel_to_peer[channel] = address
        inner.channel_refresh_at[channel] = time.time() + inner.channel_refresh_time
        self._binds[address] = _Bind(request, time.monotonic())
        self._tasks.start(self._confirm(address, channel, request), name="bind a channel")
        return channel

    async def _confirm(self, address: Address, channel: int, request: Message) -> None:
        inner = self._inner
        try:
            await inner.request_with_retry(request)
        except (TransactionError, OSError) as failure:
            del inner.peer_to_channel[address]
            inner.peer_to_failed_channel[address] = channel
            self._tell(failure)
        finally:
            del self._binds[address]

    def _tell(self, failure: Exception) -> None:
        if self._inner.receiver is not None:
            self._inner.receiver.error_received(failure)

    @override
    def close(self) -> None:
        self._is_closed = True
        super().close()

    @override
    async def _close(self) -> None:
        try:
            await super()._close()
        finally:
            await self._tasks.aclose()


def give_back_relay(relay: TurnTransport) -> asyncio.Task[None]:
    """End a TURN allocation, within `RELAY_FAREWELL_S` whatever the server does.

    Returns:
        aioice's own task, which ends when the socket is closed; cancelling it closes the socket at once.

    """
    relay.close()
    names: Any = vars(relay)
    closing: asyncio.Task[None] = names["_TurnTransport__close_task"]

    def give_up() -> None:
        for task in (closing, *names["_TurnTransport__send_tasks"]):
            task.cancel()

    timer = asyncio.get_running_loop().call_later(RELAY_FAREWELL_S, give_up)
    closing.add_done_callback(lambda _: timer.cancel())
    return closing
