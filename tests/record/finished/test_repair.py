"""Leftovers are finished whatever the last moment did to them."""

import errno
import json
import os
import random
from pathlib import Path

import pytest

from blink_cli.core.errors import BlinkError, NotFoundError, StateError, UsageError
from blink_cli.record.finished import repair as repairing
from blink_cli.record.finished.leftovers import leftovers
from blink_cli.record.finished.repair import repair
from blink_cli.record.recording.recording import Recording
from tests.record.readers import durations_s
from tests.record.recording.test_recording import plan_for
from tests.record.simulated_call import ALICE, BOB, START_S, Link, Sender, record

pytestmark = pytest.mark.no_clock

LASTS_S = 8.0


@pytest.fixture
def growing(tmp_path: Path) -> Recording:
    """A recording of two in its ninth second."""
    senders = [Sender(ALICE, 0, [Link(-9, 99, 1, 5)], own=True), Sender(BOB, 0, [Link(-9, 99, 2, 5)])]
    return record(plan_for(tmp_path / "live", *senders), senders, duration_s=LASTS_S)


def abandoned(recording: Recording, folder: Path, size: int | None = None) -> Path:
    """Copies of its files as a killed process would have left them, the MP4 cut to a size."""
    folder.mkdir()
    content = recording.paths.part.read_bytes()
    part = folder / recording.paths.part.name
    part.write_bytes(content if size is None else content[:size])
    (folder / recording.paths.sidecar.name).write_bytes(recording.paths.sidecar.read_bytes())
    return part


def test_a_leftover_becomes_an_ordinary_file_with_its_index_in_front(
    growing: Recording, tmp_path: Path
) -> None:
    part = abandoned(growing, tmp_path / "left")
    growing.finish(START_S + LASTS_S, "stopped")
    assert [left.path for left in leftovers([tmp_path / "left"])] == [part]
    done: list[float] = []
    repaired = repair(part, done.append, "token")
    assert done == sorted(done)
    assert done[-1] == 1.0
    assert [path.name for path in sorted((tmp_path / "left").iterdir())] == [
        repaired.path.with_suffix(".json").name,
        repaired.path.name,
    ]
    content = repaired.path.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")
    assert b"moof" not in content[: content.index(b"mdat")]
    assert durations_s(repaired.path) == pytest.approx([repaired.duration_s] * 2, abs=0.0005)
    assert LASTS_S - 1.5 < repaired.duration_s < LASTS_S
    sidecar = json.loads(repaired.path.with_suffix(".json").read_text())
    assert sidecar["finished"]
    assert LASTS_S - 2.8 < sidecar["described_s"] <= sidecar["duration_s"]
    for participant in sidecar["participants"]:
        assert participant["stints"][-1]["to_s"] == pytest.approx(sidecar["described_s"], abs=0.03)
        assert participant["frames"] * 0.02 == pytest.approx(sidecar["described_s"], abs=0.1)
    assert sidecar["reason"] == "it was not finished; repaired"
    assert sidecar["duration_s"] == repaired.duration_s
    with pytest.raises(StateError, match="nothing to repair"):
        repair(repaired.path, done.append, "token")


