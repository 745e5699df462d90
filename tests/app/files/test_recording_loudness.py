"""How loud the tracks of a recording are: in the process that works on recordings, and as FFmpeg finds its WAV files."""

import re
import subprocess
from pathlib import Path

import pytest

from blink_cli.app.files.recording_work import export_apart
from blink_cli.core.api.replies.loudness import RecordedLoudness
from blink_cli.core.api.replies.recordings import RecordedFile
from blink_cli.lab.requirements import require_program
from tests.record.recording.test_recording import plan_for
from tests.record.simulated_call import ALICE, BOB, CAROL, START_S, Link, Sender, record

pytestmark = pytest.mark.no_clock(sockets=True)

LENGTH_S = 9.3


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Alice all along, losing packets; bob for three seconds in the middle; carol never came."""
    senders = [
        Sender(ALICE, 0, [Link(-9, 99, 1, 5)], loss=0.05),
        Sender(BOB, 100, [Link(2, 5, 2, 5)]),
        Sender(CAROL, 200, []),
    ]
    recording = record(plan_for(tmp_path_factory.mktemp("call"), *senders), senders, duration_s=LENGTH_S)
    recording.finish(START_S + LENGTH_S, "stopped")
    return recording.paths.final


def by_ffmpeg(file: RecordedFile) -> tuple[float, float, float]:
    """Integrated loudness, range and true peak of a file."""
    said = subprocess.run(
        [
            *(require_program("ffmpeg"), "-hide_banner", "-nostats", "-i", file.path),
            *("-filter_complex", "ebur128=peak=true", "-f", "null", "-"),
        ],
        check=True,
        capture_output=True,
        text=True,
    ).stderr
    told = dict(re.findall(r"(I|LRA|Peak): +(-?[\d.]+|-inf)", said[said.rindex("Summary:") :]))
    return float(told["I"]), float(told["LRA"]), float(told["Peak"])


async def test_an_export_tells_how_loud_everybody_is(recorded: Path, tmp_path: Path) -> None:
    made = await export_apart(recorded, ("wav",), tmp_path, lambda _: None)
    assert [one.did for one in made.loudness] == [ALICE, BOB, CAROL]
    for one, file in zip(made.loudness, made.files, strict=True):
        assert file.participants[0].did == one.did
        if one.did == CAROL:
            assert one == RecordedLoudness(
                did=CAROL,
                nickname=one.nickname,
                integrated_lufs=None,
                range_lu=None,
                true_peak_dbtp=None,
            )
            continue
        integrated_lufs, range_lu, peak_dbtp = by_ffmpeg(file)
        assert one.integrated_lufs == pytest.approx(integrated_lufs, abs=0.07)
        assert one.range_lu == pytest.approx(range_lu, abs=0.5)
        assert one.true_peak_dbtp == pytest.approx(peak_dbtp, abs=0.4)


async def test_a_recording_is_measured_without_making_files(recorded: Path, tmp_path: Path) -> None:
    before = sorted(recorded.parent.iterdir())
    measured = await export_apart(recorded, (), None, lambda _: None)
    assert (measured.files, measured.reason) == ((), "measured")
    exported = await export_apart(recorded, ("mix",), tmp_path, lambda _: None)
    assert measured.loudness == exported.loudness
    assert sorted(recorded.parent.iterdir()) == before


async def test_files_that_are_copied_alone_are_not_measured(recorded: Path, tmp_path: Path) -> None:
    copied = await export_apart(recorded, ("opus",), tmp_path, lambda _: None)
    assert copied.loudness == ()
