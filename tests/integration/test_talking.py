"""Who talks, in real calls: told in time to oneself and to the other, and automute."""

import asyncio
import os
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pytest

from blink_cli.audio.samples import Samples
from blink_cli.lab.session_calls import call_of, together
from blink_cli.lab.session_events import Events
from blink_cli.lab.sessions import Machine
from blink_cli.lab.spoken_phrases import Spoken, noise, with_pauses
from blink_cli.lab.voices import read_mono, write_mono

pytestmark = [pytest.mark.real_time(within_s=60), pytest.mark.in_pairs]

ROOT = Path(__file__).resolve().parent.parent.parent
SENTENCES = 3
ONSET_S = 0.06
END_S = 0.4
WAY_S = 0.4
"""From one's microphone to the other's ear, and from an event to whoever reads it, on a machine that has other things to do."""

NETWORK_S = 0.05
"""A loopback, and an event loop on a machine that has other things to do."""


def delays_s(told: list[dict[str, Any]], begun_s: float, spoken: Spoken) -> tuple[list[float], list[float]]:
    """How long after the beginning and the end of its phrase each start and stop was, of a looped sound that began at `begun_s`."""
    length_s = len(spoken.sound) / 48_000
    starts: list[float] = []
    ends: list[float] = []
    for event in told:
        at_s = (event["at_s"] - begun_s) % length_s
        if event["event"] == "talking_started":
            starts.append(min(at_s - begin for begin, _ in spoken.phrases if begin <= at_s))
        else:
            ends.append(min(at_s - end for _, end in spoken.phrases if end <= at_s))
    return starts, ends


async def sentences(events: Events, did: str) -> list[dict[str, Any]]:
    """The next starts and stops of one participant."""
    told = []
    for _ in range(SENTENCES):
        told += [
            await events.next("talking_started", did=did, timeout_s=30),
            await events.next("talking_stopped", did=did, timeout_s=30),
        ]
    return told


async def test_oneself_and_the_other_are_told_when_a_phrase_begins_and_ends(
    machine: Machine, tmp_path: Path
) -> None:
    spoken = with_pauses(1, pause_s=1.0, level_dbfs=-26, noise_dbfs=-70)
    speech = write_mono(tmp_path / "speech.wav", spoken.sound)
    alice, bob = await together(
        machine.serve("alice", "--input", f"file:{speech}?loop=1", "--output", "null"),
        machine.serve("bob", "--input", "silence", "--output", "null"),
    )
    async with call_of(alice, bob), await alice.events() as here, await bob.events() as there:
        own, heard = await asyncio.gather(sentences(here, alice.did), sentences(there, alice.did))
        clocks = (await alice.ask("status"))["clocks"]
    begun_s = clocks["monotonic_s"] - clocks["input_position_s"]
    for told, way_s in ((own, 0.0), (heard, NETWORK_S)):
        starts, ends = delays_s(told, begun_s, spoken)
        assert median(starts) <= ONSET_S + way_s, starts
        assert median(ends) <= END_S + way_s, ends


async def test_without_the_detector_loudness_tells_who_talks_and_that_is_said_once(tmp_path: Path) -> None:
    (tmp_path / "earshot.py").write_text("raise ImportError('no build for this platform')")
    spoken = with_pauses(0, pause_s=1.0, level_dbfs=-26, noise_dbfs=-70)
    speech = write_mono(tmp_path / "speech.wav", spoken.sound)
    async with Machine(environment={"PYTHONPATH": os.pathsep.join((str(tmp_path), str(ROOT)))}) as machine:
        alice, bob = await together(
            machine.serve("alice", "--input", f"file:{speech}?loop=1", "--output", "null"),
            machine.serve("bob", "--input", "silence", "--output", "null"),
        )
        async with await alice.events() as here, await bob.events() as there, call_of(alice, bob):
            told = await here.next("processing_unavailable")
            for events in (here, there):
                await events.next("talking_started", did=alice.did)
                await events.next("talking_stopped", did=alice.did)
            await here.next("talking_started", did=alice.did)
            voice = (await alice.ask("status"))["processing"]["voice"]
            assert [one for one in here.seen if one.get("event") == "processing_unavailable"] == [told]
    assert told["filters"] == ["voice"]
    assert "no build for this platform" in told["reason"]
    assert voice == {"told_by": "loudness", "reason": told["reason"]}


def loudest_dbfs(heard: Samples, from_s: float, until_s: float) -> float:
    """Of the 20 ms within a stretch."""
    piece = heard[round(from_s * 48_000) : round(until_s * 48_000)]
    frames = piece[: len(piece) // 960 * 960].reshape(-1, 960)
    return 10 * float(np.log10(np.square(frames).mean(axis=1).max() + 1e-13))


async def test_automute_mutes_while_the_other_talks_and_nobody_sees_it(
    machine: Machine, tmp_path: Path
) -> None:
    spoken = with_pauses(0, pause_s=1.5, level_dbfs=-26, noise_dbfs=-70)
    speech = write_mono(tmp_path / "speech.wav", spoken.sound)
    fan = write_mono(tmp_path / "fan.wav", noise(10 * 48_000, -45.0, seed=1))
    alice, bob = await together(
        machine.serve("alice", "--input", f"file:{fan}?loop=1", "--output", "null", "--automute"),
        machine.serve("bob", "--input", f"file:{speech}?loop=1", "--output", f"wav:{tmp_path / 'heard.wav'}"),
    )
    async with call_of(alice, bob), await alice.events() as events:
        began = await events.next("automuted")
        ended = await events.next("automute_ended", timeout_s=30)
        again = await events.next("automuted", timeout_s=30)
        clocks = (await bob.ask("status"))["clocks"]
        muting = await alice.until("status", lambda s: s["processing"]["automute"]["state"] == "muting")
        assert not muting["muted"], "it is not the user's mute"
        (seen,) = [p for p in (await bob.ask("status"))["call"]["participants"] if p["did"] == alice.did]
        assert not seen["muted"]
        await alice.ask("automute", "off")
        await events.next("automute_ended")
    assert (await alice.ask("status"))["processing"]["automute"] == {"chosen": False, "state": "off"}
    await bob.quit()
    # What the other hears of the fan: nothing while it is muted, and the fan in between.
    heard = read_mono(tmp_path / "heard.wav")
    begun_s = clocks["monotonic_s"] - clocks["output_position_s"]
    muted_s, opened_s, muted_again_s = (one["seen_s"] - begun_s for one in (began, ended, again))
    assert loudest_dbfs(heard, muted_s + WAY_S, opened_s - WAY_S) < -75.0
    assert -50.0 < loudest_dbfs(heard, opened_s + WAY_S, muted_again_s - 0.1) < -40.0
