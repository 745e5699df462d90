"""What is done to the microphone's sound in a real call: set while it runs, shown, remembered, and dumped for who tunes it."""

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from blink_cli.lab.envelopes import Samples
from blink_cli.lab.session_calls import call_of, together
from blink_cli.lab.sessions import Machine, Session
from blink_cli.lab.voices import voice, write_mono
from tests.support.sound_server import SoundServer

pytestmark = [pytest.mark.real_time(within_s=60), pytest.mark.timeout(240)]

RATE_HZ = 48_000
KINDS = ("microphone", "reference", "processed")


async def call_of_two(machine: Machine, tmp_path: Path, *options: str) -> tuple[Session, Session]:
    """Alice speaks over a hiss, every other two seconds, bob all the time; both from files that start over."""
    hiss = np.random.default_rng(5).normal(0, 0.004, 4 * RATE_HZ).astype(np.float32)
    hiss[: 2 * RATE_HZ] += voice(0, 2.0)[: 2 * RATE_HZ]
    noisy = write_mono(tmp_path / "alice.wav", hiss)
    other = write_mono(tmp_path / "bob.wav", voice(1, 6.0))
    alice, bob = await together(
        machine.serve("alice", "--input", f"file:{noisy}?loop=1", "--output", "null", *options),
        machine.serve("bob", "--input", f"file:{other}?loop=1", "--output", "null"),
    )
    await asyncio.gather(alice.ask("offer", bob.did, "--wait", "15"), bob.ask("accept", "--wait", "15"))
    return alice, bob


def document(path: Path) -> Any:
    """What a sidecar holds."""
    return json.loads(path.read_text())


async def processing(session: Session) -> Any:
    """What `status` says of it."""
    return (await session.ask("status"))["processing"]


def rms_db(samples: Samples) -> float:
    """Of a piece, in dBFS."""
    return 10 * float(np.log10(np.mean(np.square(samples)) + 1e-12))


def lag_samples(sound: Samples, of: Samples) -> int:
    """How much later `sound` is than `of`, by correlation."""
    count = 1 << (len(of) * 2 - 1).bit_length()
    spectrum = np.fft.rfft(sound, count) * np.conj(np.fft.rfft(of, count))
    # Only the phase: a filter that takes noise out changes the spectrum, and shall not move the peak.
    peaks = np.fft.irfft(spectrum / (np.abs(spectrum) + 1e-9), count)
    found = int(np.argmax(peaks))
    return found if found < count // 2 else found - count


def echo_lag_samples(near: Samples, far: Samples) -> int:
    """How much later `far` is found in `near`."""
    count = 1 << (len(far) * 2 - 1).bit_length()
    found = int(np.argmax(np.fft.irfft(np.fft.rfft(near, count) * np.conj(np.fft.rfft(far, count)), count)))
    return found if found < count // 2 else found - count


