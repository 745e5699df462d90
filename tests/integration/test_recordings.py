"""Recordings of real calls between real sessions: what the commands say, and what is in the files."""

import asyncio
import json
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from blink_cli.core.impairment.conditions import Conditions
from blink_cli.lab.network.laboratory import Laboratory
from blink_cli.lab.requirements import require_program
from blink_cli.lab.session_calls import call_of, connected, together
from blink_cli.lab.sessions import Machine, Session
from tests.support.decoded_track import decoded

pytestmark = [pytest.mark.real_time(within_s=60), pytest.mark.in_pairs]

RATE_HZ = 48_000
CLICK_S = 0.7
LOOP_S = 1.5


def clicking(path: Path) -> Path:
    """A sound that clicks every second and a half, on faint noise."""
    sound = np.random.default_rng(3).normal(0, 0.003, round(LOOP_S * RATE_HZ))
    click = round(CLICK_S * RATE_HZ)
    sound[click : click + 96] += 0.8 * np.sin(np.arange(96) * 0.5)
    soundfile.write(path, sound.astype(np.float32), RATE_HZ)
    return path


def document(path: Path) -> Any:
    """What a sidecar holds."""
    return json.loads(path.read_text())


def all_files(paths: list[str]) -> bool:
    """Whether all of them are there."""
    return all(Path(path).is_file() for path in paths)


