"""Microphones and speakers that change while people talk."""

import asyncio
import time
from pathlib import Path
from statistics import median

import numpy as np
import pytest

from blink_cli.core.voice import SAMPLE_RATE_HZ
from tests.support.continuity import gaps
from tests.support.envelopes import Samples
from tests.support.listening import Listener
from tests.support.sessions import Machine, call_of, together
from tests.support.sound_server import SoundServer


def level_of(samples: Samples, frequency_hz: float) -> float:
    seconds = np.arange(len(samples)) / SAMPLE_RATE_HZ
    return float(2 * abs(np.mean(samples * np.exp(-2j * np.pi * frequency_hz * seconds))))


async def test_another_input_in_the_middle_of_a_call_needs_no_new_connection(
    machine: Machine, tmp_path: Path
) -> None:
    heard = tmp_path / "bob.wav"
    alice, bob = await together(
        machine.serve("alice", "--input", "tone:440", "--output", "null"),
        machine.serve("bob", "--input", "silence", "--output", f"wav:{heard}"),
    )
    async with await bob.events() as at_bob, call_of(alice, bob):
        await asyncio.sleep(1.5)
        changed_s = time.monotonic()
        changed = await alice.ask("set-input", "tone:660")
        assert changed["device"] == "tone:660"
        await asyncio.sleep(2.5)
        status = await bob.ask("status")
        (link,) = (await bob.ask("rtp-stats"))["peers"]
    await together(alice.quit(), bob.quit())
    ear = Listener.of(status, heard)
    assert level_of(ear.between(changed_s - 1.0, 0.8), 440) > 0.05
    after = ear.between(changed_s + 1.2, 1.0)
    assert level_of(after, 660) > 0.05
    assert level_of(after, 440) < 0.005
    assert link["inbound"]["packetsLost"] == 0
    assert [e for e in at_bob.seen if e.get("event") == "link_changed" and e["link"] == "lost"] == []
    assert all(gap.duration_s <= 0.1 for gap in gaps(ear.between(changed_s - 0.5, 3.0)))


async def test_another_output_goes_on_where_the_first_ended(machine: Machine, tmp_path: Path) -> None:
    first, second = tmp_path / "first.wav", tmp_path / "second.wav"
    alice, bob = await together(
        machine.serve("alice", "--input", "tone:440", "--output", "null"),
        machine.serve("bob", "--input", "silence", "--output", f"wav:{first}"),
    )
    async with call_of(alice, bob):
        await asyncio.sleep(1.0)
        await bob.ask("set-output", f"wav:{second}")
        before = await bob.ask("status")
        await asyncio.sleep(1.5)
    await together(alice.quit(), bob.quit())
    assert before["output"] == f"wav:{second}"
    tone = Listener.of(before, second).between(before["clocks"]["monotonic_s"] + 0.2, 1.0)
    assert level_of(tone, 440) > 0.05


@pytest.mark.sound
@pytest.mark.timeout(300)
async def test_two_sessions_talk_through_two_sound_cards() -> None:
    with SoundServer("left", "right") as server:
        async with Machine(environment=server.environment) as machine:
            # What alice plays on `left` is recorded by bob's program from left's monitor, and the call carries 440 Hz on.
            alice, bob, ear = await together(
                machine.serve("alice", "--input", "right_monitor", "--output", "left"),
                machine.serve("bob", "--input", "tone:440", "--output", "null"),
                machine.serve("ear", "--input", "left_monitor", "--output", "null"),
            )
            listener = machine.directory / "dave.wav"
            dave = await machine.serve("dave", "--input", "silence", "--output", f"wav:{listener}")
            # bob's tone -> network -> alice's sound card `left` -> its monitor is ear's microphone -> network -> dave.
            async with call_of(alice, bob), call_of(ear, dave):
                from_s = time.monotonic() + 1.0
                await asyncio.sleep(3.5)
                status = await dave.ask("status")
            await together(*(session.quit() for session in (alice, bob, ear, dave)))
            heard = Listener.of(status, listener).between(from_s, 2.0)
            # In short pieces: two sound cards and two calls each have a clock, and where one is followed the tone's phase moves.
            pieces = [level_of(heard[at : at + 4_800], 440) for at in range(0, len(heard) - 4_799, 4_800)]
            assert median(pieces) > 0.02
            assert all(gap.duration_s <= 0.1 for gap in gaps(heard))


@pytest.mark.sound
@pytest.mark.timeout(120)
async def test_an_unplugged_sound_card_is_told_the_default_takes_over_and_the_call_goes_on() -> None:
    with SoundServer("left", "right") as server:
        async with Machine(environment=server.environment) as machine:
            alice, bob, ear = await together(
                machine.serve("alice", "--input", "tone:440", "--output", "null"),
                machine.serve("bob", "--input", "silence", "--output", "right"),
                machine.serve("ear", "--input", "left_monitor", "--output", "null"),
            )
            listener = machine.directory / "dave.wav"
            dave = await machine.serve("dave", "--input", "silence", "--output", f"wav:{listener}")
            async with call_of(alice, bob), call_of(ear, dave), await bob.events() as at_bob:
                server.unplug("right")
                lost = await at_bob.next("device_lost", direction="output", timeout_s=10.0)
                assert (lost["device"], lost["replacement"]) == ("right", "default")
                assert (await bob.ask("status"))["output"] == "default"
                from_s = time.monotonic() + 1.0
                await asyncio.sleep(2.5)
                status = await dave.ask("status")
                company = (await bob.ask("participants"))["participants"]
                assert {one["link"] for one in company} == {"self", "connected"}
                # When nothing is left to play on, the call goes on unheard.
                server.unplug("left")
                gone = await at_bob.next("device_lost", direction="output", timeout_s=10.0)
                assert gone["replacement"] == "null"
                assert (await bob.ask("status"))["call"]["state"] == "in_call"
            await together(*(session.quit() for session in (alice, bob, ear, dave)))
            heard = Listener.of(status, listener).between(from_s, 1.0)
            pieces = [level_of(heard[at : at + 4_800], 440) for at in range(0, len(heard) - 4_799, 4_800)]
            assert median(pieces) > 0.02, "bob's voice came out of the default device"