def pieces(from_s: float, to_s: float) -> list[slice]:
    """Half seconds between two moments of a recording."""
    return [
        slice(start, start + RATE_HZ // 2)
        for start in range(round(from_s * RATE_HZ), round(to_s * RATE_HZ), RATE_HZ // 2)
    ]


async def test_filters_are_set_in_a_call_and_their_effect_lies_on_the_sound_sample_by_sample(
    machine: Machine, tmp_path: Path
) -> None:
    alice, bob = await call_of_two(machine, tmp_path)
    before = await processing(alice)
    assert (before["echo"]["chosen"], before["echo"]["state"]) == ("auto", "off")
    assert before["echo"]["reason"].startswith("the input is file:")
    assert (before["noise"]["state"], before["gain"]["state"]) == ("off", "off")

    folder = tmp_path / "debugging"
    async with await bob.events() as events:
        begun = await alice.ask("record", "start", "--processing", str(folder))
        await events.next("recording_started", did=alice.did)
    await asyncio.sleep(1.5)  # sound with nothing done to it
    plain = (await alice.ask("record", "status"))["processing"]
    assert (plain["lost_s"], plain["failure"]) == (0.0, None)

    set_now = await alice.ask("noise-suppress", "high")
    assert (set_now["processing"]["noise"]["state"], set_now["not_remembered"]) == ("high", None)
    await alice.ask("echo-cancel", "on")
    # The first figures may be of the chain before the echo canceller was in it.
    on = await alice.until(
        "status",
        lambda status: status["processing"]["cost_us"] is not None and status["processing"]["delay_ms"] > 0,
        what="a figure of the whole chain",
    )
    assert (on["processing"]["echo"]["state"], on["processing"]["noise"]["state"]) == ("on", "high")
    await asyncio.sleep(5)  # the suppressor learns the hiss, and every part of the file passes
    state = (await alice.ask("record", "status"))["processing"]
    end = round(state["duration_s"] * RATE_HZ)
    stopped = await alice.ask("record", "stop")

    files = {file["kind"]: file for file in stopped["files"]}
    assert stopped["warning"] is None
    assert set(files) == {"mp4", "sidecar", *KINDS}
    assert [person["did"] for person in files["reference"]["participants"]] == [bob.did]
    assert [person["did"] for person in files["processed"]["participants"]] == [alice.did]
    sidecar = document(Path(begun["sidecar"]))
    assert {entry["kind"] for entry in sidecar["files"]} == {"mp4", *KINDS}
    sounds = [soundfile.read(files[kind]["path"], dtype="float32") for kind in KINDS]
    assert {rate_hz for _, rate_hz in sounds} == {RATE_HZ}
    near, far, processed = (sound for sound, _ in sounds)
    assert len(near) == len(far) == len(processed)
    assert len(near) >= end

    # What the microphone gave is the file, to the sample, at one place; with no filter on it is what was sent.
    said, _ = soundfile.read(tmp_path / "alice.wav", dtype="float32")
    untouched = round(plain["duration_s"] * RATE_HZ)
    piece = slice(untouched - RATE_HZ // 2, untouched)
    np.testing.assert_array_equal(processed[piece], near[piece])
    place = lag_samples(np.concatenate((near[piece], np.zeros(len(said), np.float32)))[: len(said)], said)
    looped = np.roll(said, place)[: RATE_HZ // 2]
    np.testing.assert_array_equal(near[piece], looped)

    # With the filters on: less noise, at the very same place. And bob is heard meanwhile.
    last = slice(end - 4 * RATE_HZ, end)
    assert lag_samples(processed[last], near[last]) == 0
    quiet = np.quantile([rms_db(part) for part in np.split(near[last], 200)], 0.1)
    quieter = np.quantile([rms_db(part) for part in np.split(processed[last], 200)], 0.1)
    assert quieter < quiet - 6
    assert rms_db(far[last]) > -45


@pytest.mark.sound
async def test_auto_follows_the_devices_and_the_echo_lies_on_its_reference(tmp_path: Path) -> None:
    other = write_mono(tmp_path / "bob.wav", voice(1, 6.0))
    with SoundServer("speaker", "usb-headset") as server:
        async with Machine(environment=server.environment) as machine:
            alice, bob = await together(
                machine.serve("alice", "--input", "speaker.monitor", "--output", "speaker"),
                machine.serve("bob", "--input", f"file:{other}?loop=1", "--output", "null"),
            )
            async with call_of(alice, bob):
                await alice.ask("record", "start", "--processing", str(tmp_path))
                echo = (await processing(alice))["echo"]
                assert (echo["chosen"], echo["state"]) == ("auto", "on")
                assert "can hear" in echo["reason"]
                await asyncio.sleep(5)  # something to cancel, and to compare
                await alice.until(
                    "status",
                    lambda status: (status["processing"]["echo"]["removed_db"] or 0) > 6,
                    what="echo that was removed",
                )
                await alice.ask("set-output", "usb-headset")
                echo = (await processing(alice))["echo"]
                assert (echo["state"], echo["removed_db"]) == ("off", None)
                assert "at the ear: " in echo["reason"]
                stopped = await alice.ask("record", "stop")
            await together(alice.quit(), bob.quit())
    near, far, processed = (
        soundfile.read(file["path"], dtype="float32")[0]
        for kind in KINDS
        for file in stopped["files"]
        if file["kind"] == kind
    )
    # The monitor is an echo without a room. Sound servers tell their delays to some milliseconds, on a busy machine worse.
    lags = [echo_lag_samples(near[part], far[part]) for part in pieces(2.0, 5.0)]
    assert abs(float(np.median(lags))) < 0.02 * RATE_HZ, lags
    assert rms_db(processed[2 * RATE_HZ : 5 * RATE_HZ]) < rms_db(near[2 * RATE_HZ : 5 * RATE_HZ]) - 6


async def test_a_choice_is_remembered_and_an_option_is_of_one_session(machine: Machine) -> None:
    devices = ("--input", "silence", "--output", "null")
    alice = await machine.serve("alice", *devices)
    await alice.ask("echo-cancel", "off")
    await alice.ask("noise-suppress", "low")
    await alice.ask("auto-gain", "on")
    await alice.quit()
    alice = await machine.serve("alice", *devices, "--noise-suppress", "high", "--no-auto-gain")
    told = await processing(alice)
    assert [told[part]["chosen"] for part in ("echo", "noise", "gain")] == ["off", "high", False]
    await alice.quit()
    alice = await machine.serve("alice", *devices)
    told = await processing(alice)
    assert [told[part]["chosen"] for part in ("echo", "noise", "gain")] == ["off", "low", True]


async def test_without_the_library_the_call_goes_on_and_it_is_said_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "pywebrtc_audio.py").write_text("raise ImportError('wrong platform')")
    search = os.pathsep.join(filter(None, (str(tmp_path), os.environ.get("PYTHONPATH"))))
    async with Machine(environment={"PYTHONPATH": search}) as machine:
        alice, _ = await call_of_two(machine, tmp_path)
        async with await alice.events() as events:
            await alice.ask("noise-suppress", "low")
            told = await events.next("processing_unavailable")
        assert told["filters"] == ["noise"]
        assert "wrong platform" in told["reason"]
        assert "blink doctor" in told["reason"]
        noise = (await processing(alice))["noise"]
        assert (noise["state"], noise["chosen"], noise["reason"]) == ("unavailable", "low", told["reason"])
        statistics = await alice.ask("rtp-stats")
        assert statistics["peers"][0]["outbound"]["packetsSent"] > 0
