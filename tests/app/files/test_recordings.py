"""Recordings of sessions in this process: who is told what, and what a failing disk does to a call: nothing."""

import asyncio
import errno
import os
from pathlib import Path

import pytest

from blink_cli.app.files import recordings
from blink_cli.app.profile.profile import Profile
from blink_cli.app.profile.recording_memory import MOST_FOLDERS, RecordingMemory
from blink_cli.core.api.events import (
    CallJoined,
    LinkChanged,
    LinkState,
    ParticipantJoined,
    ParticipantLeft,
    RecordingStarted,
    RecordingStopped,
)
from blink_cli.core.api.requests import (
    AcceptCall,
    GetCalls,
    GetParticipants,
    GetRecording,
    LeaveCall,
    PlaceOffer,
    SetDeafened,
    SetGain,
    SetMuted,
    StartRecording,
    StopRecording,
)
from blink_cli.core.errors import BlinkError
from blink_cli.record.recording.sidecar import read_sidecar
from tests.app.conftest import OpenSession
from tests.app.test_session import Ear, ask, connect
from tests.record.readers import durations_s, track_of
from tests.record.recording.test_recording_thread import tiny_disk

pytestmark = pytest.mark.real_time


async def test_a_full_disk_ends_the_recording_and_the_call_does_not_notice(
    open_session: OpenSession, tmp_path: Path
) -> None:
    with tiny_disk(tmp_path / "disk", 36) as folder:
        async with open_session("alice") as alice, open_session("bob") as bob:
            await connect(alice, bob)
            ear, other = Ear(alice), Ear(bob)
            await ear.first()
            await other.first()
            begun = await ask(alice, StartRecording(folder=str(folder)))
            stopped = await ear.until(RecordingStopped, did=alice.did)
            assert stopped.failed
            assert stopped.reason == os.strerror(errno.ENOSPC).lower()
            assert stopped.path == begun.path
            await other.until(RecordingStarted, did=alice.did, path=None)
            await other.until(RecordingStopped, did=alice.did)
            shown = await ask(alice, GetParticipants())
            assert {p.link for p in shown.participants} == {LinkState.SELF, LinkState.CONNECTED}
            state = await ask(alice, GetRecording())
            assert not state.recording
            assert [left.path for left in state.leftovers] == [begun.path]
            with pytest.raises(BlinkError, match=r"could not be finished: no space left") as refusal:
                await alice.ask(StopRecording())
            assert "record repair" in (refusal.value.hint or "")


async def test_what_is_recorded_is_what_was_said_not_what_was_heard(
    open_session: OpenSession, tmp_path: Path
) -> None:
    async with open_session("alice") as alice, open_session("bob", input="tone:880") as bob:
        await connect(alice, bob)
        await alice.ask(SetDeafened(deafened=True))
        await alice.ask(SetGain(peer=bob.did, gain_db=-60.0))
        await alice.ask(StartRecording(folder=str(tmp_path)))
        await bob.ask(SetMuted(muted=True))
        await asyncio.sleep(1.5)  # what is muted must last to be seen
        files = await ask(alice, StopRecording())
    assert [file.kind for file in files.files] == ["mp4", "sidecar"]
    sidecar = read_sidecar(Path(files.files[1].path))
    track = next(person for person in sidecar.participants if person.did == bob.did)
    sound = track_of(Path(files.files[0].path), track.track)
    # The tone has -20 dBFS.
    assert abs(sound[9600:24_000]).max() > 0.08
    assert abs(sound[-24_000:-9600]).max() < 0.01
    assert track.missing_s["muted"] > 0.8
    assert track.gaps[-1].reason == "muted"


