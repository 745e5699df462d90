"""Exports: what cannot be exported, what is limited, and what an interrupted one leaves."""

from pathlib import Path

import msgspec
import numpy as np
import pytest

from blink_cli.core.errors import BlinkError, NotFoundError, UsageError
from blink_cli.record.finished.export import export
from blink_cli.record.finished.mixdown import CEILING, STEP_SAMPLES, Mixdown
from blink_cli.record.mp4.file import Mp4Labels, mux, open_ordinary
from blink_cli.record.recording.filler import silence
from blink_cli.record.recording.recording import Recording
from tests.record.recording.test_recording import plan_for
from tests.record.simulated_call import ALICE, BOB, START_S, Link, Sender, record

pytestmark = pytest.mark.no_clock


def test_what_is_no_recording_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        export(tmp_path / "none.mp4", ("wav",), None, lambda _: None, "token")
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no MP4 at all" * 100)
    with pytest.raises(BlinkError, match="no recording that can be read"):
        export(broken, ("wav",), None, lambda _: None, "token")


def test_a_folder_that_is_a_file_is_said_so(tmp_path: Path) -> None:
    senders = [Sender(ALICE, 0, [Link(-9, 99, 1, 5)], own=True)]
    plan = plan_for(tmp_path, *senders)
    recording = record(plan, senders, duration_s=2)
    recording.finish(START_S + 2, "stopped")
    taken = tmp_path / "taken"
    taken.write_text("mine")
    with pytest.raises(UsageError, match="is a file, and no folder"):
        export(recording.paths.final, ("wav",), taken, lambda _: None, "token")
    with pytest.raises(BlinkError, match="cannot be made") as told:
        export(recording.paths.final, ("wav",), taken / "below", lambda _: None, "token")
    assert "room" not in (told.value.hint or "")
    with pytest.raises(NotADirectoryError, match="it is a file"):
        Recording.create(msgspec.structs.replace(plan, folder=taken))
    assert taken.read_text() == "mine"


@pytest.mark.parametrize(
    ("titles", "comment"),
    [((), "call c0ffee00"), (("SoundHandler",), ""), (("SoundHandler", f"bob ({BOB})"), "call me")],
)
def test_the_mp4_of_another_program_is_no_recording(
    tmp_path: Path, titles: tuple[str, ...], comment: str
) -> None:
    path = mp4(tmp_path / "song.mp4", titles, comment)
    with pytest.raises(BlinkError, match="is no recording") as told:
        export(path, ("wav",), tmp_path / "out", lambda _: None, "token")
    assert str(path) in told.value.message
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("titles", "comment"),
    [((f"bob ({BOB})", ALICE), ""), (("bob", "alice"), "call c0ffee00")],
)
def test_a_recording_is_known_by_its_titles_or_its_comment(
    tmp_path: Path, titles: tuple[str, ...], comment: str
) -> None:
    path = mp4(tmp_path / "moved.mp4", titles, comment)
    bob, alice = export(path, ("wav",), None, lambda _: None, "token")
    assert (bob.path.name, bob.participants[0][1]) == ("moved-1-bob.wav", "bob" if "(" in titles[0] else "")
    assert alice.participants == ((titles[1], ""),)


def mp4(path: Path, titles: tuple[str, ...], comment: str) -> Path:
    """A fifth of a second of silence on each track."""
    container, streams = open_ordinary(str(path), Mp4Labels(tuple(titles), "", comment, ""))
    for place in range(0, 9600, 960):
        for stream in streams:
            for filler in silence(960):
                mux(container, stream, filler.payload, place, filler.samples)
    container.close()
    return path


def test_an_interrupted_export_leaves_nothing(tmp_path: Path) -> None:
    senders = [Sender(ALICE, 0, [Link(-9, 99, 1, 5)], own=True), Sender(BOB, 0, [Link(-9, 99, 2, 5)])]
    recording = record(plan_for(tmp_path, *senders), senders, duration_s=6)
    recording.finish(START_S + 6, "stopped")

    class GivenUpError(Exception):
        pass

    def interrupt(done: float) -> None:
        if done > 0.4:
            raise GivenUpError

    with pytest.raises(GivenUpError):
        export(recording.paths.final, ("wav", "mix"), tmp_path / "out", interrupt, "token")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_growing_recording_can_be_exported_up_to_its_last_fragment(tmp_path: Path) -> None:
    senders = [Sender(ALICE, 0, [Link(-9, 99, 1, 5)], own=True), Sender(BOB, 0, [Link(-9, 99, 2, 5)])]
    recording = record(plan_for(tmp_path, *senders), senders, duration_s=6)
    files = export(recording.paths.part, ("wav",), tmp_path / "out", lambda _: None, "token")
    assert {file.duration_s for file in files} == {files[0].duration_s}
    assert 4.5 < files[0].duration_s < 6
    recording.finish(START_S + 6, "stopped")


def test_the_mix_is_the_sum_and_never_clips() -> None:
    time_s = np.arange(48_000) / 48_000
    quiet = np.stack([0.2 * np.sin(2 * np.pi * f * time_s) for f in (300, 500, 700)]).astype(np.float32)
    assert np.allclose(Mixdown().mix(quiet), quiet.sum(axis=0), atol=1e-6)
    mixdown = Mixdown()
    mixed = np.concatenate([mixdown.mix(block) for block in (quiet, 4 * quiet, quiet, quiet)])
    assert np.abs(mixed).max() <= CEILING + 1e-6
    assert np.abs(mixed[48_000:96_000]).max() > 0.8 * CEILING
    # Let up again.
    assert np.allclose(mixed[-4800:], quiet.sum(axis=0)[-4800:], atol=0.02)
    odd = Mixdown().mix(np.full((3, STEP_SAMPLES * 2 + 7), 0.5, np.float32))
    assert np.abs(odd).max() <= CEILING + 1e-6
