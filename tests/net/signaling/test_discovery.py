"""Sessions find each other by real multicast DNS on loopback alone."""

import asyncio
import logging
import secrets
from typing import Any
from unittest.mock import patch

import pytest
from zeroconf import ServiceStateChange
from zeroconf.asyncio import AsyncServiceInfo

from blink_cli.core.endpoint import parse_group
from blink_cli.core.gossip.budget import BURST_S, TokenBucket
from blink_cli.core.identity.identity import Identity
from blink_cli.core.ids import Did
from blink_cli.net.host.interfaces import Interface, InterfaceAddress
from blink_cli.net.signaling import discovery
from blink_cli.net.signaling.discovery import (
    MAX_INSTANCES,
    MAX_INTERFACES,
    SERVICE_TYPE,
    Discovery,
    _places,
    _read_claim,
)
from tests.net.gossip_parts import LOOPBACK, PATIENCE_S, eventually

pytestmark = pytest.mark.real_time

PORT = 40_404
GROUP = "239.255.66.76:7667"


class Seeker:
    """One session's discovery and what it said."""

    def __init__(self, nickname: str, *, identity: Identity | None = None, group: str = GROUP) -> None:
        self.did = (identity or Identity(secrets.token_bytes(32))).did
        self.said: asyncio.Queue[tuple[str, ...]] = asyncio.Queue()
        self.discovery = Discovery(
            self.did,
            nickname,
            PORT,
            group=group,
            found=lambda did, nick, address: self.said.put_nowait(("found", did, nick, address)),
            gone=lambda did: self.said.put_nowait(("gone", did)),
            differs=lambda did, nick, address, version: self.said.put_nowait(
                ("differs", did, nick, address, str(version))
            ),
            interfaces=LOOPBACK,
        )

    async def until(self, *wanted: str) -> None:
        """Wait for this to be said; other sessions on this machine may be found meanwhile."""
        async with asyncio.timeout(PATIENCE_S):
            while await self.said.get() != wanted:
                pass


async def test_two_sessions_find_each_other_and_say_goodbye() -> None:
    anna, bob = Seeker("anna"), Seeker("bob \x1b[31m")
    async with anna.discovery:
        async with bob.discovery:
            await anna.until("found", bob.did, "bob [31m", f"127.0.0.1:{PORT}")
            await bob.until("found", anna.did, "anna", f"127.0.0.1:{PORT}")
        await anna.until("gone", bob.did)


async def test_a_session_of_another_version_is_told_and_not_found(monkeypatch: pytest.MonkeyPatch) -> None:
    anna, bob = Seeker("anna"), Seeker("bob")
    monkeypatch.setattr(discovery, "_VERSION", 3)
    async with bob.discovery:
        while bob.discovery._info is None:  # what it announces has been written  # noqa: ASYNC110 - it sets no event
            await asyncio.sleep(0.01)
        monkeypatch.undo()
        async with anna.discovery:
            await anna.until("differs", bob.did, "bob", f"127.0.0.1:{PORT}", "3")
    assert anna.said.empty()


async def test_a_session_of_another_group_is_not_found() -> None:
    anna, bob, far = Seeker("anna"), Seeker("bob"), Seeker("far", group="239.255.66.76:7668")
    async with anna.discovery, far.discovery:
        async with bob.discovery:
            await anna.until("found", bob.did, "bob", f"127.0.0.1:{PORT}")
        await anna.until("gone", bob.did)
        assert anna.said.empty()


async def test_a_session_does_not_find_itself_but_another_of_its_identity() -> None:
    identity = Identity(secrets.token_bytes(32))
    here, there = Seeker("here", identity=identity), Seeker("there", identity=identity)
    async with here.discovery:
        async with there.discovery:
            await here.until("found", here.did, "there", f"127.0.0.1:{PORT}")
            await there.until("found", here.did, "here", f"127.0.0.1:{PORT}")
        await here.until("gone", here.did)


