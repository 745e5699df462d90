"""Sessions behind translators (RFC 4787) on a lab's Internet: which way their audio goes, and that a new address costs no call."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from blink_cli.core.impairment.conditions import Conditions
from blink_cli.lab.nats_server import NatsServer
from blink_cli.lab.network.internet import Internet
from blink_cli.lab.network.laboratory import Host
from blink_cli.lab.network.nat import PORT_RESTRICTED, SYMMETRIC, NatBehaviour
from blink_cli.lab.session_calls import call_of, connected, together
from blink_cli.lab.session_events import moment
from blink_cli.lab.sessions import Session
from blink_cli.lab.turn_server import TurnServer

FOLLOWED_S = 3.0

pytestmark = [pytest.mark.netns, pytest.mark.real_time(within_s=30), pytest.mark.in_pairs]


@pytest.fixture
async def internet() -> AsyncIterator[Internet]:
    async with Internet(seed=3) as made:
        yield made


async def session(host: Host, nats: NatsServer, coturn: TurnServer) -> Session:
    turn = coturn.server().url.replace(":", f":{coturn.username}:{coturn.credential}@", 1)
    servers = ("--ice-server", coturn.server("stun").url, "--ice-server", turn)
    signals = ("--signal", nats.url, "--no-multicast")
    return await host.machine.serve(host.name, *signals, *servers, "--input", "tone:440", "--output", "null")


async def path_between(one: Session, other: Session) -> str:
    """Call, hear more than the second in which the two agree on a way, hang up, and tell it."""
    async with call_of(one, other):
        (peer,) = (
            await one.until("rtp-stats", lambda shown: shown["peers"][0]["inbound"]["packetsReceived"] > 60)
        )["peers"]
        (participant,) = [p for p in (await other.ask("participants"))["participants"] if not p["self"]]
        assert participant["path"]["type"] == peer["path"]["type"]
        used = peer["path"]["relay"] or participant["path"]["relay"]
        assert (used is not None) == (peer["path"]["type"] == "relay")
        if used is not None:
            assert used["server"].startswith("turn:10.66.0.1:")
            assert used["rtt_ms"] >= 20
    kind: str = peer["path"]["type"]
    return kind


async def follows_a_new_address(internet: Internet, host: Host, mover: Session, other: Session) -> None:
    """Take the mover of a call to another network, and see both linked by a relay again within `FOLLOWED_S`."""
    async with await mover.events() as hers, await other.events() as theirs:
        before = datetime.now(UTC)
        await internet.move_behind_nat(host, SYMMETRIC)
        linked = await together(*(told.next("link_changed", link="connected") for told in (hers, theirs)))
        assert (max(map(moment, linked)) - before).total_seconds() < FOLLOWED_S
        (peer,) = (await mover.ask("rtp-stats"))["peers"]
        assert peer["path"]["type"] == "relay"


async def outlives_a_translator_that_forgets(
    internet: Internet, host: Host, its: Session, other: Session
) -> None:
    """Reboot the translator of one of two who speak, and see both heard again within `FOLLOWED_S`."""
    async with call_of(its, other):
        await together(*(heard_more(one) for one in (its, other)))
        await internet.reboot_nat(host)
        async with asyncio.timeout(FOLLOWED_S):
            await together(*(heard_more(one) for one in (its, other)))


async def heard_more(one: Session) -> None:
    """Wait for more sound of the only peer than what is on its way."""
    before = (await one.ask("rtp-stats"))["peers"][0]["inbound"]["packetsReceived"]
    await one.until("rtp-stats", lambda shown: shown["peers"][0]["inbound"]["packetsReceived"] > before + 10)


async def answers_what_was_described_while_it_rang(caller: Session, called: Session) -> None:
    """Call, accept once the caller's description has come, and be linked by that."""
    call = (await caller.ask("offer", called.did))["call"]
    async with asyncio.timeout(10.0):
        while not any(
            step["fields"]["signal"][:2] == ["sdp", call] for step in await steps_of(called, "SignalHeard")
        ):
            pass  # each question is a process, which takes its time
    await called.ask("accept", call)
    accepting = (await steps_of(called, "Accepting"))[-1]
    assert "Answer" in {effect["effect"] for effect in accepting["effects"]}
    await together(connected(caller, 1), connected(called, 1))


async def steps_of(session: Session, told: str) -> list[Any]:
    """What the rules of calls were told of one kind, lately, and wanted."""
    steps: list[Any] = (await session.ask("status", "--trace"))["steps"]
    return [step for step in steps if step["told"] == told]


async def test_cones_speak_directly_and_symmetric_ones_by_a_relay(internet: Internet, tmp_path: Path) -> None:
    server, *hosts = await internet.hosts("server", "anna", "ben", "cora")
    kinds: tuple[NatBehaviour, ...] = (PORT_RESTRICTED, PORT_RESTRICTED, SYMMETRIC)
    for host, kind in zip(hosts, kinds, strict=True):
        await internet.put_behind_nat(host, kind)
    await internet.set_conditions(Conditions(delay_ms=10))
    with NatsServer(tmp_path, host=server) as nats, TurnServer(host=server) as coturn:
        anna, ben, cora = await together(*(session(host, nats, coturn) for host in hosts))
        for one in (ben, cora):
            await together(
                anna.ask("contacts", "add", one.profile, one.did),
                one.ask("contacts", "add", anna.profile, anna.did),
                anna.ask("ice-servers"),
                one.ask("ice-servers"),
            )
        assert await path_between(anna, ben) == "srflx"
        await outlives_a_translator_that_forgets(internet, hosts[1], ben, anna)
        assert await path_between(anna, cora) == "relay"
        await answers_what_was_described_while_it_rang(anna, cora)
        await follows_a_new_address(internet, hosts[2], cora, anna)
        await anna.blink("leave")
        await together(*(one.quit() for one in (anna, ben, cora)))
