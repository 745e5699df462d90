"""Files that are made of a recording: a session that ends waits for them, and says what makes those that came too late."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest
import soundfile
from msgspec.structs import replace

from blink_cli.app.files import recording_exports
from blink_cli.app.files.recording_export import Exported
from blink_cli.app.files.recording_exports import RecordingExports
from blink_cli.app.files.recording_files import repair_recording
from blink_cli.core.api.events import Event, RecordingFilesLate
from blink_cli.core.errors import BlinkError
from blink_cli.record.finished.leftovers import paths_of
from blink_cli.record.recording.processing_dump import KINDS, name_of
from blink_cli.record.recording.recording import Recording
from tests.record.recording.test_recording import plan_for
from tests.record.simulated_call import ALICE, BOB, Link, Sender, record

pytestmark = pytest.mark.no_clock(sockets=True)

PATH = Path("/made up/x.mp4")


class Work:
    """A process that makes files, as slow as a test wants."""

    def __init__(self) -> None:
        self.done = asyncio.Event()
        self.ended_early = 0

    async def __call__(self, path: Path, formats: Sequence[str]) -> Exported:
        try:
            await self.done.wait()
        except asyncio.CancelledError:
            self.ended_early += 1
            raise
        if "opus" in formats:
            raise BlinkError(f"{path} is no recording.")
        return Exported()


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Work:
    made = Work()
    monkeypatch.setattr(recording_exports, "export_apart", made)
    return made


async def test_what_is_made_in_time_needs_no_word(work: Work) -> None:
    told: list[Event] = []
    async with RecordingExports(told.append) as exports:
        task = exports.start(PATH, ("wav",))
        work.done.set()
    assert (await task).warning is None
    assert not exports.busy
    assert told == []
    assert work.ended_early == 0


async def test_what_is_late_is_told_with_the_command_that_makes_it(
    work: Work, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(recording_exports, "SILENT_S", 0.0)
    monkeypatch.setattr(recording_exports, "PATIENCE_S", 0.0)
    told: list[Event] = []
    async with RecordingExports(told.append) as exports:
        exports.start(PATH, ("wav", "mix"))
        exports.start(PATH, ())
    assert work.ended_early == 2
    makes, measures = (
        "blink record export '/made up/x.mp4' --format wav,mix",
        "blink record loudness '/made up/x.mp4'",
    )
    late = [one for one in told if isinstance(one, RecordingFilesLate)]
    assert [(one.command, one.given_up) for one in late] == [
        (makes, False), (measures, False), (makes, True), (measures, True),
    ]  # fmt: skip
    assert late[0].formats == ("wav", "mix")
    assert sum(makes in record.message for record in caplog.records) == 2
    with pytest.raises(RuntimeError):
        exports.start(PATH, ("wav",))


async def test_who_does_not_want_to_wait_need_not(work: Work) -> None:
    told: list[Event] = []
    async with RecordingExports(told.append) as exports:
        task = exports.start(PATH, ("wav",))
        exports.hurry()
    assert task.cancelled()
    assert [(one.path, one.given_up) for one in told if isinstance(one, RecordingFilesLate)] == [
        (str(PATH), True)
    ]


async def test_what_fails_says_how_to_try_again(work: Work) -> None:
    async with RecordingExports(lambda _: None) as exports:
        work.done.set()
        ended = await exports.start(PATH, ("opus",))
    assert ended.warning == (
        "/made up/x.mp4 is no recording; `blink record export '/made up/x.mp4' --format opus` tries again"
    )


def left_over(folder: Path, *formats: str, processing: bool = False) -> Recording:
    """What a session leaves that was killed in its fifth second."""
    senders = [Sender(ALICE, 0, [Link(-9, 99, 1, 5)], own=True), Sender(BOB, 0, [Link(-9, 99, 2, 5)])]
    plan = replace(plan_for(folder, *senders), formats=("mp4", *formats), processing=processing)
    recording = record(plan, senders, duration_s=5.0)
    recording.give_up("the disk is full")
    return recording


def test_a_repaired_recording_has_the_files_that_were_asked_for(tmp_path: Path) -> None:
    recording = left_over(tmp_path, "wav", "mix", processing=True)
    for kind in KINDS[:2]:
        soundfile.write(
            tmp_path / name_of(recording.paths.final.stem, kind), [0.25] * 4800, 48_000, subtype="FLOAT"
        )
    steps: list[float] = []
    repaired = repair_recording(recording.paths.part, steps.append, "token")
    assert repaired.warning is None
    assert [file.kind for file in repaired.files] == ["mp4", "wav", "wav", "mix", *KINDS[:2]]
    for file in repaired.files[1:4]:
        assert soundfile.info(file.path).duration == pytest.approx(repaired.files[0].duration_s, abs=1e-4)
    microphone, reference = repaired.files[4:]
    assert (microphone.duration_s, reference.duration_s) == (0.1, 0.1)
    assert [[one.did for one in file.participants] for file in (microphone, reference)] == [[ALICE], [BOB]]
    assert len(repaired.loudness) == 2
    assert steps == sorted(steps)
    assert steps[-1] == pytest.approx(1)


def test_a_repaired_recording_says_what_could_not_be_made_of_it(tmp_path: Path) -> None:
    recording = left_over(tmp_path, "mix")
    mix = tmp_path / f"{recording.paths.final.stem}-mix.flac"
    mix.write_text("something of somebody's")
    repaired = repair_recording(recording.paths.part, lambda _: None, "token")
    assert [file.kind for file in repaired.files] == ["mp4"]
    assert repaired.warning is not None
    assert str(mix) in repaired.warning
    assert f"`blink record export {recording.paths.final} --format mix` tries again" in repaired.warning
    assert mix.read_text() == "something of somebody's"


def test_a_repaired_recording_of_one_file_has_one(tmp_path: Path) -> None:
    recording = left_over(tmp_path)
    assert [file.kind for file in repair_recording(recording.paths.part, lambda _: None, "token").files] == [
        "mp4"
    ]
    assert paths_of(recording.paths.part).final.exists()
