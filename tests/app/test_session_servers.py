"""Whole sessions with STUN and TURN servers, and without: through a real relay, past one that dies, and nothing outside."""

import asyncio
import ipaddress
import socket
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from blink_cli.app.session import Session
from blink_cli.core.api.events import Event, IceServerFailed, LinkChanged, LinkState
from blink_cli.core.api.ice_server import ConfiguredServer, parse_ice_server
from blink_cli.core.api.replies.network import IceServerList, IceServerState
from blink_cli.core.api.replies.status import Status
from blink_cli.core.api.requests import AcceptCall, GetIceServers, GetRtpStatistics, PlaceOffer
from blink_cli.lab.turn_server import LOOPBACK, TurnServer, free_port
from tests.app.conftest import OpenSession

pytestmark = pytest.mark.real_time


async def connect(alice: Session, bob: Session) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(bob.ask(AcceptCall(wait_s=15)), name="accept")
        await alice.ask(PlaceOffer(peers=(bob.did,), wait_s=15))


async def link_becomes(events: AsyncIterator[Event | Status], state: LinkState) -> float:
    """Wait for a link's state and return when it was heard, monotonic seconds."""
    async with asyncio.timeout(30):
        async for event in events:
            if isinstance(event, LinkChanged) and event.link is state:
                return time.monotonic()
    raise AssertionError("the session ended")


def relay_in_use(session: Session) -> int:
    """The port of the TURN server that the session's one link goes through."""
    (entry,) = session._media.links.peers.values()
    assert entry.link is not None
    connection = entry.link._transport._connection
    assert connection._nominated[1].local_candidate.type == "relay"
    assert connection.turn_server is not None
    return connection.turn_server[1]


async def servers_of(session: Session) -> tuple[IceServerState, ...]:
    reply = await session.ask(GetIceServers())
    assert isinstance(reply, IceServerList)
    return reply.servers


