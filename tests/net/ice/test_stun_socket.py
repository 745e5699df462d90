"""A check whose way has just opened is said again as the same question, so that an answer that is on its way still counts."""

import asyncio
from typing import Any, cast

import pytest
from aioice.stun import Class, Message, Method
from typing_extensions import override

from blink_cli.net.ice.stun_socket import StunSocket
from blink_cli.net.link_impairment import LinkImpairment

pytestmark = pytest.mark.no_clock

PEER, OTHER = ("192.0.2.7", 7), ("192.0.2.8", 8)


class _Wire(asyncio.DatagramTransport):
    def __init__(self) -> None:
        self.sent: list[tuple[bytes, Any]] = []

    @override
    def sendto(self, data: Any, addr: Any = None) -> None:
        self.sent.append((bytes(data), addr))


async def test_it_is_said_again_as_it_was_until_it_is_answered() -> None:
    socket = StunSocket(cast("Any", None), LinkImpairment(), lambda *_: None)
    wire = _Wire()
    socket.connection_made(wire)
    socket.is_gathered = True
    questions = [Message(Method.BINDING, Class.REQUEST) for _ in range(2)]
    asking = [
        asyncio.get_running_loop().create_task(socket.request(question, address))
        for question, address in zip(questions, (PEER, OTHER), strict=True)
    ]
    await asyncio.sleep(0)
    first = (bytes(questions[0]), PEER)
    assert wire.sent == [first, (bytes(questions[1]), OTHER)]
    socket.say_again(PEER)
    assert wire.sent[2:] == [first]
    answer = Message(Method.BINDING, Class.RESPONSE, questions[0].transaction_id)
    socket.datagram_received(bytes(answer), PEER)
    assert (await asking[0])[1] == PEER
    socket.say_again(PEER)
    assert len(wire.sent) == 3
    asking[1].cancel()
    await asyncio.wait((asking[1],))