async def test_where_multicast_dns_cannot_be_had_it_is_said_once_and_the_session_goes_on(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = asyncio.Event()
    attempts = []

    def refuse(**kwargs: object) -> None:
        attempts.append(kwargs)
        if len(attempts) == 3:
            tried.set()
        raise OSError(98, "Address already in use")

    monkeypatch.setattr(discovery, "_RETRY_S", 0.0)
    with patch.object(discovery, "AsyncZeroconf", refuse), caplog.at_level(logging.WARNING):
        async with Seeker("anna").discovery:
            await asyncio.wait_for(tried.wait(), PATIENCE_S)
    assert len([record for record in caplog.records if "cannot be discovered" in record.message]) == 1


async def test_interfaces_that_change_do_not_make_peers_vanish() -> None:
    anna, bob = Seeker("anna"), Seeker("bob")
    async with anna.discovery, bob.discovery:
        await anna.until("found", bob.did, "bob", f"127.0.0.1:{PORT}")
        opened = anna.discovery._zeroconf
        anna.discovery._interfaces_changed(anna.discovery._present)  # as if it had been found anew
        await eventually(lambda: anna.discovery._zeroconf not in (None, opened))
        await eventually(lambda: not anna.discovery._unconfirmed)
        while not anna.said.empty():
            # Of other sessions on this machine anything may be said.
            assert anna.said.get_nowait() != ("gone", bob.did)


async def test_who_does_not_answer_on_the_new_interfaces_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovery, "_CONFIRM_S", 0.1)
    anna = Seeker("anna")
    async with anna.discovery:
        await eventually(lambda: anna.discovery._zeroconf is not None)
        did = Identity(b"b" * 32).did
        anna.discovery._instances[f"blink-gone.{SERVICE_TYPE}"] = did
        anna.discovery._interfaces_changed(anna.discovery._present)
        await anna.until("gone", did)


def claim(
    *, group: str = GROUP, addresses: tuple[str, ...] = ("192.0.2.1",), **properties: str | bytes
) -> tuple[Did, str, str, int] | None:
    info = AsyncServiceInfo(
        SERVICE_TYPE,
        f"x.{SERVICE_TYPE}",
        port=1,
        properties={"group": group, **properties},
        server="x.local.",
        parsed_addresses=list(addresses),
    )
    return _read_claim(info, parse_group(GROUP))


def test_records_that_cannot_be_ours_are_not_believed() -> None:
    did = Identity(b"a" * 32).did
    assert claim(v="2", did=did, nick="anna") == (did, "anna", "192.0.2.1:1", 2)
    assert claim(v="2", did=did) == (did, "", "192.0.2.1:1", 2)
    assert claim(v="1", did=did, nick="anna") == (did, "anna", "192.0.2.1:1", 1), "it speaks another version"
    assert claim(v="99", did=did) == (did, "", "192.0.2.1:1", 99)
    for nonsense in ("", "-1", "1.5", "٣", "9999", "x"):
        assert claim(v=nonsense, did=did) is None
    assert claim(did=did) is None
    assert claim(v="2", did=did[:-1] + "0", nick="anna") is None
    assert claim(v="2", nick="anna") is None
    assert claim(v="2", did=did, nick="anna", group="239.0.0.1:1") is None
    assert claim(v="2", did=did, nick="did:key:z6Mk") == (did, "", "192.0.2.1:1", 2)
    assert claim(v="2", did=did, nick="an\u200bna\x1b\u202e") == (did, "anna", "192.0.2.1:1", 2)
    assert claim(v="2", did=b"\xff\xfe", nick="anna") is None


def test_of_several_addresses_loopback_is_taken_last() -> None:
    did = Identity(b"a" * 32).did
    many = ("127.0.0.1", "169.254.3.4", "192.0.2.7")
    assert claim(v="2", did=did, addresses=many) == (did, "", "192.0.2.7:1", 2)
    assert claim(v="2", did=did, addresses=("127.0.0.1",)) == (did, "", "127.0.0.1:1", 2)


async def test_closing_at_once_leaves_nothing_behind() -> None:
    async with Seeker("anna").discovery:
        await asyncio.sleep(0)


async def test_a_name_that_comes_while_it_closes_is_nobodys() -> None:
    anna = Seeker("anna").discovery
    await anna._tasks.aclose()  # the first half of closing
    zeroconf: Any = None
    anna._changed(zeroconf, SERVICE_TYPE, "late", ServiceStateChange.Added)
    assert not anna._instances
    await anna.aclose()


