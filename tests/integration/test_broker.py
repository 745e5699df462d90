"""Two strangers meet with one paste each: a broker is made and run, both join it, one invites the other, and they call each other through it."""

import textwrap
from pathlib import Path

import pytest

from blink_cli.lab.server_process import free_port
from blink_cli.lab.session_calls import connected, together
from blink_cli.lab.sessions import Machine, Session

pytestmark = [pytest.mark.real_time(within_s=30), pytest.mark.in_pairs]


async def test_strangers_meet_through_a_broker_of_their_own(machine: Machine, tmp_path: Path) -> None:
    folder, port = tmp_path / "broker", free_port()
    made = (
        await machine.run(
            "host", "--json", "broker", "init", str(folder), "--host", "127.0.0.1", "--port", str(port)
        )
    ).json
    assert made["hosts"] == ["127.0.0.1"]
    again = await machine.run("host", "broker", "init", str(folder), "--host", "127.0.0.1")
    assert (again.exit_code, "not empty" in again.stderr) == (2, True)
    shown = (await machine.run("host", "--json", "broker", "show", str(folder))).json
    assert (shown["invitation"], shown["check"]) == (made["invitation"], made["check"])

    broker = await machine.start("host", "broker", "run", str(folder))
    assert broker.stderr is not None
    while b"Server is ready" not in (line := await broker.stderr.readline()):
        assert line, "nats-server says when it is ready"

    joined = [
        (await machine.run(name, "--json", "join", made["invitation"])).json for name in ("alice", "bob")
    ]
    assert {tuple(one["servers"]) for one in joined} == {(f"tls://127.0.0.1:{port}",)}
    once_more = await machine.run("bob", "join", made["invitation"])
    assert f"as joined before (check {made['check']})" in once_more.stderr
    invitation = (await machine.run("alice", "--json", "invite")).json
    mailed = "\n".join(textwrap.wrap(invitation["invitation"], 76))
    taken = (await machine.run("bob", "--json", "join", "-", stdin=mailed + "\n")).json
    assert (taken["nickname"], taken["did"], taken["check"]) == (
        "alice",
        invitation["did"],
        invitation["check"],
    )

    alice, bob = await together(*(session(machine, name) for name in ("alice", "bob")))
    # Alice has never heard of bob: his first words reach her where everybody's do.
    async with await alice.events() as told:
        await bob.ask("offer", "alice")
        ringing = await told.next("incoming_call")
        assert ringing["nickname"] == "bob"
        await alice.ask("accept", "--wait", "5")
        await together(connected(alice, 1), connected(bob, 1))
    status = await bob.ask("status")
    assert status["network"]["signal_servers"][0]["state"] == "connected"
    await together(alice.quit(), bob.quit())
    forgotten = await machine.run("bob", "join", "--forget")
    assert forgotten.exit_code == 0

    broker.terminate()
    assert await broker.wait() == 0


async def session(machine: Machine, name: str) -> Session:
    return await machine.serve(name, "--no-multicast", "--input", "tone:440", "--output", "null")
