"""Sessions behind translators (RFC 4787) on a lab's Internet: which way their audio goes, and that a translator that forgets costs no call."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from blink_cli.core.impairment.conditions import Conditions
from blink_cli.lab.nats_server import NatsServer
from blink_cli.lab.network.internet import Internet
from blink_cli.lab.network.laboratory import Host
from blink_cli.lab.network.nat import PORT_RESTRICTED, SYMMETRIC, NatBehaviour
from blink_cli.lab.sessions import Session, call_of, together
from blink_cli.lab.turn_server import TurnServer

pytestmark = [pytest.mark.netns, pytest.mark.real_time(within_s=30)]


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
        assert await path_between(anna, cora) == "relay"
        await together(*(one.quit() for one in (anna, ben, cora)))
