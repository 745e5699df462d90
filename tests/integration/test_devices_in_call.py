"""Microphones and speakers that change while people talk."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median
from typing import Any, Self

import numpy as np
import pytest

from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.lab.continuity import gaps
from blink_cli.lab.envelopes import Samples
from blink_cli.lab.listening import Listener
from blink_cli.lab.session_calls import call_of, together
from blink_cli.lab.sessions import Machine, Session
from tests.support.sound_server import SoundServer

pytestmark = [pytest.mark.real_time(within_s=60), pytest.mark.in_pairs]


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


async def test_looking_at_the_devices_leaves_the_file_that_is_being_written(
    machine: Machine, tmp_path: Path
) -> None:
    heard = tmp_path / "bob.wav"
    alice, bob = await together(
        machine.serve("alice", "--input", "tone:440", "--output", "null"),
        machine.serve("bob", "--input", "silence", "--output", f"wav:{heard}"),
    )
    async with call_of(alice, bob):
        from_s = time.monotonic() + 0.3
        await asyncio.sleep(1.5)
        configs = await bob.ask("device-configs")
        status = await bob.ask("status")
    await together(alice.quit(), bob.quit())
    assert configs["output"]["name"] == f"wav:{heard}"
    assert level_of(Listener.of(status, heard).between(from_s, 1.0), 440) > 0.05


class Eavesdropper:
    """Two more sessions: the microphone of one is what a sound card plays, and the other writes down what it says."""

    def __init__(self, scribe: Session, file: Path) -> None:
        self._scribe = scribe
        self._file = file
        self._status: Any = None

    @classmethod
    @asynccontextmanager
    async def at(cls, card: str, machine: Machine) -> AsyncIterator[Self]:
        """Listen until the block ends; what was heard is known then."""
        file = machine.directory / "scribe.wav"
        ear, scribe = await together(
            machine.serve("ear", "--input", f"{card}_monitor", "--output", "null"),
            machine.serve("scribe", "--input", "silence", "--output", f"wav:{file}"),
        )
        here = cls(scribe, file)
        async with call_of(ear, scribe):
            yield here
            here._status = await scribe.ask("status")
        await together(ear.quit(), scribe.quit())

    def between(self, from_s: float, duration_s: float) -> Samples:
        """What the card played, about a tenth of a second later, from a moment of the monotonic clock."""
        return Listener.of(self._status, self._file).between(from_s, duration_s)


def tone_level(heard: Samples) -> float:
    """In short pieces: two sound cards and two calls each have a clock, and where one is followed the tone's phase moves."""
    return median(level_of(heard[at : at + 4_800], 440) for at in range(0, len(heard) - 4_799, 4_800))


@pytest.mark.sound
@pytest.mark.timeout(120)
async def test_two_sessions_talk_through_two_sound_cards() -> None:
    with SoundServer("left", "right") as server:
        async with Machine(environment=server.environment) as machine:
            alice, bob = await together(
                machine.serve("alice", "--input", "right_monitor", "--output", "left"),
                machine.serve("bob", "--input", "tone:440", "--output", "null"),
            )
            # bob's tone -> network -> alice's sound card `left` -> its monitor -> network -> the file.
            async with Eavesdropper.at("left", machine) as eavesdropper, call_of(alice, bob):
                from_s = time.monotonic() + 1.0
                await asyncio.sleep(3.5)
            await together(alice.quit(), bob.quit())
            heard = eavesdropper.between(from_s, 2.0)
            assert tone_level(heard) > 0.02
            assert all(gap.duration_s <= 0.1 for gap in gaps(heard)), gaps(heard)


@pytest.mark.sound
@pytest.mark.timeout(120)
async def test_what_an_unplugged_sound_card_played_is_heard_from_the_default() -> None:
    with SoundServer("left", "right") as server:
        async with Machine(environment=server.environment) as machine:
            alice, bob = await together(
                machine.serve("alice", "--input", "tone:440", "--output", "null"),
                machine.serve("bob", "--input", "silence", "--output", "right"),
            )
            async with Eavesdropper.at("left", machine) as eavesdropper, call_of(alice, bob):
                server.unplug("right")
                from_s = time.monotonic() + 2.5
                await asyncio.sleep(4.5)
                at_bob = await bob.ask("status")
                # PulseAudio either ends the stream, and the program takes the default, or moves it there.
                assert at_bob["output"] in ("default", "left")
                assert at_bob["output_place"]["name"] == "left"
                assert {one["link"] for one in at_bob["call"]["participants"]} == {"self", "connected"}
            await together(alice.quit(), bob.quit())
            assert tone_level(eavesdropper.between(from_s, 1.5)) > 0.02


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
