"""Exports: what cannot be exported, what is limited, and what an interrupted one leaves."""

from pathlib import Path

import numpy as np
import pytest

from blink_cli.core.errors import BlinkError, NotFoundError
from blink_cli.record.export import export
from blink_cli.record.mixdown import CEILING, STEP_SAMPLES, Mixdown
from tests.record.simulated_call import ALICE, BOB, START_S, Link, Sender, record
from tests.record.test_recording import plan_for


def test_what_is_no_recording_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        export(tmp_path / "none.mp4", ("wav",), None, lambda _: None)
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no MP4 at all" * 100)
    with pytest.raises(BlinkError, match="no recording that can be read"):
        export(broken, ("wav",), None, lambda _: None)


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
        export(recording.paths.final, ("wav", "mix"), tmp_path / "out", interrupt)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_growing_recording_can_be_exported_up_to_its_last_fragment(tmp_path: Path) -> None:
    senders = [Sender(ALICE, 0, [Link(-9, 99, 1, 5)], own=True), Sender(BOB, 0, [Link(-9, 99, 2, 5)])]
    recording = record(plan_for(tmp_path, *senders), senders, duration_s=6)
    files = export(recording.paths.part, ("wav",), tmp_path / "out", lambda _: None)
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
