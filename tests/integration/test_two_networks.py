"""Two networks that a broker alone joins: who uses it is seen by the others who do, and nobody passes on what the rest of his network says."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from blink_cli.core.impairment.conditions import Conditions
from blink_cli.lab.nats_server import NatsServer
from blink_cli.lab.network.laboratory import Host, Laboratory
from blink_cli.lab.session_calls import call_of, together
from blink_cli.lab.sessions import Session

pytestmark = [pytest.mark.netns, pytest.mark.real_time(within_s=40), pytest.mark.in_pairs]

ON_THE_BROKER = ("anna", "ben", "xenia")
SEEN = {
    "anna": {"ben": "network", "cora": "network", "xenia": "broker"},
    "ben": {"anna": "network", "cora": "network", "xenia": "broker"},
    "cora": {"anna": "network", "ben": "network"},
    "xenia": {"anna": "broker", "ben": "broker", "yves": "network"},
    "yves": {"xenia": "network"},
}
"""Cora and yves use no broker. Anna and ben hear each other both ways, and count as heard by the network."""


async def test_a_broker_joins_who_uses_it_and_nobody_else(lab: Laboratory, tmp_path: Path) -> None:
    server, *hosts = await lab.hosts("server", *SEEN)
    here, there = hosts[:3], hosts[3:]
    # What is sent to one address is routed between them; multicast stays where it was said.
    await lab.set_conditions(Conditions(), source=here, target=there, multicast_loss=1.0)
    await lab.set_conditions(Conditions(), source=there, target=here, multicast_loss=1.0)
    with NatsServer(tmp_path, host=server) as nats:
        told = await together(*(host.machine.run(host.name, "--json", "whoami") for host in hosts))
        dids = {host.name: one.json["did"] for host, one in zip(hosts, told, strict=True)}

        async def add_contacts(host: Host) -> None:
            for name in dids.keys() - {host.name}:
                await host.machine.run(host.name, "contacts", "add", name, dids[name])

        await together(*(add_contacts(host) for host in hosts))
        sessions = await together(
            *(
                host.machine.serve(
                    host.name,
                    *(("--signal", nats.url) if host.name in ON_THE_BROKER else ()),
                    *("--input", "tone:440", "--output", "null"),
                )
                for host in hosts
            )
        )
        anna, ben, _, xenia, _ = sessions

        async def sees(session: Session) -> None:
            await session.until("peers", lambda peers: ways(peers) == SEEN[session.profile])

        await together(*(sees(session) for session in sessions))
        async with await ben.events() as heard_by_ben, await xenia.events() as heard_by_xenia:
            async with call_of(anna, ben, xenia):
                for peer in (await xenia.ask("rtp-stats"))["peers"]:
                    assert peer["path"]["type"] == "host"
                await anna.ask("mute")
                for events in (heard_by_ben, heard_by_xenia):
                    await events.next("participant_state_changed", muted=True)
            for events in (heard_by_ben, heard_by_xenia):
                await events.next("call_terminated")
                counted = Counter(event["event"] for event in events.seen)
                assert (counted["incoming_call"], counted["participant_state_changed"]) == (1, 1)
                assert counted["peer_vanished"] == 0
        # Nobody has learnt of anybody else meanwhile.
        await together(*(sees(session) for session in sessions))
        status = await anna.ask("status")
        assert status["signals"]["relayed"] == 0
        await together(*(session.quit() for session in sessions))


def ways(peers: Any) -> dict[str, str]:
    return {peer["nickname"]: peer["via"] for peer in peers if peer["alive"]}
