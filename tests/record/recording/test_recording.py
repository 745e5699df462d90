"""A recording of a call in virtual time, from its first packet to its files."""

import errno
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from blink_cli.core.media.codec_settings import CodecSettings
from blink_cli.record.finished.export import export
from blink_cli.record.recording.recording import HOLD_BACK_S, Recording, RecordingPlan
from blink_cli.record.recording.sidecar import read_sidecar
from tests.record.readers import durations_s, track_of
from tests.record.simulated_call import (
    ALICE,
    BOB,
    CALL,
    CAROL,
    RATE_HZ,
    START_S,
    Link,
    Sender,
    clicks_in,
    invited,
    record,
)

pytestmark = pytest.mark.no_clock

TEN_MINUTES_S = 600.0


def plan_for(folder: Path, *senders: Sender) -> RecordingPlan:
    return RecordingPlan(folder, CALL, invited(*senders), ("mp4",), CodecSettings(), START_S, 1_700_000_000.0)


def three_parties(until_s: float) -> list[Sender]:
    """The call that recordings are judged by: a late one, one that drops for 4 s, 5 % loss, clocks 150 ppm off."""
    beyond_s = until_s + 9
    return [
        Sender(ALICE, -150, [Link(-9, beyond_s, 1, 4_294_960_000)], own=True),
        Sender(BOB, 150, [Link(5, beyond_s, 2, 77)], loss=0.05, jitter_s=0.005),
        Sender(
            CAROL,
            -150,
            [Link(-9, 20, 3, 5), Link(24, beyond_s, 4, 4_000_000_000)],
            loss=0.05,
            jitter_s=0.01,
            red_levels=1,
        ),
    ]


def test_three_parties_stay_in_sync_for_ten_minutes(tmp_path: Path) -> None:
    senders = three_parties(TEN_MINUTES_S)
    recording = record(plan_for(tmp_path, *senders), senders, duration_s=TEN_MINUTES_S)
    sidecar = recording.finish(START_S + TEN_MINUTES_S, "stopped")
    lengths_s = durations_s(recording.paths.final)
    assert max(lengths_s) - min(lengths_s) < 0.02
    assert lengths_s[0] == pytest.approx(TEN_MINUTES_S, abs=0.03)
    for number, sender in enumerate(senders):
        sound = track_of(recording.paths.final, number)
        clicks_s = list(sender.clicks(TEN_MINUTES_S - 0.3))
        off_s = np.array(clicks_in(sound, clicks_s))
        assert np.nanmax(np.abs(off_s)) < 0.02, (sender.did, off_s)
        for part in (off_s[:5], off_s[-5:]):
            assert np.isfinite(part).sum() >= 3
        # A click is as lost as its packet: 5 %, or 0.25 % where there are copies.
        assert np.isnan(off_s).mean() < (0.02 if sender.red_levels else 0.1)
    assert sidecar.described_s == sidecar.duration_s == pytest.approx(lengths_s[0], abs=0.0005)
    alice, bob, carol = sidecar.participants
    assert [(stint.from_s, stint.to_s) for stint in carol.stints] == [
        (0.0, 20.0),
        (24.0, pytest.approx(TEN_MINUTES_S, abs=0.03)),
    ]
    assert bob.stints[0].from_s == 5.0
    assert (bob.gaps[0].from_s, bob.gaps[0].reason) == (0.0, "absent")
    assert bob.gaps[0].to_s == pytest.approx(5.0, abs=0.1)
    assert bob.missing_s["lost"] == pytest.approx(0.05 * 595, rel=0.2)
    assert carol.missing_s["lost"] < 4
    assert carol.frames_recovered > 1000
    assert carol.missing_s["absent"] == pytest.approx(4.0, abs=0.2)
    assert set(alice.missing_s) <= {"absent"}
    assert {anchor.ssrc for anchor in carol.anchors} == {3, 4}
    for anchor in carol.anchors:
        assert anchor.wall_s == pytest.approx(1_700_000_000.0 + anchor.at_s, abs=1e-5)


def test_other_readers_agree_with_the_wav_files(tmp_path: Path) -> None:
    senders = three_parties(30)
    recording = record(plan_for(tmp_path, *senders), senders, duration_s=30)
    sidecar = recording.finish(START_S + 30, "stopped")
    done: list[float] = []
    *wavs, mix = export(recording.paths.final, ("wav", "mix"), tmp_path / "out", done.append, "token")
    assert done[-1] == 1.0
    mixed = soundfile.read(mix.path, dtype="float32")[0]
    total = np.zeros(len(mixed), np.float32)
    for number, (sender, wav) in enumerate(zip(senders, wavs, strict=True)):
        sound, rate_hz = soundfile.read(wav.path, dtype="float32")
        assert rate_hz == RATE_HZ
        other = track_of(recording.paths.final, number)
        assert len(sound) == len(other) == len(mixed) == round(sidecar.duration_s * RATE_HZ)
        clicks_s = list(sender.clicks(29.5))
        off_s = np.array(clicks_in(sound, clicks_s))
        assert np.nanmax(np.abs(off_s)) < 0.02
        assert np.allclose(off_s, clicks_in(other, clicks_s), atol=0.0005, equal_nan=True)
        assert wav.participants[0][0] == sender.did
        with soundfile.SoundFile(wav.path) as file:
            assert (file.title, file.date) == (wav.participants[0][1], "2023-11-14T22:13:20.000000Z")
        total += sound
    assert [person for person, _ in mix.participants] == [ALICE, BOB, CAROL]
    # Untouched but around clicks that meet.
    assert (np.abs(mixed - total) > 0.001).mean() < 0.1
    assert np.abs(mixed).max() <= 0.9