def test_it_is_finished_wherever_it_was_torn(growing: Recording, tmp_path: Path) -> None:
    size = growing.paths.part.stat().st_size
    source = random.Random(11)
    for number in range(12):
        cut = source.randrange(size // 2, size)
        part = abandoned(growing, tmp_path / f"torn{number}", cut)
        repaired = repair(part, lambda _: None, "token")
        assert repaired.duration_s > LASTS_S / 2 - 2
        first, second = durations_s(repaired.path)
        assert abs(first - second) < 0.02
        sidecar = json.loads(repaired.path.with_suffix(".json").read_text())
        assert sidecar["described_s"] <= sidecar["duration_s"] == repaired.duration_s
        assert all(one["stints"][-1]["to_s"] <= repaired.duration_s for one in sidecar["participants"])
    growing.finish(START_S + LASTS_S, "stopped")


def test_what_holds_nothing_is_said_so_and_stays(growing: Recording, tmp_path: Path) -> None:
    part = abandoned(growing, tmp_path / "empty", 40)
    with pytest.raises(BlinkError, match="holds no sound"):
        repair(part, lambda _: None, "token")
    assert part.exists()
    growing.finish(START_S + LASTS_S, "stopped")


def test_what_is_being_recorded_is_left_alone(growing: Recording) -> None:
    with pytest.raises(StateError, match="is being recorded now"):
        repair(growing.paths.part, lambda _: None, "token")
    assert leftovers([growing.plan.folder]) == []
    growing.finish(START_S + LASTS_S, "stopped")


def test_what_is_in_the_way_is_not_written_over(growing: Recording, tmp_path: Path) -> None:
    part = abandoned(growing, tmp_path / "left")
    growing.finish(START_S + LASTS_S, "stopped")
    final = part.with_name(growing.paths.final.name)
    final.write_text("something else")
    with pytest.raises(StateError, match="in the way"):
        repair(part, lambda _: None, "token")
    assert final.read_text() == "something else"
    with pytest.raises(NotFoundError):
        repair(tmp_path / "nothing.part.mp4", lambda _: None, "token")


def test_what_is_no_recording_is_not_called_whole(growing: Recording, tmp_path: Path) -> None:
    growing.finish(START_S + LASTS_S, "stopped")
    torn, noise = tmp_path / "torn.mp4", tmp_path / "noise.mp4"
    torn.write_bytes(growing.paths.final.read_bytes()[:20_000])
    noise.write_bytes(random.Random(3).randbytes(5000))
    for path in (torn, noise):
        with pytest.raises(BlinkError, match=r"cannot be read, and it is no unfinished recording") as told:
            repair(path, lambda _: None, "token")
        assert told.value.message.startswith(str(path))
        assert path.exists()


@pytest.mark.parametrize(
    ("name", "kind", "reason"),
    [
        ("folder", UsageError, "is a folder"),
        ("log.csv", UsageError, "is no unfinished recording"),
        ("gone.csv", NotFoundError, "There is no unfinished recording"),
        ("gone.part.mp4", NotFoundError, "There is no unfinished recording"),
        ("gone.mp4", NotFoundError, "There is no unfinished recording"),
    ],
)
def test_what_cannot_be_repaired_is_named_as_it_was_given(
    tmp_path: Path, name: str, kind: type[BlinkError], reason: str
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "log.csv").write_text("mine")
    with pytest.raises(kind, match=reason) as told:
        repair(tmp_path / name, lambda _: None, "token")
    assert str(tmp_path / name) in told.value.message
    assert told.value.message.count(str(tmp_path)) == 1
    assert "part" not in told.value.message.replace(name, "")


def test_a_reason_that_is_known_stays(growing: Recording, tmp_path: Path) -> None:
    part = abandoned(growing, tmp_path / "left")
    sidecar = json.loads(growing.paths.sidecar.read_text())
    part.with_name(growing.paths.sidecar.name).write_text(
        json.dumps({**sidecar, "reason": "no space left on device"})
    )
    growing.finish(START_S + LASTS_S, "stopped")
    repaired = repair(part, lambda _: None, "token")
    assert json.loads(repaired.path.with_suffix(".json").read_text())["reason"] == "no space left on device"


@pytest.mark.parametrize("index_share", [0.0, 0.4, 1.0])
def test_killed_while_it_was_finished_it_is_what_it_was(
    growing: Recording, tmp_path: Path, index_share: float
) -> None:
    before = growing.paths.part.read_bytes()
    growing.finish(START_S + LASTS_S, "stopped")
    after = growing.paths.final.read_bytes()
    index = after.rindex(b"moov") - 4
    # All fragments, a part of the index behind them, and the front as it was.
    cut = index + round(index_share * (len(after) - index))
    folder = tmp_path / "killed"
    folder.mkdir()
    part = folder / growing.paths.part.name
    part.write_bytes(before[:64] + after[64:cut])
    assert min(durations_s(part)) > LASTS_S - 0.1
    assert repair(part, lambda _: None, "token").duration_s == pytest.approx(LASTS_S, abs=0.021)


def test_a_disk_that_is_full_for_the_sidecar_leaves_one_whole_file(
    growing: Recording, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = abandoned(growing, tmp_path / "left")
    growing.finish(START_S + LASTS_S, "stopped")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(repairing, "write_sidecar", full)
    with pytest.raises(BlinkError, match="is whole, but") as told:
        repair(part, lambda _: None, "token")
    assert str(part) in (told.value.hint or "")
    assert not part.exists()
    assert leftovers([tmp_path / "left"]) == []
    with pytest.raises(StateError, match="nothing to repair"):
        repair(part, lambda _: None, "token")
