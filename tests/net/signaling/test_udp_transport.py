"""UDP as it is: shared ports, neighbours, interfaces that come and go, and floods."""

import asyncio
import errno
import logging
import socket

import pytest

from blink_cli.core.endpoint import group_text, parse_group
from blink_cli.core.errors import BlinkError, UsageError
from blink_cli.core.gossip import Path, PathKind, unicast_path
from blink_cli.core.gossip.datagram import write_datagrams
from blink_cli.core.signaling.topics import Topic
from blink_cli.lab.network.namespaces import inside, made
from blink_cli.net.host import interface_watch
from blink_cli.net.host.interfaces import Interface, InterfaceAddress, list_interfaces
from blink_cli.net.signaling import neighbour_names, udp_transport
from blink_cli.net.signaling.paced_reader import Pace, PacedReader
from blink_cli.net.signaling.udp_seats import IPV4, Seat
from blink_cli.net.signaling.udp_transport import UdpTransport
from tests.net.gossip_parts import LOOPBACK, Listener, eventually, own_path, some_group

pytestmark = pytest.mark.real_time

LO = Interface("lo", 1, loopback=True, addresses=(InterfaceAddress("127.0.0.1", 8),))


@pytest.mark.parametrize("neighbour", ["host..example:7667", "h" * 64 + ".example:7667", "example"])
def test_a_neighbour_that_cannot_be_one_is_refused_before_anything_is_opened(neighbour: str) -> None:
    with pytest.raises(UsageError, match="host and a port"):
        UdpTransport(some_group(), neighbours=(neighbour,))


async def test_who_claims_to_be_at_port_0_is_not_answered_and_breaks_nothing() -> None:
    async with UdpTransport(some_group(), interfaces=LOOPBACK) as transport:
        await transport.start(Listener())
        transport.publish(b"hello", [unicast_path(("127.0.0.1", 0))])
        assert transport.counters().send_failures == 1


async def test_an_interface_that_is_not_there_is_named_with_those_that_are() -> None:
    transport = UdpTransport(some_group(), interfaces=("203.0.113.77",))
    with pytest.raises(UsageError) as refused:
        await transport.start(Listener())
    assert "203.0.113.77" in refused.value.message
    assert "127.0.0.1" in (refused.value.hint or "")


async def test_an_interface_can_be_chosen_by_its_name() -> None:
    name = next(found.name for found in list_interfaces() if found.ipv4 == "127.0.0.1")
    async with UdpTransport(some_group(), interfaces=(name,)) as transport:
        await transport.start(Listener())
        assert transport.paths() == (Path(PathKind.LOOPBACK, "127.0.0.1"),)
        assert transport.own_address[0] == "127.0.0.1"


async def test_a_port_taken_by_a_program_that_does_not_share_is_a_clear_error() -> None:
    group = some_group()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("0.0.0.0", parse_group(group).port))
        transport = UdpTransport(group, interfaces=LOOPBACK)
        with pytest.raises(BlinkError, match="is taken"):
            await transport.start(Listener())


async def test_a_neighbour_given_the_shared_port_reaches_one_session_of_the_machine() -> None:
    group = some_group()
    port = parse_group(group).port
    async with (
        UdpTransport(group, interfaces=LOOPBACK) as first,
        UdpTransport(group, interfaces=LOOPBACK) as second,
    ):
        heard = [Listener(), Listener()]
        await first.start(heard[0])
        await second.start(heard[1])
        async with UdpTransport(some_group(), interfaces=LOOPBACK, neighbours=(f"localhost:{port}",)) as afar:
            await afar.start(Listener())
            neighbour = unicast_path(("127.0.0.1", port))
            await eventually(lambda: neighbour in afar.paths())
            afar.publish(b"hello", [neighbour])
            await eventually(lambda: sum(listener.datagrams.qsize() for listener in heard) == 1)
            one = next(listener for listener in heard if listener.datagrams.qsize())
            datagram, path, source = await one.next()
            assert datagram == b"hello"
            assert path == unicast_path(source) == own_path(afar)