def test_a_long_path_is_taken_off_once_it_is_known(tmp_path: Path) -> None:
    far = Sender(BOB, 0, [Link(-9, 99, 2, 77)], path_s=0.15, jitter_s=0.01)
    senders = [Sender(ALICE, 0, [Link(-9, 99, 1, 5)], own=True), far]
    recording = record(plan_for(tmp_path, *senders), senders, duration_s=40)
    recording.finish(START_S + 40, "stopped")
    off_s = clicks_in(track_of(recording.paths.final, 1), list(far.clicks(39.5)))
    assert max(abs(late_s) for late_s in off_s[3:]) < 0.02


def test_the_sidecar_tells_a_running_recording_and_its_anchors(tmp_path: Path) -> None:
    senders = three_parties(10)
    recording = record(plan_for(tmp_path, *senders), senders, duration_s=10)
    recording.mark("here", START_S + 7.5)
    recording.advance(START_S + 12.1)
    running = read_sidecar(recording.paths.sidecar)
    assert not running.finished
    assert running.reason is None
    assert [(marker.at_s, marker.text) for marker in running.markers] == [(7.5, "here")]
    assert running.files[0].name.endswith(".part.mp4")
    assert running.codec is not None
    recording.finish(START_S + 12.5, "stopped")
    document = json.loads(recording.paths.sidecar.read_text())
    assert document["schema"] == 1
    assert document["finished"]
    assert document["duration_s"] == pytest.approx(12.5, abs=0.021)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_who_leaves_is_absent_from_its_last_packet_on(tmp_path: Path) -> None:
    senders = [
        Sender(ALICE, 0, [Link(-9, 99, 1, 5)], own=True),
        Sender(BOB, 0, [Link(-9, 4.013, 2, 77)], path_s=0.03),
    ]
    recording = record(plan_for(tmp_path, *senders), senders, duration_s=8)
    bob = recording.finish(START_S + 8, "stopped").participants[1]
    assert [gap.reason for gap in bob.gaps if gap.to_s > 1] == ["absent"]
    assert set(bob.missing_s) == {"absent"}


def test_two_recordings_of_one_second_have_two_names(tmp_path: Path) -> None:
    plan = plan_for(tmp_path, *three_parties(1))
    first, second = Recording.create(plan), Recording.create(plan)
    assert first.paths.part != second.paths.part
    for recording in (first, second):
        recording.finish(START_S + 0.1, "stopped")
    assert len(list(tmp_path.glob("*.mp4"))) == 2


def test_an_empty_recording_is_a_file_too(tmp_path: Path) -> None:
    recording = Recording.create(plan_for(tmp_path, *three_parties(1)))
    sidecar = recording.finish(START_S, "stopped")
    assert sidecar.duration_s == 0.041
    assert len(durations_s(recording.paths.final)) == 3


def test_only_its_owner_can_read_a_recording(tmp_path: Path) -> None:
    recording = Recording.create(plan_for(tmp_path, *three_parties(1)))
    recording.finish(START_S + 1, "stopped")
    for path in (recording.paths.final, recording.paths.sidecar):
        assert path.stat().st_mode & 0o077 == 0


def test_a_folder_that_vanished_ends_it(tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    recording = Recording.create(plan_for(folder, *three_parties(1)))
    recording.advance(START_S + 1.0)
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    with pytest.raises(OSError, match="No such file") as raised:
        recording.advance(START_S + 4.0)
    assert raised.value.errno == errno.ENOENT
    with pytest.raises(OSError, match="No such file"):
        recording.give_up("gone")


def test_what_is_on_the_disk_is_never_more_than_a_second_and_a_half_old(tmp_path: Path) -> None:
    senders = three_parties(20)
    recording = Recording.create(plan_for(tmp_path, *senders))
    for step in range(1, 100):
        now_s = START_S + 0.2 * step
        recording.advance(now_s)
        if now_s - START_S > 1.2:
            assert recording.on_disk
            shortest = min(durations_s(recording.paths.part))
            assert now_s - START_S - shortest < HOLD_BACK_S + 0.5 + 0.1
    recording.finish(START_S + 20, "stopped")