def test_a_group_of_both_families_is_the_same_as_its_ipv6_group_alone() -> None:
    did = Identity(b"a" * 32).did
    assert claim(v="2", did=did, group="[ff12::efff:424c]:7667") is not None
    assert claim(v="2", did=did, group="[ff12::efff:424d]:7667") is None
    assert claim(v="2", did=did, group="x") is None


def many(count: int) -> tuple[Interface, ...]:
    """Bridges, and behind them the one interface that leads anywhere."""
    bridges = [
        Interface(f"br{n}", n + 2, loopback=False, addresses=(InterfaceAddress(f"172.18.{n}.1", 24),))
        for n in range(count)
    ]
    lasting = (InterfaceAddress("10.77.0.1", 24), InterfaceAddress("fe80::1%eth0", 64))
    fresh = InterfaceAddress("fd77::1", 64, tentative=True)
    eth0 = Interface("eth0", 99, loopback=False, addresses=(*lasting, fresh), has_default_route=True)
    lo = Interface("lo", 1, loopback=True, addresses=(InterfaceAddress("127.0.0.1", 8),), multicast=False)
    return (lo, *bridges, eth0)


def test_of_more_interfaces_than_one_socket_can_join_the_most_useful_ones_are_taken() -> None:
    places = _places(many(25), ipv4=True)
    assert len(places.ipv4) == MAX_INTERFACES
    assert places.ipv4[0] == "127.0.0.1"
    assert places.ipv4[-1] == "10.77.0.1"
    assert places.ipv6 == (99,)
    assert len(places.left_out) == 27 - MAX_INTERFACES
    assert {"10.77.0.1", "fe80::1%eth0"} <= set(places.announced)
    assert "fd77::1" not in places.announced


def test_a_group_of_ipv6_alone_is_discovered_by_ipv6_alone() -> None:
    places = _places(many(2), ipv4=False)
    assert (places.ipv4, places.ipv6, places.announced) == ((), (99,), ("fe80::1%eth0",))


def test_an_interface_that_is_left_out_comes_and_goes_without_a_trace() -> None:
    before, after = _places(many(25), ipv4=True), _places(many(26), ipv4=True)
    assert before.left_out != after.left_out
    assert before == after, "nothing is opened anew, and nobody is told a goodbye"


class Unanswered:
    """Records that nobody has, and how often they were asked for on the network."""

    asked = 0

    def __init__(self, service_type: str, name: str) -> None:
        pass

    def load_from_cache(self, zeroconf: object) -> bool:
        return False

    async def async_request(self, zeroconf: object, timeout_ms: int) -> bool:
        Unanswered.asked += 1
        return False


async def test_a_burst_of_names_makes_few_questions_and_every_name_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(discovery, "AsyncServiceInfo", Unanswered)
    monkeypatch.setattr(Unanswered, "asked", 0)
    anna = Seeker("anna").discovery
    added = ServiceStateChange.Added
    zeroconf: Any = None
    for number in range(100):
        anna._changed(zeroconf, SERVICE_TYPE, f"ghost {number}", added)
    await asyncio.sleep(1.0)  # what is judged is a pace
    assert Unanswered.asked <= (BURST_S + 1.5) * discovery.QUESTIONS_PER_S
    assert len(anna._asking) <= discovery.MAX_QUESTIONS
    monkeypatch.setattr(discovery, "QUESTIONS_PER_S", 10_000.0)
    anna._questions = TokenBucket(10_000.0)
    await eventually(lambda: Unanswered.asked == 100)
    await anna.aclose()


async def test_invented_names_displace_each_other_and_nobody_who_is_there() -> None:
    anna = Seeker("anna")
    bob, ghost = Identity(b"b" * 32).did, Identity(b"g" * 32).did
    anna.discovery._is_there = lambda did: did == bob
    anna.discovery._instances.update(bob=bob, **{f"ghost {n}": ghost for n in range(MAX_INSTANCES - 1)})
    zeroconf: Any = None
    with patch.object(discovery, "AsyncServiceInfo", Unanswered):
        for number in range(10):
            anna.discovery._changed(zeroconf, SERVICE_TYPE, f"newer {number}", ServiceStateChange.Added)
        assert len(anna.discovery._instances) == MAX_INSTANCES
        assert {"bob", "newer 9"} <= anna.discovery._instances.keys()
        assert "ghost 3" not in anna.discovery._instances
        await anna.discovery.aclose()
