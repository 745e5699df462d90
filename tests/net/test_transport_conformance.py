"""What every transport promises, asked of every implementation."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Protocol

import pytest

from blink_cli.core.gossip import Address, Path, PathKind, unicast_path
from blink_cli.net.memory_transport import MemoryNetwork, MemoryTransport
from blink_cli.net.transport import Transport
from blink_cli.net.udp_transport import UdpTransport
from tests.net.gossip_parts import LOOPBACK, Listener, some_group


class Maker(Protocol):
    """Makes transports that reach each other."""

    def make(self) -> Transport: ...

    def address(self, transport: Transport) -> Address: ...


class MemoryMaker:
    """Transports of one in-process network."""

    def __init__(self) -> None:
        self.network = MemoryNetwork()

    def make(self) -> Transport:
        return MemoryTransport(self.network)

    def address(self, transport: Transport) -> Address:
        assert isinstance(transport, MemoryTransport)
        return transport.address


class UdpMaker:
    """Transports of one multicast group on loopback."""

    def __init__(self) -> None:
        self.group = some_group()

    def make(self) -> Transport:
        return UdpTransport(self.group, interfaces=LOOPBACK)

    def address(self, transport: Transport) -> Address:
        assert isinstance(transport, UdpTransport)
        return transport.own_address


@dataclass
class Trio:
    maker: Maker
    transports: list[Transport]
    listeners: list[Listener]


@pytest.fixture(params=[MemoryMaker, UdpMaker], ids=["memory", "udp"])
async def trio(request: pytest.FixtureRequest) -> AsyncIterator[Trio]:
    maker = request.param()
    async with AsyncExitStack() as stack:
        made = Trio(maker, [], [])
        for _ in range(3):
            transport, listener = maker.make(), Listener()
            await stack.enter_async_context(transport)
            await transport.start(listener)
            made.transports.append(transport)
            made.listeners.append(listener)
        yield made


def multicast(transport: Transport) -> list[Path]:
    return [path for path in transport.paths() if path.kind is not PathKind.UNICAST]


async def test_the_receiver_is_told_the_paths_at_the_start(trio: Trio) -> None:
    assert trio.listeners[0].paths == trio.transports[0].paths()
    assert len(multicast(trio.transports[0])) == 1


async def test_multicast_reaches_the_others_with_path_and_source(trio: Trio) -> None:
    paths = multicast(trio.transports[0])
    trio.transports[0].publish(b"hello", paths)
    for listener in trio.listeners[1:]:
        assert await listener.next() == (b"hello", paths[0], trio.maker.address(trio.transports[0]))


async def test_what_is_published_does_not_come_back(trio: Trio) -> None:
    trio.transports[0].publish(b"one", multicast(trio.transports[0]))
    trio.transports[1].publish(b"two", multicast(trio.transports[1]))
    assert (await trio.listeners[0].next())[0] == b"two"
    assert trio.listeners[0].datagrams.empty()


async def test_unicast_reaches_one_and_can_be_answered_by_its_source(trio: Trio) -> None:
    first, second, _ = trio.transports
    first.publish(b"you", [unicast_path(trio.maker.address(second))])
    datagram, path, source = await trio.listeners[1].next()
    assert (datagram, path) == (b"you", unicast_path(source))
    second.publish(b"yes", [unicast_path(source)])
    assert (await trio.listeners[0].next())[0] == b"yes"
    assert trio.listeners[2].datagrams.empty()


@pytest.mark.parametrize("size", [1, 1_200])
async def test_sizes_up_to_the_limit_pass_unchanged(trio: Trio, size: int) -> None:
    datagram = bytes(number % 251 for number in range(size))
    trio.transports[0].publish(datagram, multicast(trio.transports[0]))
    assert (await trio.listeners[1].next())[0] == datagram


async def test_a_path_that_is_gone_is_skipped(trio: Trio) -> None:
    gone = Path(PathKind.LAN, "203.0.113.9")
    trio.transports[0].publish(b"hello", [gone, *multicast(trio.transports[0])])
    assert (await trio.listeners[1].next())[0] == b"hello"


async def test_after_closing_nothing_is_sent_or_received(trio: Trio) -> None:
    first, second, third = trio.transports
    paths = multicast(first)
    await second.aclose()
    await second.aclose()
    second.publish(b"ghost", paths)
    first.publish(b"hello", paths)
    assert (await trio.listeners[2].next())[0] == b"hello"
    assert trio.listeners[1].datagrams.empty()
    third.publish(b"still here", paths)
    assert (await trio.listeners[0].next())[0] == b"still here"


async def test_closing_one_that_was_never_started(trio: Trio) -> None:
    await trio.maker.make().aclose()
