"""Pictures in a recording: in their place to some milliseconds, on one track whatever happens, and through a kill."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import pytest

from blink_cli.app.files.recording_files import export_recording
from blink_cli.core.errors import StateError
from blink_cli.lab.requirements import require_program
from blink_cli.record.finished.repair import repair
from blink_cli.video.coded_clock import read_clock
from blink_cli.video.frames import Fitter, planes_of
from blink_cli.video.grid.letters import lettered
from blink_cli.video.grid.tiles import Tiles
from blink_cli.video.picture import Picture, Plane
from tests.record.picture_driver import ALIVE, CAROL_S
from tests.record.seen_in_a_browser import seen_in

pytestmark = [pytest.mark.real_time, pytest.mark.in_pairs]

ROOT = Path(__file__).parents[3]
SYNC_S = 0.04


@dataclass
class Seen:
    """One picture as a player shows it."""

    at_s: float
    clock_s: float | None
    brightness: float


def shown(path: Path) -> list[list[Seen]]:
    """What stands on each track of pictures, by FFmpeg's account of time."""
    tracks: list[list[Seen]] = []
    with av.open(str(path)) as container:
        count = len(container.streams.video)
    for number in range(count):
        with av.open(str(path)) as container:
            seen = []
            for frame in container.decode(video=number):
                assert frame.time is not None
                picture = Fitter(None).fit(frame, 0, None)
                seen.append(Seen(frame.time, read_clock(picture), float(picture.y.mean())))
            tracks.append(seen)
    return tracks


def lengths_s(path: Path) -> list[float]:
    """Of all tracks, sound first."""
    with av.open(str(path)) as container:
        return [float((stream.duration or 0) * (stream.time_base or 0)) for stream in container.streams]


def driver(folder: Path, seconds: float) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "tests.record.picture_driver", str(folder), str(seconds)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def begun(process: "subprocess.Popen[str]") -> tuple[Path, float]:
    assert process.stdout is not None
    said = json.loads(process.stdout.readline())
    return Path(said["path"]), said["start_s"]


def off_s(seen: Seen, start_s: float) -> float:
    assert seen.clock_s is not None
    return seen.at_s + start_s - seen.clock_s


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, float]:
    """Six seconds of three, and when they began."""
    with driver(tmp_path_factory.mktemp("recorded"), 6.0) as process:
        part, start_s = begun(process)
        rest, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert json.loads(rest)["pictures"] == [True] * 3
    return part.with_name(part.name.replace(".part", "")), start_s


def test_a_browser_plays_the_first_camera_in_time(recorded: tuple[Path, float]) -> None:
    path, start_s = recorded
    told, shown = seen_in("chromium", path, [0.5, 4.0])
    assert (told["width"], told["height"]) == (320, 180)
    assert told["duration"] == pytest.approx(6.0, abs=0.1)
    assert len(shown) > 10
    assert {at_s > 4.0 for at_s, _ in shown} == {True, False}
    assert max(abs(at_s + start_s - moment_s) for at_s, moment_s in shown) < SYNC_S


