"""Signals between real sockets on loopback: sealed, repeated under loss, and stopped cleanly."""

import asyncio
import contextlib
import logging
import secrets
import time
from collections.abc import AsyncIterator, Iterable
from typing import Self, TypeVar

import pytest

from blink_cli.core.errors import UsageError
from blink_cli.core.gossip import Acknowledged, Gossip, Path, PathKind, Received, Told
from blink_cli.core.identity.identity import Identity
from blink_cli.core.ids import CallId
from blink_cli.core.signaling.replay_memory import ReplayMemory
from blink_cli.core.signaling.signals import Announce, Leave, Offer, Presence, SessionDescription
from blink_cli.net.signaling.gossip_driver import GossipDriver
from blink_cli.net.signaling.memory_transport import MemoryNetwork, MemoryTransport
from blink_cli.net.signaling.transport import Transport
from blink_cli.net.signaling.udp_transport import UdpTransport
from tests.net.gossip_parts import LOOPBACK, PATIENCE_S, LossyTransport, eventually, some_group

pytestmark = pytest.mark.real_time

KEY = b"k" * 32
HERE = Path(PathKind.LOOPBACK, "127.0.0.1")

Effect = TypeVar("Effect", Received, Acknowledged)


class Session:
    """One identity on a transport, and what it hears."""

    def __init__(self, transport: Transport) -> None:
        self.identity = Identity(secrets.token_bytes(32))
        self.did = self.identity.did
        self.heard: asyncio.Queue[Told] = asyncio.Queue()
        self.gossip = Gossip(
            self.identity, secrets.token_bytes, memory=ReplayMemory()
        )  # nothing was ever said to it
        self.driver = GossipDriver(self.gossip, transport, self.hear)

    def hear(self, effect: Told) -> None:
        self.heard.put_nowait(effect)
        if isinstance(effect, Received) and isinstance(effect.signal, Offer):
            self.driver.confirm_offer(effect.sender, effect.signal.call_id)

    async def next(self, kind: type[Effect]) -> Effect:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                effect = await self.heard.get()
                if isinstance(effect, kind):
                    return effect


@contextlib.asynccontextmanager
async def sessions(*transports: Transport) -> AsyncIterator[list[Session]]:
    async with contextlib.AsyncExitStack() as stack:
        made = [Session(transport) for transport in transports]
        for session in made:
            await stack.enter_async_context(session.driver)
        yield made


def call_id() -> CallId:
    return CallId(secrets.token_hex(16))


def offered(received: Received) -> Offer:
    assert isinstance(received.signal, Offer)
    return received.signal


async def test_offer_description_and_announce_between_two_sessions_on_one_machine() -> None:
    group = some_group()
    async with sessions(*(UdpTransport(group, interfaces=LOOPBACK) for _ in range(2))) as (anna, bob):
        call = call_id()
        offer = Offer(call, KEY, (anna.did, bob.did), "anna")
        anna.driver.open_call(call, KEY, (anna.did, bob.did))
        anna.driver.send_to_peer(bob.did, offer, call)
        received = await bob.next(Received)
        assert (received.sender, received.signal) == (anna.did, offer)
        assert (await anna.next(Acknowledged)).signal == offer
        bob.driver.open_call(call, KEY, (anna.did, bob.did))
        description = SessionDescription(call, "offer", 1, 1, 1, "v=0\r\n" * 900)
        bob.driver.send_to_peer(anna.did, description, call)
        assert (await anna.next(Received)).signal == description
        announce = Announce(1, 1, "bob", muted=False, deafened=False, recording=False, hears=())
        bob.driver.send_to_call(call, announce)
        assert (await anna.next(Received)).signal == announce
        bob.driver.send_to_call(call, Leave(1), copies=2)
        assert (await anna.next(Received)).signal == Leave(1)
        bob.driver.close_call(call)


async def test_with_thirty_percent_of_real_datagrams_lost_twenty_of_twenty_offers_arrive() -> None:
    group = some_group()
    lossy = [LossyTransport(group, interfaces=LOOPBACK, loss=0.3, seed=seed) for seed in (1, 2)]
    async with sessions(*lossy) as (anna, bob):
        calls = [call_id() for _ in range(20)]
        for call in calls:
            anna.driver.send_to_peer(bob.did, Offer(call, KEY, (anna.did, bob.did), "anna"), call)
        received = [offered(await bob.next(Received)).call_id for _ in calls]
        acknowledged = [(await anna.next(Acknowledged)).call_id or "" for _ in calls]
        assert sorted(received) == sorted(acknowledged) == sorted(calls)
        assert anna.driver.counters().repeated > 0


async def test_the_same_over_the_memory_transport_with_a_seed() -> None:
    network = MemoryNetwork(loss=0.3, seed=7)
    async with sessions(*(MemoryTransport(network) for _ in range(2))) as (anna, bob):
        calls = [call_id() for _ in range(20)]
        for call in calls:
            anna.driver.send_to_peer(bob.did, Offer(call, KEY, (anna.did, bob.did), "anna"), call)
        acknowledged = [(await anna.next(Acknowledged)).call_id or "" for _ in calls]
        assert sorted(acknowledged) == sorted(calls)
        assert network.lost > 0


