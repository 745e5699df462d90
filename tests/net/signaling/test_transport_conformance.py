"""What every transport promises, asked of every implementation."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Protocol

import pytest
from msgspec.structs import replace
from typing_extensions import override

from blink_cli.core.api.signal_server import SignalAccess, parse_signal_server
from blink_cli.core.endpoint import group_text, parse_group
from blink_cli.core.gossip import Address, Path, PathKind, unicast_path
from blink_cli.core.gossip.datagram import MAX_FRAGMENT_BYTES, write_datagrams
from blink_cli.core.signaling.sender_class import SenderClass
from blink_cli.core.signaling.topics import TOPIC_BYTES, Topic
from blink_cli.lab.nats_server import NatsServer
from blink_cli.lab.network.namespaces import inside, made
from blink_cli.net.host.interfaces import Interface, list_interfaces
from blink_cli.net.signaling import udp_transport
from blink_cli.net.signaling.broker_transport import BrokerTransport
from blink_cli.net.signaling.lan_and_broker import LanAndBroker
from blink_cli.net.signaling.memory_transport import MemoryNetwork, MemoryTransport
from blink_cli.net.signaling.transport import Transport
from blink_cli.net.signaling.udp_transport import UdpTransport
from tests.net.gossip_parts import LOOPBACK, Listener, eventually, some_group

pytestmark = pytest.mark.real_time


class Maker(Protocol):
    """Makes transports that reach each other."""

    paths: int
    """Ways by which each of them multicasts."""

    def make(self) -> Transport: ...

    async def start(self, transport: Transport, listener: Listener) -> None:
        """Returns when it can send and hear."""
        ...

    def address(self, transport: Transport, path: Path) -> Address:
        """The source of what a transport sends on this path of its own."""
        ...


class MemoryMaker:
    """Transports of one in-process network."""

    paths = 1

    def __init__(self) -> None:
        self.network = MemoryNetwork()

    def make(self) -> Transport:
        return MemoryTransport(self.network)

    async def start(self, transport: Transport, listener: Listener) -> None:
        await transport.start(listener)

    def address(self, transport: Transport, path: Path) -> Address:
        assert isinstance(transport, MemoryTransport)
        return transport.address


class UdpMaker:
    """Transports of one multicast group on loopback."""

    paths = 1
    interfaces: tuple[str, ...] = LOOPBACK

    def __init__(self) -> None:
        self.group = some_group()

    def make(self) -> Transport:
        return UdpTransport(self.group, interfaces=self.interfaces)

    async def start(self, transport: Transport, listener: Listener) -> None:
        await transport.start(listener)

    def address(self, transport: Transport, path: Path) -> Address:
        assert isinstance(transport, UdpTransport)
        return (path.name, transport.port)


class NamespaceMaker(UdpMaker):
    """Transports on the interface of a host that has both families; multicast comes back to the others of one machine."""

    paths = 2
    interfaces = ("lan",)

    @override
    async def start(self, transport: Transport, listener: Listener) -> None:
        # Nothing is awaited by a start on addresses that can be bound, so that this thread is back before anybody else runs.
        with inside(NAMESPACE):
            await transport.start(listener)


class LinkLocalMaker(NamespaceMaker):
    """By IPv6 alone, from a link-local address."""

    paths = 1
    interfaces = ("fe80::1",)


class Ipv6Maker(NamespaceMaker):
    """By IPv6 alone, from an address that lasts."""

    paths = 1
    interfaces = ("2001:db8::1",)


class Ipv6GroupMaker(NamespaceMaker):
    """Of an interface with both families, told to use an IPv6 group."""

    paths = 1

    def __init__(self) -> None:
        super().__init__()
        self.group = group_text(replace(parse_group(self.group), ipv4=None))


class BrokerMaker:
    """Transports that are connected to one nats-server."""

    paths = 1
    server: NatsServer

    def make(self) -> Transport:
        return BrokerTransport((parse_signal_server(self.server.url),), SignalAccess(), lambda _: None)

    async def start(self, transport: Transport, listener: Listener) -> None:
        await transport.start(listener)
        await eventually(transport.paths)

    def address(self, transport: Transport, path: Path) -> Address:
        assert isinstance(transport, BrokerTransport)
        return transport.address


class BothMaker(BrokerMaker):
    """Transports of one multicast group on loopback and of one nats-server."""

    paths = 2

    def __init__(self) -> None:
        self.group = some_group()
        self._udp: dict[Transport, UdpTransport] = {}
        self._broker: dict[Transport, BrokerTransport] = {}

    @override
    def make(self) -> Transport:
        lan, broker = UdpTransport(self.group, interfaces=LOOPBACK), super().make()
        assert isinstance(broker, BrokerTransport)
        both = LanAndBroker(lan, broker)
        self._udp[both], self._broker[both] = lan, broker
        return both

    @override
    async def start(self, transport: Transport, listener: Listener) -> None:
        await transport.start(listener)
        await eventually(lambda: len(transport.paths()) == self.paths)

    @override
    def address(self, transport: Transport, path: Path) -> Address:
        return self._broker[transport].address if path.overheard else (path.name, self._udp[transport].port)


MAKERS: dict[str, type[Maker]] = {
    "memory": MemoryMaker,
    "broker": BrokerMaker,
    "network and broker": BothMaker,
    "ipv4": UdpMaker,
    "both": NamespaceMaker,
    "link-local": LinkLocalMaker,
    "ipv6": Ipv6Maker,
    "ipv6 group": Ipv6GroupMaker,
}

NAMESPACE = "blink-transport"


@pytest.fixture(scope="module")
def namespace() -> Iterator[tuple[Interface, ...]]:
    lines = (
        "link add name lan type veth peer name other",
        "link set dev lan addrgenmode none",
        "link set dev lan up",
        "link set dev other up",
        "address add 192.0.2.1/24 dev lan",
        "address add 2001:db8::1/64 dev lan nodad",
        "address add fe80::1/64 dev lan nodad",
        "route add default dev lan",
    )
    with made(NAMESPACE, *lines):
        with inside(NAMESPACE):
            found = list_interfaces()
        yield found


@pytest.fixture(params=list(MAKERS.values()), ids=list(MAKERS))
async def maker(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Maker:
    chosen: Maker = request.param()
    if isinstance(chosen, NamespaceMaker):
        found = request.getfixturevalue("namespace")
        monkeypatch.setattr(udp_transport, "list_interfaces", lambda: found)
    if isinstance(chosen, BrokerMaker):
        chosen.server = request.getfixturevalue("nats_server")
    return chosen


@pytest.fixture(scope="module")
def nats_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    with NatsServer(tmp_path_factory.mktemp("nats")) as server:
        yield server


TOPIC = Topic(b"a topic that all hear"[:TOPIC_BYTES])


def said(content: bytes) -> bytes:
    """A datagram on the topic that all listen to."""
    (datagram,) = write_datagrams(TOPIC, bytes(16), (content,), ttl=1, attempt=0)
    return datagram


@dataclass
class Trio:
    maker: Maker
    transports: list[Transport]
    listeners: list[Listener]


@pytest.fixture
async def trio(maker: Maker) -> AsyncIterator[Trio]:
    async with AsyncExitStack() as stack:
        made = Trio(maker, [], [])
        for _ in range(3):
            transport, listener = maker.make(), Listener()
            await stack.enter_async_context(transport)
            transport.topics_changed({TOPIC: SenderClass.HEARD})
            await maker.start(transport, listener)
            made.transports.append(transport)
            made.listeners.append(listener)
        yield made


def multicast(transport: Transport) -> list[Path]:
    return [path for path in transport.paths() if path.kind is not PathKind.UNICAST]


async def test_the_receiver_is_told_the_paths_at_the_start(trio: Trio) -> None:
    assert trio.listeners[0].paths == trio.transports[0].paths()
    assert len(multicast(trio.transports[0])) == trio.maker.paths


async def test_multicast_reaches_the_others_with_path_and_source(trio: Trio) -> None:
    for path in multicast(trio.transports[0]):
        trio.transports[0].publish(said(b"hello"), [path])
        for listener in trio.listeners[1:]:
            assert await listener.next() == (
                said(b"hello"),
                path,
                trio.maker.address(trio.transports[0], path),
            )


async def test_what_is_published_does_not_come_back(trio: Trio) -> None:
    for path in multicast(trio.transports[0]):
        trio.transports[0].publish(said(b"one"), [path])
        trio.transports[1].publish(said(b"two"), [path])
        assert (await trio.listeners[0].next())[0] == said(b"two")
        assert trio.listeners[0].datagrams.empty()


async def test_unicast_reaches_one_and_can_be_answered_by_its_source(trio: Trio) -> None:
    first, second, _ = trio.transports
    for way in multicast(first):
        first.publish(said(b"you"), [unicast_path(trio.maker.address(second, way))])
        datagram, path, source = await trio.listeners[1].next()
        assert (datagram, path) == (said(b"you"), unicast_path(source))
        second.publish(said(b"yes"), [unicast_path(source)])
        assert (await trio.listeners[0].next())[0] == said(b"yes")
        assert trio.listeners[2].datagrams.empty()


@pytest.mark.parametrize("size", [1, MAX_FRAGMENT_BYTES])
async def test_sizes_up_to_the_limit_pass_unchanged(trio: Trio, size: int) -> None:
    datagram = said(bytes(number % 251 for number in range(size)))
    trio.transports[0].publish(datagram, multicast(trio.transports[0]))
    assert (await trio.listeners[1].next())[0] == datagram


async def test_a_path_that_is_gone_is_skipped(trio: Trio) -> None:
    gone = Path(PathKind.LAN, "203.0.113.9")
    trio.transports[0].publish(said(b"hello"), [gone, *multicast(trio.transports[0])])
    assert (await trio.listeners[1].next())[0] == said(b"hello")


async def test_after_closing_nothing_is_sent_or_received(trio: Trio) -> None:
    first, second, third = trio.transports
    paths = multicast(first)[:1]
    await second.aclose()
    await second.aclose()
    second.publish(said(b"ghost"), paths)
    first.publish(said(b"hello"), paths)
    assert (await trio.listeners[2].next())[0] == said(b"hello")
    assert trio.listeners[1].datagrams.empty()
    third.publish(said(b"still here"), paths)
    assert (await trio.listeners[0].next())[0] == said(b"still here")


async def test_closing_one_that_was_never_started(maker: Maker) -> None:
    await maker.make().aclose()
