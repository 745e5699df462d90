"""What a recording's MP4 says of its tracks to those who look: growing, killed, repaired and finished."""

import shutil
from pathlib import Path

import msgspec
import pytest

from blink_cli.record.finished.repair import repair
from blink_cli.record.mp4 import file as mp4_file
from blink_cli.record.mp4.movie import amend
from blink_cli.record.recording.recording import Invited, Recording
from tests.record.boxes import contents
from tests.record.readers import PRE_SKIP_S, packet_seconds
from tests.record.recording.test_recording import plan_for
from tests.record.simulated_call import ALICE, BOB, CAROL, START_S, Link, Sender, record

pytestmark = pytest.mark.no_clock

NAMES = ("Zoë 🎧", "bert" * 12, "")
WALL_S = 1_700_000_000
SINCE_1904_S = 2_082_844_800


def recording_of_three(folder: Path) -> Recording:
    senders = [
        Sender(ALICE, 0, [Link(-9, 99, 1, 5)], own=True),
        Sender(BOB, 0, [Link(-9, 99, 2, 77)]),
        Sender(CAROL, 0, [Link(1.5, 99, 3, 99)]),
    ]
    invited = tuple(Invited(one.did, name, one.own) for one, name in zip(senders, NAMES, strict=True))
    plan = msgspec.structs.replace(plan_for(folder, *senders), invited=invited, start_wall_s=WALL_S + 0.25)
    return record(plan, senders, duration_s=4)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One recording in each of its states."""
    folder = tmp_path_factory.mktemp("states")
    recording = recording_of_three(folder / "live")
    killed = folder / "killed" / recording.paths.part.name
    killed.parent.mkdir()
    growing = folder / "growing.mp4"
    for copy in (killed, growing):
        shutil.copy(recording.paths.part, copy)
    recording.finish(START_S + 4, "stopped")
    repaired = repair(killed, lambda _: None, "token").path
    assert b"moof" in growing.read_bytes()
    return {"growing": growing, "repaired": repaired, "finished": recording.paths.final}


@pytest.mark.parametrize("state", ["growing", "repaired", "finished"])
def test_all_tracks_are_enabled_dated_and_named_and_none_is_a_choice(
    files: dict[str, Path], state: str
) -> None:
    path = files[state]
    (movie,) = contents(path, "moov/mvhd")
    tracks = contents(path, "moov/trak/tkhd")
    assert [track[3] for track in tracks] == [3, 3, 3], "enabled, in the movie"
    assert [track[34:36] for track in tracks] == [b"\0\0"] * 3, "alternatives of none"
    created = (WALL_S + SINCE_1904_S).to_bytes(4, "big")
    for header in (movie, *tracks, *contents(path, "moov/trak/mdia/mdhd")):
        assert header[4:8] == created
    titles = [f"{NAMES[0]} ({ALICE})".encode(), f"{NAMES[1]} ({BOB})".encode(), CAROL.encode()]
    assert contents(path, "moov/trak/udta/name") == titles
    assert contents(path, "moov/trak/udta/titl") == [b"\0\0\0\0\x55\xc4" + title + b"\0" for title in titles]
    assert [handler[24:] for handler in contents(path, "moov/trak/mdia/hdlr")] == [
        title + b"\0" for title in titles
    ]


def test_an_index_that_reaches_the_disk_in_pieces_is_amended_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mp4_file, "_BUFFER_BYTES", 1000)
    recording = recording_of_three(tmp_path)
    recording.finish(START_S + 4, "stopped")
    path = recording.paths.final
    assert [track[34:36] for track in contents(path, "moov/trak/tkhd")] == [b"\0\0"] * 3
    assert len(contents(path, "moov/trak/udta/titl")) == 3
    assert packet_seconds(path) == pytest.approx([4.001 + PRE_SKIP_S] * 3)
    whole = path.read_bytes()
    with path.open("r+b") as file:
        amend(file.fileno())
    assert path.read_bytes() == whole
