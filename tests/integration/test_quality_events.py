"""A line that becomes bad and good again, and a peer that falls silent, as real sessions tell it."""

import signal

import numpy as np
import pytest
import soundfile

from blink_cli.core.impairment.conditions import Conditions
from blink_cli.lab.network.laboratory import Laboratory
from blink_cli.lab.session_calls import call_of, together
from blink_cli.lab.sessions import Machine

pytestmark = pytest.mark.real_time(within_s=60)

HOPELESS = Conditions(loss=0.75)
"""More than asking again can mend: each packet would have to go four times, and what goes again is one and a half times the stream at most."""


@pytest.mark.netns
async def test_a_bad_line_is_told_at_both_ends_and_its_recovery_too(lab: Laboratory) -> None:
    hosts = await lab.hosts("alice", "bob")
    alice, bob = await together(
        *(host.machine.serve(host.name, "--input", "tone:440", "--output", "null") for host in hosts)
    )
    async with call_of(alice, bob), await alice.events() as at_alice:
        async with await bob.events() as at_bob:
            await lab.set_conditions(HOPELESS, source=[hosts[0]], target=[hosts[1]])
            heard = await at_bob.next("audio_degraded", did=alice.did, direction="inbound", timeout_s=30)
            assert "%" in heard["reason"]
            far = await at_alice.next("audio_degraded", did=bob.did, direction="outbound", timeout_s=30)
            assert "lost on the way" in far["reason"]
            await lab.set_conditions(Conditions())
            again = await at_bob.next("audio_recovered", did=alice.did, direction="inbound", timeout_s=40)
            assert again["lasted_s"] > 3
            await at_alice.next("audio_recovered", did=bob.did, direction="outbound", timeout_s=40)
        # Only one way was bad.
        told = [
            (e["event"], e["direction"])
            for e in at_bob.seen
            if e["event"] in {"audio_degraded", "audio_recovered"}
        ]
        assert told == [("audio_degraded", "inbound"), ("audio_recovered", "inbound")]


async def test_a_loud_microphone_is_told_once(machine: Machine) -> None:
    alice, bob = await together(
        machine.serve("alice", "--input", "silence", "--output", "null"),
        machine.serve("bob", "--input", "silence", "--output", "null"),
    )
    async with call_of(alice, bob), await alice.events() as events:
        await alice.blink("set-input", loud_file(machine))
        failed = await events.next("stream_failed", problem="clipping", timeout_s=30)
        assert failed["did"] == alice.did
        await alice.blink("set-input", "silence")
        await events.next("stream_restored", problem="clipping", timeout_s=20)


def loud_file(machine: Machine) -> str:
    """A square wave at full scale, as an overdriven microphone gives."""
    path = machine.directory / "loud.wav"
    wave = np.sign(np.sin(np.arange(48_000 * 2) * 0.05)).astype(np.float32)
    soundfile.write(path, wave, 48_000, subtype="PCM_16")
    return f"file:{path}?loop=1"


async def test_a_lost_link_is_told_by_the_link_alone(machine: Machine) -> None:
    alice, bob = await together(
        machine.serve("alice", "--input", "tone:440", "--output", "null"),
        machine.serve("bob", "--input", "tone:440", "--output", "null"),
    )
    async with call_of(alice, bob), await alice.events() as events:
        # Frozen, bob sends nothing at all: the link is lost before silence would be reported, and silence is not told besides.
        bob.signal(signal.SIGSTOP)
        await events.next("link_changed", did=bob.did, link="lost", timeout_s=20)
        bob.signal(signal.SIGCONT)
        await events.next("link_changed", did=bob.did, link="connected", timeout_s=30)
        assert not [event for event in events.seen if event["event"] == "stream_failed"]
