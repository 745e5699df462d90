"""Sessions find each other by real multicast DNS on loopback alone."""

import asyncio
import logging
import secrets
from unittest.mock import patch

import pytest
from zeroconf.asyncio import AsyncServiceInfo

from blink_cli.core.identity import Identity
from blink_cli.core.names import Did
from blink_cli.net import discovery
from blink_cli.net.discovery import SERVICE_TYPE, Discovery, _read_claim
from tests.net.gossip_parts import LOOPBACK, PATIENCE_S, eventually

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


def claim(*, group: str = GROUP, **properties: str | bytes) -> tuple[Did, str, str] | None:
    info = AsyncServiceInfo(
        SERVICE_TYPE,
        f"x.{SERVICE_TYPE}",
        port=1,
        properties={"group": group, **properties},
        server="x.local.",
        parsed_addresses=["192.0.2.1"],
    )
    return _read_claim(info, GROUP)


def test_records_that_cannot_be_ours_are_not_believed() -> None:
    did = Identity(b"a" * 32).did
    assert claim(v="1", did=did, nick="anna") == (did, "anna", "192.0.2.1:1")
    assert claim(v="1", did=did) == (did, "", "192.0.2.1:1")
    assert claim(v="2", did=did, nick="anna") is None
    assert claim(v="1", did=did[:-1] + "0", nick="anna") is None
    assert claim(v="1", nick="anna") is None
    assert claim(v="1", did=did, nick="anna", group="239.0.0.1:1") is None
    assert claim(v="1", did=did, nick="did:key:z6Mk") == (did, "", "192.0.2.1:1")
    assert claim(v="1", did=b"\xff\xfe", nick="anna") is None


async def test_closing_at_once_leaves_nothing_behind() -> None:
    async with Seeker("anna").discovery:
        await asyncio.sleep(0)