async def test_a_neighbour_known_to_one_side_only_connects_two_groups() -> None:
    there = some_group()
    port = int(there.rpartition(":")[2])
    afar = UdpTransport(some_group(), interfaces=LOOPBACK, neighbours=(f"127.0.0.1:{port}",))
    async with sessions(
        UdpTransport(there, interfaces=LOOPBACK), UdpTransport(there, interfaces=LOOPBACK), afar
    ) as (anna, bob, carl):
        for local in (anna, bob):
            call = call_id()
            carl.driver.send_to_peer(local.did, Offer(call, KEY, (carl.did, local.did), "carl"), call)
            assert (await local.next(Received)).sender == carl.did
            assert (await carl.next(Acknowledged)).peer == local.did
            local.driver.send_to_peer(carl.did, Offer(call, KEY, (carl.did, local.did), "x"), call)
            assert (await carl.next(Received)).sender == local.did


async def test_a_listener_that_fails_costs_that_signal_only(caplog: pytest.LogCaptureFixture) -> None:
    network = MemoryNetwork()
    async with sessions(*(MemoryTransport(network) for _ in range(2))) as (anna, bob):
        hear = bob.driver._listener
        failed: list[Told] = []

        def listen(effect: Told) -> None:
            if not failed:
                failed.append(effect)
                raise RuntimeError("a bug")
            hear(effect)

        bob.driver._listener = listen
        with caplog.at_level(logging.ERROR):
            for nickname in ("one", "two"):
                anna.driver.send_to_peer(bob.did, Presence(nickname, reply_wanted=False), None)
            assert (await bob.next(Received)).signal == Presence("two", reply_wanted=False)
    assert "could not be handled" in caplog.text


async def test_after_closing_nothing_is_woken_or_sent() -> None:
    network = MemoryNetwork()
    async with sessions(*(MemoryTransport(network) for _ in range(2))) as (anna, bob):
        call = call_id()
        anna.driver.send_to_peer(bob.did, Offer(call, KEY, (anna.did, bob.did), "anna"), call)
        await bob.next(Received)
        await anna.driver.aclose()
        await anna.driver.aclose()
        assert anna.driver._timer is None
        anna.driver.send_to_peer(bob.did, Offer(call_id(), KEY, (anna.did, bob.did), "anna"), call)
        assert anna.driver._timer is None


async def test_the_copies_of_a_leave_still_go_out_when_the_session_ends() -> None:
    network = MemoryNetwork()
    async with sessions(*(MemoryTransport(network) for _ in range(2))) as (anna, bob):
        call = call_id()
        anna.driver.open_call(call, KEY, (anna.did, bob.did))
        bob.driver.open_call(call, KEY, (anna.did, bob.did))
        anna.driver.send_to_call(call, Leave(1), copies=2)
        await anna.driver.aclose()
        assert (await bob.next(Received)).signal == Leave(1)
        await eventually(lambda: bob.driver.counters().received == 3)


async def test_a_transport_that_does_not_open_leaves_nothing_behind() -> None:
    session = Session(UdpTransport(some_group(), interfaces=("203.0.113.77",)))
    with pytest.raises(UsageError):
        async with session.driver:
            pytest.fail("must not start")


class _Shelf:
    """A transport that keeps what is sent; the test says what comes, and when."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    async def start(self, receiver: object) -> None:
        """Take nothing: the test brings it."""

    async def aclose(self) -> None:
        """Close nothing."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def paths(self) -> tuple[Path, ...]:
        return (HERE,)

    def publish(self, datagram: bytes, paths: Iterable[Path]) -> None:
        del paths
        self.sent.append(datagram)

    def topics_changed(self, topics: object) -> None:
        """Nobody asks."""


@pytest.mark.parametrize("stopped_s", [10.0, 40.0, 400.0])
async def test_what_waited_while_the_process_was_stopped_is_no_clock_that_was_set(stopped_s: float) -> None:
    anna, shelf = Identity(secrets.token_bytes(32)), _Shelf()
    speaking = Gossip(anna, secrets.token_bytes)
    speaking.set_paths((HERE,))
    async with sessions(shelf) as [bob]:
        bob.driver.paths_changed((HERE,))
        for number, waited_s in enumerate((0.0, stopped_s, 0.0)):
            arrived_s, wall_s = time.monotonic() - waited_s, time.time() - waited_s
            said = Presence(f"anna{number}", reply_wanted=False)
            for transmit in speaking.send_to_peer(bob.did, said, None, arrived_s, wall_s):
                bob.driver.datagram_received(transmit.datagram, HERE, ("127.0.0.1", 9), arrived_s)
        assert [(await bob.next(Received)).signal for _ in range(3)] == [
            Presence(f"anna{number}", reply_wanted=False) for number in range(3)
        ]
        await asyncio.sleep(0)
        assert bob.gossip.next_timeout() is None, "nobody is to be asked for a clock"
        assert shelf.sent == []