async def tracks_of(path: Path) -> list[dict[str, Any]]:
    """What ffprobe says of a file's streams."""
    ffprobe = require_program("ffprobe", debian_package="ffmpeg")
    process = await asyncio.create_subprocess_exec(
        *(ffprobe, "-v", "error", "-show_streams", "-of", "json", str(path)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    stdout, stderr = await process.communicate()
    assert process.returncode == 0, stderr.decode()
    assert not stderr, stderr.decode()
    streams: list[dict[str, Any]] = json.loads(stdout)["streams"]
    return streams


def lateness_s(sound: npt.NDArray[np.float32], clicks_s: list[float]) -> list[float]:
    """How late each click is in a track; not a number where there is none within 0.2 s."""
    found = []
    for at_s in clicks_s:
        first = max(round((at_s - 0.2) * RATE_HZ), 0)
        window = np.abs(sound[first : first + round(0.4 * RATE_HZ)])
        peak = int(np.argmax(window)) if len(window) else 0
        loud = len(window) > 0 and window[peak] > 0.1
        found.append((first + peak) / RATE_HZ - at_s if loud else float("nan"))
    return found


async def clicks(session: Session, sidecar: Any, from_s: float, to_s: float) -> list[float]:
    """When a session clicks, between two moments of a recording, by the clocks of its devices."""
    clocks = (await session.ask("status"))["clocks"]
    assert clocks["input_position_s"] is not None
    # The moment at which the file's start was captured, in the recording's time.
    origin_s = clocks["monotonic_s"] - clocks["input_position_s"] - sidecar["started_monotonic_s"]
    first = int(np.ceil((from_s - origin_s - CLICK_S) / LOOP_S))
    moments = [origin_s + CLICK_S + LOOP_S * number for number in range(first, first + 1000)]
    return [at_s for at_s in moments if at_s < to_s]


@pytest.mark.netns
async def test_a_call_of_three_is_recorded_in_sync_through_loss_a_late_join_and_a_drop(
    lab: Laboratory, tmp_path: Path
) -> None:
    sound = clicking(tmp_path / "clicks.wav")

    def devices(ppm: int) -> tuple[str, ...]:
        return ("--input", f"file:{sound}?loop=1&ppm={ppm}", "--output", "null")

    hosts = await lab.hosts("alice", "bob", "carol")
    alice, bob, carol = await together(
        *(
            host.machine.serve(host.name, *devices(ppm))
            for host, ppm in zip(hosts, (0, 150, -150), strict=True)
        )
    )
    await lab.set_conditions(Conditions(loss=0.05))
    events = await bob.events()
    folder = tmp_path / "recordings"
    async with events:
        offer, _ = await asyncio.gather(
            alice.ask("offer", bob.did, carol.did, "--wait", "15"), bob.ask("accept", "--wait", "15")
        )
        begun = await alice.ask("record", "start", str(folder), "--format", "mp4,wav,mix")
        began_s = time.monotonic()
        assert begun["path"].endswith(".part.mp4")
        assert len(await tracks_of(Path(begun["path"]))) == 3
        await events.next("recording_started", did=alice.did, path=None)
        shown = {p["did"]: p["recording"] for p in (await bob.ask("participants"))["participants"]}
        assert shown == {alice.did: True, bob.did: False, carol.did: False}

        again = await alice.blink("record", "start", expect=1)
        assert again.json["error"]["code"] == "state"
        marked = await alice.ask("record", "mark", "carol comes")
        await asyncio.sleep(max(began_s + 5 - time.monotonic(), 0))  # the scenario: five seconds late
        await carol.ask("accept", "--wait", "15")
        await connected(alice, 2)
        await lab.unplug(hosts[1])
        await asyncio.sleep(4)  # the scenario: gone for four seconds
        await lab.plug_in(hosts[1])
        await connected(alice, 2)
        state = await alice.ask("record", "status")
        assert state["recording"]
        assert {person["did"] for person in state["participants"]} == {alice.did, bob.did, carol.did}
        assert not state["leftovers"]
        back_s = state["duration_s"]
        await asyncio.sleep(5)  # something to compare
        sidecar_path = Path(begun["sidecar"])
        growing = document(sidecar_path)
        assert not growing["finished"]
        truth = {
            0: await clicks(alice, growing, 0.5, back_s + 4),
            1: await clicks(bob, growing, back_s + 0.5, back_s + 4),
            2: await clicks(carol, growing, back_s - 2, back_s + 4),
        }
        stopped = await alice.ask("record", "stop")
        await events.next("recording_stopped", did=alice.did)
        assert stopped["schema"] == 1
        assert offer["call"]
    kinds = [file["kind"] for file in stopped["files"]]
    assert sorted(kinds) == ["mix", "mp4", "sidecar", "wav", "wav", "wav"]
    assert all_files([file["path"] for file in stopped["files"]])
    assert not list(folder.glob("*.part.mp4"))
    final = Path(next(file["path"] for file in stopped["files"] if file["kind"] == "mp4"))
    streams = await tracks_of(final)
    assert [s["codec_name"] for s in streams] == ["opus"] * 3
    durations = [float(s["duration"]) for s in streams]
    assert max(durations) - min(durations) < 0.02
    sidecar = document(sidecar_path)
    assert sidecar["finished"]
    order = [person["did"] for person in sidecar["participants"]]
    for stream, person in zip(streams, sidecar["participants"], strict=True):
        assert stream["tags"]["handler_name"] == f"{person['nickname']} ({person['did']})"
    assert [marker["text"] for marker in sidecar["markers"]] == ["carol comes"]
    assert abs(sidecar["markers"][0]["at_s"] - marked["at_s"]) < 0.01

    late = sidecar["participants"][order.index(carol.did)]
    assert 4.5 < late["stints"][0]["from_s"] < 12
    assert late["gaps"][0]["reason"] == "absent"
    lost = sidecar["participants"][order.index(bob.did)]
    assert lost["missing_s"].get("lost", 0) + lost["missing_s"].get("absent", 0) > 3

    wavs = {file["participants"][0]["did"]: file for file in stopped["files"] if file["kind"] == "wav"}
    for number, session in enumerate((alice, bob, carol)):
        track = await decoded(final, order.index(session.did))
        wav, rate_hz = soundfile.read(wavs[session.did]["path"], dtype="float32")
        assert rate_hz == RATE_HZ
        assert len(wav) == len(track)
        off = lateness_s(track, truth[number])
        assert np.isfinite(off).sum() >= 1, (session.profile, off)
        assert np.nanmax(np.abs(off)) < 0.02, (session.profile, off)
        assert np.isnan(off).sum() <= 1
        assert np.allclose(lateness_s(wav, truth[number]), off, atol=0.001, equal_nan=True)
    for session in (alice, bob, carol):
        await session.quit()


async def test_recording_says_what_cannot_be_done_and_what_to_do(machine: Machine, tmp_path: Path) -> None:
    alice = await machine.serve("alice", "--input", "tone:440", "--output", "null")
    bob = await machine.serve("bob", "--input", "tone:660", "--output", "null")
    for command in (("record", "start"), ("record", "stop"), ("record", "mark", "x")):
        refused = await alice.blink(*command, expect=1)
        assert refused.json["error"]["code"] == "state"
        assert refused.json["error"]["hint"]
    assert not (await alice.ask("record", "status"))["recording"]
    assert (await alice.blink("record", "start", "--format", "mp3", expect=2)).json["error"][
        "code"
    ] == "usage"
    (tmp_path / "file").write_text("not a folder")
    async with call_of(alice, bob):
        refused = await alice.blink("record", "start", str(tmp_path / "file"), expect=1)
        assert str(tmp_path / "file") in refused.json["error"]["message"]
        assert not (await alice.ask("participants"))["participants"][0]["recording"]
        await alice.ask("record", "start", str(tmp_path / "out"))
        await alice.ask("mute")
    # The end of the call ended the recording, and finished it.
    state = await alice.until("status", lambda status: status["call"] is None)
    assert state
    ended = await alice.ask("record", "stop")
    assert ended["reason"] == "the call ended"
    (final,) = (tmp_path / "out").glob("*.mp4")
    assert ended["files"][0]["path"] == str(final)
    assert await alice.ask("record", "stop") == ended
    assert not final.name.endswith(".part.mp4")
    assert len(await tracks_of(final)) == 2
    unknown = await alice.blink("record", "repair", str(tmp_path / "none.part.mp4"), expect=3)
    assert unknown.json["error"]["code"] == "not_found"
    whole = await alice.blink("record", "repair", str(final), expect=1)
    assert whole.json["error"]["code"] == "state"
    exported = await alice.ask(
        "record", "export", str(final), "--format", "wav,mix", "--out", str(tmp_path / "wavs")
    )
    assert [file["kind"] for file in exported["files"]] == ["wav", "wav", "mix"]
    for file in exported["files"]:
        sound = soundfile.info(file["path"])
        assert sound.samplerate == RATE_HZ
        assert abs(sound.duration - file["duration_s"]) < 0.001


async def test_killed_sessions_leave_recordings_that_are_named_and_repaired(
    machine: Machine, tmp_path: Path
) -> None:
    sessions = await asyncio.gather(
        *(
            machine.serve(name, "--input", "tone:440", "--output", "null")
            for name in ("alice", "bob", "carol")
        )
    )
    async with call_of(*sessions):
        begun = await asyncio.gather(
            *(
                session.ask(
                    *("record", "start", str(tmp_path / session.profile)),
                    *("--format", "mp4,wav", "--processing"),
                )
                for session in sessions
            )
        )
        lasted_s = []
        for session, recording in zip(sessions, begun, strict=True):
            started_s = document(Path(recording["sidecar"]))["started_monotonic_s"]
            session.signal(signal.SIGKILL)
            lasted_s.append(time.monotonic() - started_s)
            await session.ended()
            await asyncio.sleep(0.7)  # the next one dies at another moment
    for session, recording, length_s in zip(sessions, begun, lasted_s, strict=True):
        durations = [float(stream["duration"]) for stream in await tracks_of(Path(recording["path"]))]
        assert len(durations) == 3
        assert length_s - 1.5 < min(durations) <= max(durations) < length_s + 0.1
        # No session runs any more; the profile remembers.
        state = (await machine.run(session.profile, "--json", "record", "status")).json
        assert [left["path"] for left in state["leftovers"]] == [recording["path"]]
        assert not state["recording"]
        repaired = (await machine.run(session.profile, "--json", "record", "repair", recording["path"])).json
        file = repaired["files"][0]
        assert [one["kind"] for one in repaired["files"]] == [
            *("mp4", "wav", "wav", "wav"),
            *("microphone", "reference", "processed"),
        ]
        assert "warning" not in repaired or repaired["warning"] is None
        for one in repaired["files"][1:]:
            assert soundfile.info(one["path"]).duration == pytest.approx(one["duration_s"], abs=0.001)
            assert one["duration_s"] == pytest.approx(file["duration_s"], abs=1.5)
        assert file["path"] == recording["path"].replace(".part.mp4", ".mp4")
        assert {person["did"] for person in file["participants"]} == {one.did for one in sessions}
        streams = await tracks_of(Path(file["path"]))
        assert all(abs(float(stream["duration"]) - file["duration_s"]) < 0.02 for stream in streams)
        assert not (await machine.run(session.profile, "--json", "record", "status")).json["leftovers"]


async def test_a_session_that_ends_finishes_its_recording(machine: Machine, tmp_path: Path) -> None:
    alice = await machine.serve("alice", "--input", "tone:440", "--output", "null")
    bob = await machine.serve("bob", "--input", "tone:660", "--output", "null")
    async with call_of(alice, bob):
        await asyncio.gather(
            *(
                session.ask("record", "start", str(tmp_path / folder), "--format", "mp4,wav")
                for session, folder in ((alice, "a"), (bob, "b"))
            )
        )
        assert await alice.terminate() == 0
        assert await bob.quit() == 0
    for folder in ("a", "b"):
        (final,) = (tmp_path / folder).glob("*.mp4")
        assert not final.name.endswith(".part.mp4")
        assert len(await tracks_of(final)) == 2
        wavs = [soundfile.info(path) for path in (tmp_path / folder).glob("*.wav")]
        assert len(wavs) == 2
        assert len({wav.frames for wav in wavs}) == 1
        (sidecar,) = (tmp_path / folder).glob("*.json")
        assert document(sidecar)["finished"]