async def test_a_recording_ends_with_its_call(open_session: OpenSession, tmp_path: Path) -> None:
    async with open_session("alice") as alice, open_session("bob") as bob:
        await connect(alice, bob)
        ear = Ear(alice)
        await ear.first()
        await alice.ask(StartRecording(folder=str(tmp_path)))
        await alice.ask(LeaveCall())
        stopped = await ear.until(RecordingStopped, did=alice.did)
        assert not stopped.failed
        assert stopped.path is not None
        assert read_sidecar(Path(stopped.path).with_suffix(".json")).reason == "the call ended"
        # A script that is slower than the call's end gets the files all the same, as often as it asks.
        for _ in range(2):
            files = await ask(alice, StopRecording())
            assert files.reason == "the call ended"
            assert files.files[0].path == stopped.path


async def test_who_leaves_and_comes_again_has_one_track(open_session: OpenSession, tmp_path: Path) -> None:
    async with (
        open_session("alice") as alice,
        open_session("bob", auto_accept="anyone") as bob,
        open_session("carol", auto_accept="anyone") as carol,
    ):
        ear, told = Ear(alice), Ear(bob)
        await ear.first()
        await told.first()
        offered = await ask(alice, PlaceOffer(peers=(bob.did, carol.did), wait_s=10))
        for one in (bob, carol):
            await ear.until(ParticipantJoined, did=one.did)
        await alice.ask(StartRecording(folder=str(tmp_path)))
        await told.until(RecordingStarted, did=alice.did)
        await bob.ask(LeaveCall())
        await ear.until(ParticipantLeft, did=bob.did)
        for _ in range(100):  # no event tells that a call that was left can be joined again
            if (await ask(bob, GetCalls())).pending_calls:
                break
            await asyncio.sleep(0.1)
        await bob.ask(AcceptCall(call=offered.call))
        await ear.until(LinkChanged, did=bob.did, link=LinkState.CONNECTED)
        # Whoever comes while somebody records is told so.
        await told.until(CallJoined)
        await told.until(RecordingStarted, did=alice.did)
        await asyncio.sleep(0.8)  # something to record
        files = await ask(alice, StopRecording())
    sidecar = read_sidecar(Path(files.files[1].path))
    assert [person.track for person in sidecar.participants] == [0, 1, 2]
    track = next(person for person in sidecar.participants if person.did == bob.did)
    assert len(track.stints) == 2
    assert track.stints[1].to_s == pytest.approx(sidecar.duration_s, abs=0.02)
    assert track.frames > 25
    assert "absent" in {gap.reason for gap in track.gaps}
    lengths_s = durations_s(Path(files.files[0].path))
    assert len(lengths_s) == 3
    assert max(lengths_s) - min(lengths_s) < 0.02


async def test_a_disk_that_stands_still_is_given_up(
    open_session: OpenSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recordings, "STALLED_S", 0.0)
    monkeypatch.setattr(recordings, "LOOK_S", 0.05)
    async with open_session("alice") as alice, open_session("bob") as bob:
        await connect(alice, bob)
        ear = Ear(alice)
        await ear.first()
        async with asyncio.TaskGroup() as group:
            starting = group.create_task(
                _refused(alice.ask(StartRecording(folder=str(tmp_path)))), name="start"
            )
        assert "has not answered" in starting.result()
        shown = await ask(alice, GetParticipants())
        assert not any(participant.recording for participant in shown.participants)


async def _refused(asking: object) -> str:
    try:
        await asking  # type: ignore[misc]
    except Exception as failure:  # noqa: BLE001 - the test looks at it
        return str(failure)
    return "done"


def test_a_profile_remembers_where_it_recorded(tmp_path: Path) -> None:
    profile = Profile("alice", tmp_path / "data", tmp_path / "run")
    profile.make()
    memory = RecordingMemory(profile)
    assert memory.folders() == []
    for number in (*range(12), 5):
        memory.remember(tmp_path / str(number))
    assert memory.folders()[:3] == [tmp_path / "5", tmp_path / "11", tmp_path / "10"]
    assert len(memory.folders()) == MOST_FOLDERS
    (profile.data_dir / "recordings.json").write_text("not JSON")
    assert memory.folders() == []