@pytest.mark.parametrize("track", [1, 2, 3])
def test_mpv_plays_each_camera_with_its_voice(
    recorded: tuple[Path, float], tmp_path: Path, track: int
) -> None:
    """What it would put on screen and speaker, written to a file by itself."""
    mpv = require_program("mpv")
    path, start_s = recorded
    out = tmp_path / "played.mkv"
    done = subprocess.run(
        [
            *(mpv, "--no-config", "--msg-level=all=warn,cplayer=info"),
            *(f"--vid={track}", f"--aid={track}"),
            *(f"--o={out}", "--ovc=ffv1", "--oac=pcm_s16le", path),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    for kind in ("vid", "aid"):
        assert all(f"--{kind}={number} " in done.stdout for number in (1, 2, 3)), "it lists all tracks"
    with av.open(str(out), "r") as played:
        assert [stream.type for stream in played.streams] in (["video", "audio"], ["audio", "video"])
        assert (played.duration or 0) / 1e6 == pytest.approx(6.0, abs=0.2)
    (pictures,) = shown(out)
    firsts: dict[float, Seen] = {}
    for seen in pictures:  # what stands still is there again and again
        if seen.clock_s is not None:
            firsts.setdefault(seen.clock_s, seen)
    assert len(firsts) > 5
    assert max(abs(off_s(seen, start_s)) for seen in firsts.values()) < SYNC_S


def test_pictures_stand_where_they_were_taken(recorded: tuple[Path, float]) -> None:
    path, start_s = recorded
    alice, bob, carol = shown(path)
    for track in (alice, bob):
        pictures = [seen for seen in track if seen.clock_s is not None]
        assert len(pictures) > 50
        assert max(abs(off_s(seen, start_s)) for seen in pictures) < SYNC_S
    # Alice's are those of this machine: to the millisecond.
    assert max(abs(off_s(seen, start_s)) for seen in alice if seen.clock_s is not None) < 0.003
    # Bob's second camera has another size: fitted into the track, at the same pace, in the same place.
    late = [seen for seen in bob if seen.at_s > 3.5]
    assert np.mean(np.diff([seen.at_s for seen in late])) == pytest.approx(0.05, rel=0.3)
    # Carol's last picture stands dark, under a sign, to the end.
    bright = max(seen.brightness for seen in carol if seen.at_s < CAROL_S)
    dark = [seen for seen in carol if seen.at_s > CAROL_S + 2.5]
    assert dark
    assert all(seen.brightness < 0.7 * bright for seen in dark)
    # All tracks are equally long, and each begins at the beginning.
    lasted_s = lengths_s(path)
    assert max(lasted_s) - min(lasted_s) < SYNC_S
    assert all(track[0].at_s < 0.01 for track in (alice, bob, carol))
    sidecar = json.loads(path.with_suffix(".json").read_text())
    assert [one["pictures"]["track"] for one in sidecar["participants"]] == [0, 1, 2]
    seen_in_a_grid(path, [one["nickname"] for one in sidecar["participants"]], start_s)


def seen_in_a_grid(path: Path, names: list[str], start_s: float) -> None:
    """Whether a grid of the recording shows everybody in a tile, in time, with a name, and is as long as the voices."""
    out = path.parent / "out"
    (file,) = export_recording(path, ("grid",), out, lambda _: None, "token").files
    assert (file.kind, [one.nickname for one in file.participants]) == ("grid", names)
    tiles = Tiles(names)
    size = tiles.tile
    first: list[dict[float, float]] = [{}, {}, {}]
    with av.open(file.path) as container:
        assert [stream.codec_context.name for stream in container.streams] == ["h264", "aac"]
        lasted_s = [float((stream.duration or 0) * (stream.time_base or 0)) for stream in container.streams]
        assert lasted_s == pytest.approx([file.duration_s] * 2, abs=0.1)
        for frame in container.decode(video=0):
            assert frame.time is not None
            luma = planes_of(frame)[0]
            for number, name in enumerate(names):
                left, top = tiles.place(number)
                tile = luma[top : top + size.height, left : left + size.width]
                sign = np.pad(lettered(f"{number + 1} {name}"), 2)
                dots = np.kron(sign, np.ones((size.height // 100,) * 2))
                seen = tile[: dots.shape[0], : dots.shape[1]] > 125
                assert np.mean(seen == (dots > 0)) > 0.97, (number, name)
                # Bob's second camera stands between black bars in its tile: 352 by 288 in 16 by 9.
                inner = tile if number != 1 or frame.time < 3.5 else tile[:, 100:540]
                shown_s = read_clock(luma_picture(inner))
                if shown_s is not None and not 2.5 < frame.time < 3.5:
                    first[number].setdefault(shown_s, frame.time)
    for number in (0, 1):
        off_s = [at_s + start_s - shown_s for shown_s, at_s in first[number].items()]
        assert len(off_s) > 30
        # As near as the recording, and half a tick of the grid.
        assert max(map(abs, off_s)) < SYNC_S + 1 / 60
    assert first[2], "carol was seen before she was gone"
    with av.open(file.path) as container:
        sound = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])
    assert len(sound) / 48_000 == pytest.approx(file.duration_s, abs=0.03)
    Path(file.path).write_text("mine")
    with pytest.raises(StateError, match="is no MP4"):
        export_recording(path, ("grid",), out, lambda _: None, "token")
    assert sorted(out.iterdir()) == [Path(file.path)]


def luma_picture(y: Plane) -> Picture:
    grey = np.full((y.shape[0] // 2, y.shape[1] // 2), 128, np.uint8)
    return Picture(y, grey, grey, 0, None)


def test_a_killed_recording_is_repaired_with_its_pictures(tmp_path: Path) -> None:
    with driver(tmp_path, 600.0) as process:
        part, start_s = begun(process)
        time.sleep(3.0)
        os.kill(process.pid, signal.SIGKILL)
    # What a machine that had no time for the process kept from it is not what the kill cost.
    killed_s = float((tmp_path / ALIVE).read_text())
    assert killed_s > 2.0
    before = shown(part)
    assert len(before) == 3
    repaired = repair(part, lambda _: None, "token")
    assert repaired.damaged is None
    tracks = shown(repaired.path)
    for track in tracks[:2]:
        assert killed_s - track[-1].at_s < 1.5
        pictures = [seen for seen in track if seen.clock_s is not None]
        assert max(abs(off_s(seen, start_s)) for seen in pictures) < SYNC_S
    lasted_s = lengths_s(repaired.path)
    assert all(killed_s - one < 1.7 for one in lasted_s)
    with av.open(str(repaired.path)) as container:
        names = [stream.metadata["handler_name"] for stream in container.streams]
    assert names[:3] == names[3:]
    assert not part.exists()
