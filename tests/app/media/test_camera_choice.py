"""A camera that cannot be used is refused, whether one is on or not, and what was on goes on."""

from collections.abc import AsyncIterator
from functools import partial

import pytest

from blink_cli.app.media.media_taps import MediaTaps
from blink_cli.app.media.video.video_media import VideoMedia
from blink_cli.app.media.video.video_path import VideoPath
from blink_cli.core.api.events import Event
from blink_cli.core.errors import CameraError, NotFoundError, UsageError
from blink_cli.core.ids import Did
from blink_cli.runtime.tasks import TaskOwner
from tests.net.gossip_parts import eventually

pytestmark = pytest.mark.real_time

REFUSED = {
    "nonsense": NotFoundError,
    "/dev/null": CameraError,
    "file:/nowhere.mp4": CameraError,
    "blank?size=1x1": UsageError,
}


@pytest.fixture
async def tasks() -> AsyncIterator[TaskOwner]:
    async with TaskOwner("test") as owner:
        yield owner


def media(tasks: TaskOwner, camera: str | None = None) -> VideoMedia:
    events: list[Event] = []
    return VideoMedia(Did("did:key:me"), tasks, events.append, MediaTaps(events.append), camera=camera)


@pytest.mark.parametrize("camera", ["nonsense", "file:/nowhere.mp4", "blank?size=1x1"])
async def test_one_that_is_not_there_is_refused_also_while_none_is_on(tasks: TaskOwner, camera: str) -> None:
    video = media(tasks)
    with pytest.raises(REFUSED[camera]):
        await video.choose(camera)
    assert video.camera_name == "default"
    await video.choose("blank")
    assert video.camera_name == "blank"
    assert not video.is_on


@pytest.mark.parametrize("camera", ["nonsense", "file:/nowhere.mp4"])
async def test_a_session_does_not_begin_with_one_that_is_not_there(tasks: TaskOwner, camera: str) -> None:
    with pytest.raises(REFUSED[camera]):
        await media(tasks, camera).find_camera()
    await media(tasks, "testsrc").find_camera()
    await media(tasks).find_camera()


def _goes_on(path: VideoPath, since: int) -> bool:
    return path.camera.frames_captured > since + 1


async def test_what_is_on_goes_on_when_another_one_is_refused(tasks: TaskOwner) -> None:
    video = media(tasks, "blank?fps=60")
    switched: list[bool] = []
    video.when_changed = switched.append
    await video.turn_on()
    path = video.path
    assert path is not None
    for camera, error in REFUSED.items():
        running = path.camera.camera
        with pytest.raises(error):
            await video.choose(camera)
        assert path.camera.camera is running
        await eventually(partial(_goes_on, path, path.camera.frames_captured))
    assert (video.is_on, video.camera_name, switched) == (True, "blank?fps=60", [True])
    await video.choose("testsrc?fps=60")
    assert (video.is_on, video.camera_name) == (True, "testsrc?fps=60")
    await video.aclose()