async def test_a_call_through_the_relay_only_goes_on_when_the_relay_dies(open_session: OpenSession) -> None:
    with TurnServer() as first, TurnServer(secret="north star") as second:
        servers = (first.server(), second.server())
        async with (
            open_session("alice", ice_servers=servers, ice_transport="relay") as alice,
            open_session("bob", ice_servers=servers, ice_transport="relay") as bob,
        ):
            assert [(s.alive, s.in_use) for s in await servers_of(alice)] == [(True, True), (True, False)]
            await servers_of(bob)
            await connect(alice, bob)
            assert relay_in_use(alice) == relay_in_use(bob) == first.port
            events = alice.events()
            await anext(events)
            first.kill()
            killed_s = time.monotonic()
            lost_s = await link_becomes(events, LinkState.LOST)
            back_s = await link_becomes(events, LinkState.CONNECTED)
            assert relay_in_use(alice) == second.port
            assert lost_s - killed_s < 6.0, (
                "the link's own silence is noticed, after 3 s, not ICE's after 30 s"
            )
            assert back_s - lost_s < 6.0
            received = await _received(alice)
            await until(lambda: _more_than(alice, received))
            await until(lambda: _first_is_dead(alice))
            states = await servers_of(alice)
            assert [(s.alive, s.in_use) for s in states] == [(False, False), (True, True)]
            assert states[0].last_error == "no answer in 2 s"
            assert states[1].relay_address is not None
            ending_s = time.monotonic()
        assert time.monotonic() - ending_s < 6.0, "what is left of the dead relay holds up no session"


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Ask a session until it is so; there is no event for figures."""
    async with asyncio.timeout(15):
        while not await holds():  # noqa: ASYNC110 - as said
            await asyncio.sleep(0.05)


async def _more_than(session: Session, packets: int) -> bool:
    return await _received(session) > packets


async def _first_is_dead(session: Session) -> bool:
    return not (await servers_of(session))[0].alive


async def _received(session: Session) -> int:
    statistics: Any = await session.ask(GetRtpStatistics())
    packets: int = statistics.peers[0].inbound.packets_received
    return packets


async def test_dead_servers_and_wrong_credentials_are_told_and_cost_the_call_nothing(
    open_session: OpenSession,
) -> None:
    with TurnServer() as coturn:
        dead = parse_ice_server(f"turn:a:b@{LOOPBACK}:{free_port()}?transport=tcp")
        wrong = coturn.server(credential="wrong")
        async with (
            open_session("alice", ice_servers=(dead, wrong)) as alice,
            open_session("bob") as bob,
        ):
            # Whoever listens later hears of it too.
            await servers_of(alice)
            events = alice.events()
            await anext(events)
            failed: dict[str, str] = {}
            async with asyncio.timeout(15):
                while len(failed) < 2:
                    event = await anext(events)
                    if isinstance(event, IceServerFailed):
                        assert event.url not in failed, "it is told once"
                        failed[event.url] = event.reason
            assert {notice for notice in alice.notices if isinstance(notice, IceServerFailed)} == {
                IceServerFailed(url=url, reason=reason) for url, reason in failed.items()
            }
            assert failed == {
                dead.url: "nothing listens there",
                wrong.url: "it refuses the username or the credential",
            }
            assert [s.last_error for s in await servers_of(alice)] == list(failed.values())
            await connect(alice, bob)
            (entry,) = alice._media.links.peers.values()
            assert entry.link is not None
            assert entry.link.settings.ice_servers == ()


async def test_the_settings_servers_are_used_and_the_command_lines_come_in_their_place(
    open_session: OpenSession,
) -> None:
    given: tuple[ConfiguredServer, ...] = (parse_ice_server(f"stun:{LOOPBACK}:{free_port()}"),)
    async with open_session("alice", ice_servers=given) as alice:
        assert [s.url for s in await servers_of(alice)] == [given[0].url]
    profile_settings = alice._profile.settings_path
    profile_settings.write_text(f'[[ice_servers]]\nurl = "stun:{LOOPBACK}:9"\n')
    async with open_session("alice") as alice:
        assert [s.url for s in await servers_of(alice)] == [f"stun:{LOOPBACK}:9"]
    async with open_session("alice", ice_servers=given) as alice:
        assert [s.url for s in await servers_of(alice)] == [given[0].url]


class Touched:
    """Every address and name that this process asked the system about, while it listens."""

    def __init__(self) -> None:
        self.addresses: set[str] = set()
        self.names: set[str] = set()
        self.listening = True

    def audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Hear one of Python's audit events."""
        if not self.listening:
            return
        if event in {"socket.connect", "socket.sendto", "socket.sendmsg"}:
            if isinstance(arguments[1], tuple):
                self.addresses.add(arguments[1][0])
        elif event in {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"}:
            self.names.add(str(arguments[0]))


@contextmanager
def audited() -> Iterator[Touched]:
    """Listen to this process; Python keeps the hook for good, but deaf."""
    touched = Touched()
    sys.addaudithook(touched.audit)
    try:
        yield touched
    finally:
        touched.listening = False


def is_local(address: str) -> bool:
    known = ipaddress.ip_address(address)
    # Administratively scoped multicast with a TTL of 1 does not leave the network.
    return known.is_loopback or known in ipaddress.ip_network("239.255.0.0/16")


def test_the_audit_would_notice() -> None:
    with audited() as touched, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # a documentation address; connecting UDP sends nothing
        socket.getaddrinfo("localhost", 9)
    assert not all(map(is_local, touched.addresses))
    assert touched.names == {"localhost"}


async def test_without_servers_nothing_outside_is_touched(open_session: OpenSession) -> None:
    with audited() as touched:
        async with open_session("alice") as alice, open_session("bob") as bob:
            assert await servers_of(alice) == ()
            begun_s = time.monotonic()
            await connect(alice, bob)
            assert time.monotonic() - begun_s < 5.0
    assert LOOPBACK in touched.addresses, "the audit hears this process"
    assert [address for address in touched.addresses if not is_local(address)] == []
    assert touched.names <= {LOOPBACK}, "no name was looked up"