async def test_a_neighbour_is_added_when_its_name_is_found_and_nothing_waits_for_that(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found: asyncio.Future[tuple[str, ...]] = asyncio.get_running_loop().create_future()
    monkeypatch.setattr(neighbour_names, "host_addresses", lambda _: found)
    listener = Listener()
    neighbours = ("slow.example:7667", "192.0.2.9:7667")
    async with UdpTransport(some_group(), interfaces=LOOPBACK, neighbours=neighbours) as transport:
        async with asyncio.timeout(5):
            await transport.start(listener)
        assert [path.name for path in listener.paths or ()] == ["127.0.0.1", "192.0.2.9:7667"]
        found.set_result(("192.0.2.7",))
        await eventually(lambda: unicast_path(("192.0.2.7", 7667)) in (listener.paths or ()))


async def test_interfaces_that_come_and_go_change_the_paths(monkeypatch: pytest.MonkeyPatch) -> None:
    present: list[tuple[Interface, ...]] = [()]
    monkeypatch.setattr(udp_transport, "list_interfaces", lambda: present[0])
    monkeypatch.setattr(interface_watch, "LOOK_EVERY_S", 0.01)
    group = some_group()
    listener, other = Listener(), Listener()
    async with UdpTransport(group) as transport:
        await transport.start(listener)
        assert listener.paths == ()
        present[0] = (LO,)
        await eventually(lambda: listener.paths == (Path(PathKind.LOOPBACK, "127.0.0.1"),))
        async with UdpTransport(group) as second:
            await second.start(other)
            second.publish(b"hello", second.paths())
            assert (await listener.next())[0] == b"hello"
        # The same address with another index: the cable was pulled and the interface made anew.
        present[0] = ()
        await eventually(lambda: listener.paths == ())
        transport.publish(b"nobody hears", [Path(PathKind.LOOPBACK, "127.0.0.1")])
        assert transport.counters().send_failures == 1
        present[0] = (LO,)
        await eventually(lambda: listener.paths != ())


async def test_an_interface_that_cannot_be_joined_is_reported_once_and_skipped(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    bogus = Interface("gone0", 999, loopback=False, addresses=(InterfaceAddress("203.0.113.5", 24),))
    monkeypatch.setattr(udp_transport, "list_interfaces", lambda: (LO, bogus))
    monkeypatch.setattr(interface_watch, "LOOK_EVERY_S", 0.01)
    listener = Listener()
    async with UdpTransport(some_group()) as transport:
        with caplog.at_level(logging.WARNING):
            await transport.start(listener)
            await asyncio.sleep(0.05)
        assert [path.name for path in transport.paths()] == ["127.0.0.1"]
    assert len([record for record in caplog.records if "gone0" in record.message]) == 1


async def test_an_interface_that_could_not_be_joined_is_tried_again_and_names_are_asked_for_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    async def unknown(host: str) -> str:
        asked.append(host)
        raise OSError("no such name")

    open_seat = UdpTransport._open_seat
    refusals = [OSError(errno.ENOBUFS, "No buffer space available")] * 3

    def open_later(self: UdpTransport, seat: Seat) -> PacedReader:
        if refusals:
            raise refusals.pop()
        return open_seat(self, seat)

    monkeypatch.setattr(neighbour_names, "host_addresses", unknown)
    monkeypatch.setattr(UdpTransport, "_open_seat", open_later)
    monkeypatch.setattr(interface_watch, "LOOK_EVERY_S", 0.01)
    listener = Listener()
    async with UdpTransport(
        some_group(), interfaces=LOOPBACK, neighbours=("moving.example:7667",)
    ) as transport:
        await transport.start(listener)
        assert listener.paths == ()
        await eventually(lambda: listener.paths == (Path(PathKind.LOOPBACK, "127.0.0.1"),))
        await eventually(lambda: len(asked) == 2)


async def test_interfaces_that_cannot_be_listed_for_a_while_are_followed_afterwards(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    trouble: list[OSError] = []

    refusals: list[OSError] = []

    def listed() -> tuple[Interface, ...]:
        if trouble:
            refusals.append(trouble[0])
            raise trouble[0]
        return present

    present: tuple[Interface, ...] = ()
    monkeypatch.setattr(udp_transport, "list_interfaces", listed)
    monkeypatch.setattr(interface_watch, "LOOK_EVERY_S", 0.01)
    listener = Listener()
    async with UdpTransport(some_group()) as transport:
        await transport.start(listener)
        trouble.append(OSError(errno.EMFILE, "Too many open files"))
        await eventually(lambda: len(refusals) >= 2)
        present = (LO,)
        trouble.clear()
        await eventually(lambda: listener.paths == (Path(PathKind.LOOPBACK, "127.0.0.1"),))


async def test_closing_frees_every_socket_and_the_port() -> None:
    group = some_group()
    transport = UdpTransport(group, interfaces=LOOPBACK)
    await transport.start(Listener())
    readers = [*transport._seats.values(), *(own.reader for own in transport._own.values())]
    sockets = [reader._socket for reader in readers]
    assert len(sockets) >= 3
    await transport.aclose()
    assert all(sock.fileno() == -1 for sock in sockets)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as again:
        again.bind(("0.0.0.0", parse_group(group).port))


async def test_a_flood_is_paced_and_the_event_loop_stays_responsive() -> None:
    pace = Pace(batch=16, per_s=500.0, burst=50.0, pause_s=0.02)
    listener = Listener()
    async with UdpTransport(some_group(), interfaces=LOOPBACK, pace=pace) as transport:
        await transport.start(listener)
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as flooder:
            for _ in range(20):
                for _ in range(500):
                    flooder.sendto(b"x" * 200, transport.own_address)
                await asyncio.sleep(0.01)
        lasted_s = loop.time() - began_s
        read = listener.datagrams.qsize()
        assert 50 <= read <= 50 + 500.0 * lasted_s + pace.batch
        assert transport.counters().pauses > 0
        # When the flood is over, so is the pause.
        while not listener.datagrams.empty():
            listener.datagrams.get_nowait()
        await eventually(lambda: transport._own[IPV4].reader._resume is None)


async def test_in_a_flood_the_sessions_topics_are_heard() -> None:
    topic, pace = Topic(b"t" * 16), Pace(per_s=200.0, burst=50.0)
    (expected,) = write_datagrams(topic, bytes(16), (b"sealed",), ttl=1, attempt=0)
    listener = Listener()
    listener.topics = [topic]
    async with UdpTransport(some_group(), interfaces=LOOPBACK, pace=pace) as transport:
        await transport.start(listener)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as flooder:
            flooder.connect(transport.own_address)
            for _ in range(100):
                flooder.send(b"garbage")
            await eventually(lambda: transport.counters().pauses)
            for _ in range(10):
                for _ in range(200):
                    flooder.send(b"garbage")
                flooder.send(expected)
                await asyncio.sleep(0)
        heard: list[bytes] = []
        while heard.count(expected) < 10:
            heard.append((await listener.next())[0])


async def test_two_own_sockets_may_ask_for_a_port_but_not_for_the_same() -> None:
    async with UdpTransport(some_group(), interfaces=LOOPBACK) as first:
        await first.start(Listener())
        port = first.own_address[1]
        second = UdpTransport(some_group(), interfaces=LOOPBACK, port=port)
        with pytest.raises(BlinkError, match=str(port)):
            await second.start(Listener())


def test_too_many_neighbours_are_refused() -> None:
    with pytest.raises(UsageError):
        UdpTransport(some_group(), neighbours=("a:1",) * 65)


@pytest.mark.netns
async def test_each_interface_hears_its_own_ipv6_multicast_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [
        line
        for number in (1, 2)
        for line in (
            f"link add name a{number} type veth peer name b{number}",
            f"link set dev a{number} addrgenmode none up",
            f"link set dev b{number} addrgenmode none up",
            # The same on both links, as on machines that number their bridges alike.
            f"address add fe80::1/64 dev a{number} nodad",
            f"address add fe80::{number}b/64 dev b{number} nodad",
        )
    ]
    group = parse_group(some_group())
    listener = Listener()
    with made("blink-zones", *lines):
        with inside("blink-zones"):
            found = list_interfaces()
            sender = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        monkeypatch.setattr(udp_transport, "list_interfaces", lambda: found)
        index = {interface.name: interface.index for interface in found}
        async with UdpTransport(group_text(group), interfaces=("a1", "a2")) as transport:
            with inside("blink-zones"):
                await transport.start(listener)
            assert [path.name for path in transport.paths()] == ["fe80::1%a1", "fe80::1%a2"]
            with sender:
                for number in (2, 1):
                    sender.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index[f"b{number}"])
                    sender.sendto(b"hello", (group.ipv6, group.port, 0, index[f"b{number}"]))
                    _, path, source = await listener.next()
                    assert path.name == f"fe80::1%a{number}"
                    assert source[0] == f"fe80::{number}b%a{number}"
                    assert listener.datagrams.empty()
                # And back to where it came from, by the zone alone.
                sender.settimeout(5)
                transport.publish(b"answer", [unicast_path(source)])
                assert await asyncio.to_thread(sender.recv, 100) == b"answer"
