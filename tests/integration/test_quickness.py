"""How soon: loose bounds that a loaded machine keeps; the figures themselves come from `scripts/bench setup`."""

import statistics

import pytest

from blink_cli.lab.session_calls import call_of, together
from blink_cli.lab.session_events import moment
from blink_cli.lab.sessions import Machine

pytestmark = pytest.mark.real_time


async def test_help_and_an_attached_status_are_quick(machine: Machine) -> None:
    alice = await machine.serve("alice", "--input", "silence", "--output", "null")
    helps = [await machine.run("alice", "--help") for _ in range(5)]
    states = [await alice.blink("status") for _ in range(5)]
    # Asked: 0.25 s and 0.4 s, on a machine that is not busy with others.
    assert min(run.duration_s for run in helps) < 1.0
    assert min(run.duration_s for run in states) < 1.5


async def test_links_stand_soon_after_the_offer(machine: Machine) -> None:
    alice, bob = await together(
        *(machine.serve(name, "--input", "tone:440", "--output", "null") for name in ("alice", "bob"))
    )
    took_s = []
    for _ in range(5):
        async with await alice.events() as at_alice, await bob.events() as at_bob, call_of(alice, bob):
            accepted = await at_bob.next("call_joined")
            stands = await together(at_alice.links(1), at_bob.links(1))
            took_s.append((max(stands) - moment(accepted)).total_seconds())
    assert statistics.median(took_s) < 1.0, took_s
