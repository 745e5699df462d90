"""Carries out what a user asks about the camera, and has the call show to all whether it is on."""

from blink_cli.app.call.call_runner import CallRunner
from blink_cli.app.media.video.video_media import VideoMedia
from blink_cli.app.request_table import RequestTable
from blink_cli.core.api.replies.video import VideoSet
from blink_cli.core.api.requests import SetCamera, SetVideo
from blink_cli.core.errors import StateError
from blink_cli.core.ids import Did


class VideoRequests:
    """Belongs to the event loop."""

    def __init__(self, runner: CallRunner, video: VideoMedia) -> None:
        """Change nothing yet."""
        self._runner = runner
        self._video = video
        video.when_changed = lambda on: runner.set_video(on=on)
        video.announced = self._announced

    def add_to(self, table: RequestTable) -> None:
        """Carry out the requests about the camera."""
        table.add(SetVideo, self.set_video)
        table.add(SetCamera, self.set_camera)

    async def set_video(self, request: SetVideo) -> VideoSet:
        """Turn the camera on or off.

        Raises:
            StateError: There is no call to show anything in.
            CameraError: The camera cannot be used.
            NotFoundError: There is none of this name.

        """
        if not request.on:
            await self._video.turn_off()
        elif self._runner.current is None:
            raise StateError(
                "This session is in no call, so nobody would see the camera.",
                hint="`blink offer PEER` begins one; `blink set-camera CAMERA` chooses the camera before.",
            )
        else:
            await self._video.turn_on()
        return self._reply()

    async def set_camera(self, request: SetCamera) -> VideoSet:
        """Use another camera, at once if one is on.

        Raises:
            UsageError: It is no camera's name.
            CameraError: It cannot be used; what was on goes on then.
            NotFoundError: There is none of this name.

        """
        await self._video.choose(request.camera)
        return self._reply()

    def _announced(self) -> frozenset[Did]:
        call = self._runner.snapshot().call
        return frozenset() if call is None else frozenset(one.did for one in call.participants if one.video)

    def _reply(self) -> VideoSet:
        return VideoSet(on=self._video.is_on, camera=self._video.camera_name)
