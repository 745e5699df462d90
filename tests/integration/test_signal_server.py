"""Sessions that only a nats-server joins: they find their contacts, call each other, lose the server and find it again; an operator who listens to all learns nothing."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from blink_cli.core.api.signal_server import SignalAccess, parse_signal_server
from blink_cli.core.identity.did import public_key_of
from blink_cli.lab.nats_server import NatsServer
from blink_cli.lab.session_calls import call_of, together
from blink_cli.lab.sessions import Machine, Session
from blink_cli.net.signaling.nats_connection import Message, NatsConnection

pytestmark = [pytest.mark.real_time(within_s=30), pytest.mark.in_pairs]

INPUTS = {"alice": "tone:440", "bob": "tone:550"}


async def session(machine: Machine, name: str, server: NatsServer) -> Session:
    return await machine.serve(
        name, "--signal", server.url, "--no-multicast", "--input", INPUTS[name], "--output", "null"
    )


async def test_a_call_through_a_server_that_is_killed_meanwhile(machine: Machine, tmp_path: Path) -> None:
    server, tapped = NatsServer(tmp_path), list[Message]()
    async with tapping(server, tapped):
        dids = dict(
            zip(
                INPUTS,
                [who["did"] for who in await together(*(whoami(machine, n) for n in INPUTS))],
                strict=True,
            )
        )
        await machine.run("alice", "contacts", "add", "bob", dids["bob"])
        await machine.run("bob", "contacts", "add", "alice", dids["alice"])
        alice, bob = await together(*(session(machine, name, server) for name in INPUTS))
        await alice.until("peers", sees("bob"))
        async with await bob.events() as told, call_of(alice, bob) as call:
            server.kill()
            await told.next("signal_server_failed", reason="cannot be used: unexpected EOF", url=server.url)
            before = await bob.ask("rtp-stats")
            # A call does not need it: audio goes on, and nobody vanishes.
            await bob.until("rtp-stats", lambda now: received(now) > received(before) + 100)
            assert [peer["alive"] for peer in await bob.ask("peers")] == [True]
            server.start()
            back_at = time.monotonic()
            await told.next("signal_server_connected", url=server.url)
            await alice.ask("mute")
            await told.next("participant_state_changed", muted=True)
            assert time.monotonic() - back_at < 5
            await alice.ask("record", "start", str(tmp_path / "recording"))
            await told.next("participant_state_changed", recording=True)
        status = await alice.ask("status")
        assert status["network"]["multicast"] is False
        assert [one["state"] for one in status["network"]["signal_servers"]] == ["connected"]
        # Ringing works again, and what rings is withdrawn.
        async with await bob.events() as told:
            await alice.ask("offer", "bob")
            await told.next("incoming_call")
            await alice.ask("leave")
            await told.next("call_cancelled")
        await together(alice.quit(), bob.quit())
    said = [
        message.data for message in tapped if message.data
    ]  # empty: what is tried before a connection counts as up
    assert len(said) > 40
    assert {len(one) for one in said} <= {512, 832, 1_200}
    assert all(one[0] == 0xB2 for one in said), "the bytes themselves"
    passed = b"".join(said)
    secrets = [*dids.values(), "alice", "bob", call, "did:key", "candidate", "ufrag", "m=audio", "recording"]
    for secret in (*map(str.encode, secrets), bytes.fromhex(call), *map(public_key_of, dids.values())):
        assert secret not in passed, secret


@asynccontextmanager
async def tapping(server: NatsServer, tapped: list[Message]) -> AsyncIterator[None]:
    """Run it, and have an operator listen to all that passes."""
    with server:
        tap = NatsConnection(
            [parse_signal_server(server.url)],
            SignalAccess(),
            inbox="blink.i.tap",
            received=tapped.append,
            changed=lambda _: None,
        )
        tap.subscribe({"blink.>"})
        async with tap:
            yield


async def whoami(machine: Machine, name: str) -> dict[str, str]:
    found: dict[str, str] = (await machine.run(name, "--json", "whoami")).json
    return found


def sees(name: str) -> Callable[[Any], bool]:
    return lambda peers: any(peer["nickname"] == name and peer["alive"] for peer in peers)


def received(statistics: Any) -> int:
    return sum(peer["inbound"]["packetsReceived"] for peer in statistics["peers"])


async def test_what_cannot_be_is_told_with_what_to_write(machine: Machine) -> None:
    wrong = await machine.run("alice", "serve", "--signal", "ftp://user:secret@host")
    assert wrong.exit_code == 2
    assert "nats://broker.example.org" in wrong.stderr
    assert "secret" not in wrong.stderr
    nowhere = await machine.run("alice", "serve", "--no-multicast")
    assert nowhere.exit_code == 2
    assert "`--signal URL`" in nowhere.stderr
    no_file = await machine.run("alice", "serve", "--signal", "tls://host", "--signal-ca", "/no/such/ca.pem")
    assert no_file.exit_code == 2
    assert "/no/such/ca.pem cannot be read" in no_file.stderr
