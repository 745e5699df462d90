"""Several sessions of one process on one socket: who hears what."""

from collections.abc import AsyncIterator

import pytest_asyncio

from blink_cli.core.gossip.datagram import write_datagrams
from blink_cli.core.gossip.neighbours import NEIGHBOUR_TOPIC
from blink_cli.core.signaling.sender_class import SenderClass
from blink_cli.core.signaling.topics import Topic
from blink_cli.net.signaling.shared_transport import SharedTransport, TransportShare
from blink_cli.net.signaling.udp_transport import UdpTransport
from tests.net.gossip_parts import LOOPBACK, Listener, some_group

CALL, TO_A, TO_B, ELSEWHERE = (Topic(bytes([number]) * 16) for number in range(1, 5))


def _datagram(topic: Topic, text: bytes) -> bytes:
    (datagram,) = write_datagrams(topic, text.ljust(16, b"."), [b"sealed"], ttl=4, attempt=0)
    return datagram


class Ends:
    """Two shares of one socket, and a session elsewhere on the network."""

    def __init__(self, shared: SharedTransport, socket: UdpTransport, outside: UdpTransport) -> None:
        self.port = socket.port
        self.outside = outside
        self.a, self.b = shared.share(), shared.share()
        self.heard_a, self.heard_b, self.heard_outside = Listener(), Listener(), Listener()

    async def start(self) -> None:
        await self.outside.start(self.heard_outside)
        await self.a.start(self.heard_a)
        await self.b.start(self.heard_b)
        self.a.topics_changed({CALL: SenderClass.INVITED, TO_A: SenderClass.STRANGER})
        self.b.topics_changed({CALL: SenderClass.INVITED, TO_B: SenderClass.STRANGER})


@pytest_asyncio.fixture
async def ends() -> AsyncIterator[Ends]:
    group = some_group()
    socket = UdpTransport(group, interfaces=LOOPBACK)
    async with SharedTransport(socket) as shared, UdpTransport(group, interfaces=LOOPBACK) as outside:
        both = Ends(shared, socket, outside)
        await both.start()
        yield both


def _say(sender: TransportShare | UdpTransport, topic: Topic, text: bytes) -> bytes:
    datagram = _datagram(topic, text)
    sender.publish(datagram, sender.paths())
    return datagram


async def _heard(listener: Listener, count: int) -> list[bytes]:
    """The next so many, and what came with them."""
    first = [(await listener.next())[0] for _ in range(count)]
    return first + [listener.datagrams.get_nowait()[0] for _ in range(listener.datagrams.qsize())]


async def test_each_hears_its_own_topics_and_a_call_is_heard_by_one_of_them(ends: Ends) -> None:
    for_a, for_b = _say(ends.outside, TO_A, b"a"), _say(ends.outside, TO_B, b"b")
    _say(ends.outside, ELSEWHERE, b"nobody")
    for_call = _say(ends.outside, CALL, b"all")
    hello = _say(ends.outside, NEIGHBOUR_TOPIC, b"hello")
    assert await _heard(ends.heard_a, 3) == [for_a, for_call, hello]
    assert await _heard(ends.heard_b, 1) == [for_b]


async def test_they_hear_each_other_once_and_never_themselves(ends: Ends) -> None:
    from_a, from_b = _say(ends.a, CALL, b"a says"), _say(ends.b, CALL, b"b says")
    direct = _say(ends.a, TO_B, b"to b")
    assert await _heard(ends.heard_outside, 3) == [from_a, from_b, direct]
    last = _say(ends.outside, TO_A, b"last")  # all that was said before would have come before
    assert await _heard(ends.heard_a, 2) == [from_b, last]
    (path,) = ends.a.paths()
    assert await ends.heard_b.next() == (from_a, path, (path.name, ends.port))
    assert await _heard(ends.heard_b, 1) == [direct]


async def test_one_that_has_closed_hears_and_says_nothing_and_the_other_goes_on(ends: Ends) -> None:
    await ends.a.aclose()
    _say(ends.a, TO_B, b"too late")
    for_call = _say(ends.outside, CALL, b"all")
    assert await _heard(ends.heard_b, 1) == [for_call]
    assert ends.heard_a.datagrams.empty()
    assert ends.heard_outside.datagrams.empty()
