"""Ogg Opus files of recordings: other programs read them, and hear what the WAV of the same track holds."""

import errno
import io
import re
import subprocess
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
from typing_extensions import override

from blink_cli.core.errors import BlinkError, StateError
from blink_cli.lab.requirements import require_program
from blink_cli.record.finished import export as export_module
from blink_cli.record.finished.export import Exported, export
from blink_cli.record.finished.ogg_opus import OggOpusWriter
from blink_cli.record.recording.recording import RecordingPaths
from tests.record.recording.test_recording import plan_for
from tests.record.simulated_call import ALICE, BOB, START_S, Link, Sender, record

pytestmark = pytest.mark.no_clock

LENGTH_S = 6.1


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> RecordingPaths:
    """Alice all along, losing packets; bob for two seconds in the middle."""
    senders = [
        Sender(ALICE, 0, [Link(-9, 99, 1, 5)], loss=0.05),
        Sender(BOB, 100, [Link(2, 4, 2, 5)]),
    ]
    recording = record(plan_for(tmp_path_factory.mktemp("call"), *senders), senders, duration_s=LENGTH_S)
    recording.finish(START_S + LENGTH_S, "stopped")
    return recording.paths


def exported(path: Path, formats: tuple[str, ...], folder: Path) -> list[Exported]:
    return export(path, formats, folder, lambda _: None, "token")


def by_opusdec(path: Path, out: Path) -> npt.NDArray[np.float32]:
    opusdec = require_program("opusdec", debian_package="opus-tools")
    subprocess.run([opusdec, "--quiet", "--no-dither", "--rate", "48000", str(path), str(out)], check=True)
    return samples(out)


def by_ffmpeg(path: Path, out: Path) -> npt.NDArray[np.float32]:
    ffmpeg = require_program("ffmpeg")
    subprocess.run(
        [ffmpeg, "-y", "-v", "error", "-xerror", "-c:a", "libopus", "-i", str(path), str(out)], check=True
    )
    return samples(out)


def samples(path: Path) -> npt.NDArray[np.float32]:
    sound, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
    assert (rate_hz, sound.shape[1]) == (48_000, 1)
    return np.asarray(sound[:, 0], np.float32)


def test_other_programs_hear_what_the_wav_holds_to_the_sample(
    recorded: RecordingPaths, tmp_path: Path
) -> None:
    files = exported(recorded.final, ("opus", "wav"), tmp_path)
    opus = [one for one in files if one.kind == "opus"]
    wavs = [one for one in files if one.kind == "wav"]
    assert [one.path.name for one in opus] == [one.path.with_suffix(".opus").name for one in wavs]
    for one, wav in zip(opus, wavs, strict=True):
        assert (one.participants, one.duration_s) == (wav.participants, wav.duration_s)
        truth = samples(wav.path)
        assert len(truth) == round(one.duration_s * 48_000)
        assert np.abs(truth).max() > 0.1
        for heard in (
            by_opusdec(one.path, tmp_path / "o.wav"),
            by_ffmpeg(one.path, tmp_path / "f.wav"),
            samples(one.path),
        ):
            assert len(heard) == len(truth)
            # Each has a libopus of its own: they round and conceal a little differently.
            assert np.sqrt(np.mean((heard - truth) ** 2)) < 0.1 * np.sqrt(np.mean(truth**2))


def test_opusinfo_finds_nothing_wrong(recorded: RecordingPaths, tmp_path: Path) -> None:
    opusinfo = require_program("opusinfo", debian_package="opus-tools")
    for one in exported(recorded.final, ("opus",), tmp_path):
        told = subprocess.run([opusinfo, str(one.path)], capture_output=True, text=True, check=True)
        assert not re.search(
            r"warning|error|hole|illegal|invalid", told.stdout + told.stderr, re.IGNORECASE
        ), told
        (_, nickname), *_ = one.participants
        assert f"title={nickname}\n" in told.stdout
        assert "date=2023-11-14T22:13:20" in told.stdout
        assert "Pre-skip: 312\n" in told.stdout
        assert "Channels: 1\n" in told.stdout


def test_what_is_missing_is_silent_and_what_is_no_opus_is_left_out(tmp_path: Path) -> None:
    out = io.BytesIO()
    writer = OggOpusWriter(out, "anna", "")
    packet = b"\xf8\xff\xfe"
    writer.write(packet, 0, 960)
    writer.write(packet, 960 + 2_400, 960)  # a gap of 50 ms
    writer.write(b"\x03", 4_320, 0)  # no Opus packet
    writer.pad(48_000 + 312 + 48)
    writer.close()
    (tmp_path / "x.opus").write_bytes(out.getvalue())
    assert (
        len(samples(tmp_path / "x.opus")) == 48_048 // 120 * 120 + 48 - 48 + (48_360 // 120 * 120 - 312) % 120
    )


def test_an_earlier_export_is_replaced_and_nothing_else(recorded: RecordingPaths, tmp_path: Path) -> None:
    first, _ = exported(recorded.final, ("opus",), tmp_path)
    first.path.write_bytes(first.path.read_bytes()[:200])
    again, _ = exported(recorded.final, ("opus",), tmp_path)
    assert again.path == first.path
    assert again.path.stat().st_size > 200
    # Ogg, but Vorbis: somebody's music.
    soundfile.write(first.path, np.zeros(4_800, np.float32), 48_000, format="OGG", subtype="VORBIS")
    with pytest.raises(StateError, match="exists and is no Ogg Opus"):
        exported(recorded.final, ("opus",), tmp_path)


def test_a_full_disk_is_said_and_leaves_nothing(
    recorded: RecordingPaths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class FullDisk(io.BytesIO):
        @override
        def write(self, data: object) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(
        export_module,
        "OggOpusWriter",
        lambda _file, title, created, **_: OggOpusWriter(FullDisk(), title, created),
    )
    with pytest.raises(BlinkError, match=r"cannot be written to .*: no space left on device") as told:
        exported(recorded.final, ("opus",), tmp_path / "out")
    assert "room" in (told.value.hint or "")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_growing_recording_can_be_exported(tmp_path: Path) -> None:
    senders = [Sender(ALICE, 0, [Link(-9, 99, 1, 5)], own=True), Sender(BOB, 0, [Link(3, 99, 2, 5)])]
    recording = record(plan_for(tmp_path, *senders), senders, duration_s=6)
    one, other = exported(recording.paths.part, ("opus",), tmp_path / "out")
    assert 4.5 < one.duration_s == other.duration_s < 6
    assert len(samples(one.path)) == len(samples(other.path)) == round(one.duration_s * 48_000)
    recording.finish(START_S + 6, "stopped")
