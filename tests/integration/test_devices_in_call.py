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
async def test_what_an_unplugged_sound_card_played_is_heard_from_the_default() -> None:
    with SoundServer("left", "right") as server:
        async with Machine(environment=server.environment) as machine:
            alice, bob, ear = await together(
                machine.serve("alice", "--input", "tone:440", "--output", "null"),
                machine.serve("bob", "--input", "silence", "--output", "right"),
                machine.serve("ear", "--input", "left_monitor", "--output", "null"),
            )
            listener = machine.directory / "dave.wav"
            dave = await machine.serve("dave", "--input", "silence", "--output", f"wav:{listener}")
            async with call_of(alice, bob), call_of(ear, dave):
                server.unplug("right")
                from_s = time.monotonic() + 2.5
                await asyncio.sleep(4.5)
                status, at_bob = await dave.ask("status"), await bob.ask("status")
                # PulseAudio either ends the stream, and the program takes the default, or moves it there and says nothing.
                assert at_bob["output"] in ("default", "right")
                assert {one["link"] for one in at_bob["call"]["participants"]} == {"self", "connected"}
            await together(*(session.quit() for session in (alice, bob, ear, dave)))
            heard = Listener.of(status, listener).between(from_s, 1.5)
            pieces = [level_of(heard[at : at + 4_800], 440) for at in range(0, len(heard) - 4_799, 4_800)]
            assert median(pieces) > 0.02


@pytest.mark.sound
@pytest.mark.timeout(120)
async def test_the_last_sound_card_unplugged_is_told_and_the_call_goes_on() -> None:
    with SoundServer("only") as server:
        async with Machine(environment=server.environment) as machine:
            alice, bob = await together(
                machine.serve("alice", "--input", "tone:440", "--output", "null"),
                machine.serve("bob", "--input", "only_monitor", "--output", "only"),
            )
            async with call_of(alice, bob), await bob.events() as at_bob:
                server.unplug("only")
                changed = [await at_bob.next("device_changed") for _ in range(2)]
                assert {(event["direction"], event["device"]) for event in changed} == {
                    ("input", "silence"),
                    ("output", "null"),
                }
                lost = [event for event in at_bob.seen if event.get("event") == "device_lost"]
                assert {event["device"] for event in lost} == {"only", "only_monitor"}
                status = await bob.ask("status")
                assert (status["input"], status["output"]) == ("silence", "null")
                assert status["call"]["state"] == "in_call"
                assert {one["link"] for one in status["call"]["participants"]} == {"self", "connected"}
            await together(alice.quit(), bob.quit())
