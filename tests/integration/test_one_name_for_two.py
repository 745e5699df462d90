"""Two sessions call themselves alike: who is in the call is meant where only a participant can be, and nobody where a call begins."""

import pytest

from blink_cli.lab.session_calls import call_of, together
from blink_cli.lab.sessions import Machine

pytestmark = pytest.mark.real_time(within_s=30)


async def test_the_one_in_the_call_is_heard_and_muted_by_its_name(machine: Machine) -> None:
    alice, bob = await together(
        *(machine.serve(name, "--input", "silence", "--output", "null") for name in ("alice", "bob"))
    )
    async with call_of(alice, bob):
        other = await machine.serve("other", "--nickname", "bob", "--input", "silence", "--output", "null")
        await alice.until("peers", lambda found: len(found) == 2)
        mine, theirs = [(await session.ask("whoami"))["did"] for session in (bob, other)]
        assert (await alice.ask("mute", "bob"))["did"] == mine
        assert (await alice.ask("gain", f"...{theirs[-6:]}", "-3"))["did"] == theirs
    refused = await machine.run("alice", "offer", "bob")
    assert refused.exit_code == 3
    assert "could be several peers" in refused.stderr
