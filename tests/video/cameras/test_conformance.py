"""What every camera does, whichever it is: the same tests for virtual ones, in virtual time, and for FFmpeg's devices with their thread."""

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.stream import VideoStream

from blink_cli.core.api.camera_name import CameraOptions, NamedCamera
from blink_cli.runtime.clock import Clock, MonotonicClock
from blink_cli.video.cameras.interface import Camera
from blink_cli.video.cameras.opener import open_camera
from blink_cli.video.cameras.system_camera import FoundCamera, HardwareCamera
from blink_cli.video.picture import Picture, timestamp_at

pytestmark = pytest.mark.real_time

FFMPEG = "lavfi:"
"""A device of FFmpeg that needs no hardware: opened, read, stopped and threaded like a camera of the system."""

CAMERAS = [
    "testsrc",
    "testsrc?size=160x90&fps=30&phase=7",
    "blank?size=320x240&fps=5",
    "file:clip.mp4",
    "file:clip.mp4?loop=1&fps=12.5",
    "file:clip.webm?size=128x128",
    "image:still.png",
    "image:still.png?size=64x64&fps=10",
    pytest.param(f"{FFMPEG}testsrc=size=160x120:rate=25,realtime", marks=pytest.mark.in_pairs),
]


class VirtualTime:
    """A clock that is at the awaited moment at once."""

    def __init__(self) -> None:
        self._now_s = 5000.0

    def now_s(self) -> float:
        return self._now_s

    def wait_until(self, when_s: float) -> None:
        self._now_s = max(self._now_s, when_s)


def write_clip(path: Path, codec: str, *, pictures: int = 20) -> None:
    """A video of 10 pictures a second; picture k is as bright as 30 + 10 k."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=10)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        for k in range(pictures):
            y = np.full((64, 96), 30 + 10 * k, np.uint8)
            colour = np.full((32, 96), 128, np.uint8)
            frame = av.VideoFrame.from_ndarray(np.vstack((y, colour)), "yuv420p")
            frame.pts = k
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    write_clip(folder / "clip.mp4", "libx264")
    write_clip(folder / "clip.webm", "libvpx")
    av.VideoFrame.from_ndarray(np.full((50, 100, 3), (200, 30, 30), np.uint8), "rgb24").save(
        str(folder / "still.png")
    )
    return folder


@pytest.fixture(params=CAMERAS)
def name(request: pytest.FixtureRequest, clips: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(clips)
    return str(request.param)


@pytest.fixture
def clock(name: str) -> Clock:
    return MonotonicClock() if name.startswith(FFMPEG) else VirtualTime()


@pytest.fixture
def camera(name: str) -> Iterator[Camera]:
    if name.startswith(FFMPEG):
        graph = name.removeprefix(FFMPEG)
        camera: Camera = HardwareCamera(
            NamedCamera("bench", CameraOptions(fps=25)), FoundCamera(graph, "bench"), "lavfi"
        )
    else:
        camera = open_camera(name)
    yield camera
    camera.stop()


def taken(camera: Camera, clock: Clock, pictures: int, within_s: float = 10.0) -> list[Picture]:
    """The next so many pictures, each read when the camera says."""
    got: list[Picture] = []
    patience_s = clock.now_s() + within_s
    while len(got) < pictures:
        assert clock.now_s() < patience_s, f"{len(got)} pictures only; {camera.reading(clock.now_s())}"
        ready_s = camera.ready_s(clock.now_s())
        if ready_s > clock.now_s():
            clock.wait_until(ready_s)
            continue
        picture = camera.read(clock.now_s())
        if picture is not None:
            got.append(picture)
    return got


def test_pictures_come_evenly_in_its_size_and_rate(camera: Camera, clock: Clock) -> None:
    camera.start(clock.now_s())
    pictures = taken(camera, clock, 12)
    assert {picture.size for picture in pictures} == {camera.parameters.size}
    moments = [picture.captured_at for picture in pictures]
    assert all(moment is not None for moment in moments)
    steps = np.diff(np.array(moments, float))
    assert (steps > 0).all()
    assert np.mean(steps) == pytest.approx(
        1 / camera.parameters.fps, rel=0.25 if not camera.parameters.virtual else 1e-6
    )


def test_timestamps_are_those_of_the_moments(camera: Camera, clock: Clock) -> None:
    camera.start(clock.now_s())
    for picture in taken(camera, clock, 3):
        assert picture.captured_at is not None
        assert picture.timestamp == timestamp_at(picture.captured_at)


def test_no_picture_comes_twice_or_ahead_of_time(camera: Camera, clock: Clock) -> None:
    camera.start(clock.now_s())
    picture = taken(camera, clock, 1)[0]
    now_s = clock.now_s()
    assert camera.parameters.virtual is False or camera.read(now_s) is None
    assert picture.captured_at is not None
    assert picture.captured_at <= now_s
    assert camera.ready_s(now_s) <= now_s + 1 / camera.parameters.fps + 1e-6


def test_who_comes_late_gets_the_newest_and_the_rest_is_counted(camera: Camera, clock: Clock) -> None:
    camera.start(clock.now_s())
    first = taken(camera, clock, 1)[0]
    assert first.captured_at is not None
    clock.wait_until(first.captured_at + 5.5 / camera.parameters.fps)
    late = taken(camera, clock, 1)[0]
    assert late.captured_at is not None
    missed = (late.captured_at - first.captured_at) * camera.parameters.fps - 1
    assert missed == pytest.approx(4, abs=0.01 if camera.parameters.virtual else 2)
    assert camera.reading(clock.now_s()).dropped_pictures == pytest.approx(
        4, abs=0 if camera.parameters.virtual else 2
    )


def test_it_can_be_stopped_twice_and_started_again(camera: Camera, clock: Clock) -> None:
    camera.stop()
    assert camera.position_s(clock.now_s()) is None
    for _ in range(2):
        camera.start(clock.now_s())
        taken(camera, clock, 2)
        reading = camera.reading(clock.now_s())
        assert (reading.running, reading.pictures, reading.failure) == (True, 2, None)
        camera.stop()
        camera.stop()
        assert not camera.reading(clock.now_s()).running


def test_its_position_is_the_time_since_it_started(camera: Camera, clock: Clock) -> None:
    start_s = clock.now_s()
    camera.start(start_s)
    first = taken(camera, clock, 3)[0]
    assert first.captured_at is not None
    position_s = camera.position_s(first.captured_at)
    assert position_s is not None
    assert position_s == pytest.approx(0, abs=1e-9 if camera.parameters.virtual else clock.now_s() - start_s)
