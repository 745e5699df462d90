"""The pictures of a session: whether its camera is on, which one it is, and what others show. Light: what pictures take is loaded when they are wanted.

`video on`, `set-camera` --> VideoMedia --> VideoPath (loaded on a thread)
a peer offers pictures ----> VideoMedia: loads, and takes the offer when it is said again, a tenth of a second later
"""

import asyncio
import importlib
import time
from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, Final

from blink_cli.core.api.camera_name import parse_camera_name
from blink_cli.core.api.events import CameraLost, Event
from blink_cli.core.ids import Did
from blink_cli.core.media.video_codec import VideoCodec
from blink_cli.runtime.shared_objects import load_shared_objects
from blink_cli.runtime.tasks import TaskOwner

if TYPE_CHECKING:
    from blink_cli.app.media.media_taps import MediaTaps
    from blink_cli.app.media.participant_media import ParticipantMedia
    from blink_cli.app.media.video.video_path import VideoPath
    from blink_cli.net.link.link_video import LinkVideo
    from blink_cli.net.link.video_doors import VideoDoors
    from blink_cli.video.cameras.interface import Camera
    from blink_cli.video.picture_store import PictureStore

DEFAULT_CAMERA: Final = "default"

VIEWED_S: Final = 10.0
"""Who was asked for so long ago is still looked at: who shows pictures asks again and again."""

MOST_VIEWED: Final = 8
"""Each takes a connection to a room."""


class VideoMedia:
    """Of one session. Belongs to the event loop."""

    def __init__(
        self,
        own: Did,
        tasks: TaskOwner,
        publish: Callable[[Event], None],
        taps: "MediaTaps",
        *,
        camera: str | None = None,
    ) -> None:
        """Show nothing.

        Args:
            own: Who this session is.
            tasks: Owns what takes time.
            publish: Takes events.
            taps: Told of every packet of pictures.
            camera: Which one is used when it is turned on; None: the system's first.

        """
        self._is_chosen = camera is not None
        self.camera_name = camera or DEFAULT_CAMERA
        self.when_changed: Callable[[bool], None] | None = None
        """Told whether the camera is on, when that changes."""

        self.announced: Callable[[], frozenset[Did]] = frozenset
        """Who says that its camera is on."""

        self.path: VideoPath | None = None
        """What runs; None while nobody wanted pictures."""

        self._own = own
        self._tasks = tasks
        self._publish = publish
        self._taps = taps
        self._connected: tuple[ParticipantMedia, ...] = ()
        self._looked_at: dict[Did, float] = {}
        """When, the last one last."""

        self._is_on = False
        self._is_loading = False
        self._choosing = asyncio.Lock()

    @property
    def is_on(self) -> bool:
        """Whether the camera is on."""
        return self._is_on

    @property
    def pictures(self) -> "PictureStore | None":
        """The newest picture of everybody; None while nobody wanted any."""
        return None if self.path is None else self.path.store

    # commands

    async def turn_on(self) -> None:
        """Take pictures, and show them to everybody in the call; nothing changes if that is so.

        Raises:
            BlinkError: The camera cannot be used.

        """
        async with self._choosing:
            if not self._is_on:
                await self._use(self.camera_name)

    async def turn_off(self) -> None:
        """Take no more pictures."""
        async with self._choosing:
            if self.path is not None:
                await self.path.end_camera()
            self._set_on(on=False)

    async def choose(self, camera: str) -> None:
        """Use another camera, at once if it is on, else when it is turned on.

        Raises:
            BlinkError: It cannot be used; what was on goes on then.

        """
        async with self._choosing:
            if self._is_on:
                await self._use(camera)
            else:
                await _opened(camera)
            self.camera_name = camera

    async def find_camera(self) -> None:
        """Look for the camera that was chosen as the session began; where none was, nothing is looked for.

        Raises:
            BlinkError: There is none of this name, or its file cannot be read.

        """
        if self._is_chosen:
            await _opened(self.camera_name)

    async def _use(self, name: str) -> None:
        path = await self._loaded()
        camera = await _opened(name)
        try:
            await path.use(camera, parse_camera_name(name).options.codec or VideoCodec.VP8)
        finally:
            self._set_on(on=path.camera.camera is not None)
        path.links_changed(self._connected)

    def _set_on(self, *, on: bool) -> None:
        if on != self._is_on:
            self._is_on = on
            if self.when_changed is not None:
                self.when_changed(on)

    # links

    def links_changed(self, connected: "tuple[ParticipantMedia, ...]") -> None:
        """Learn to whom media flow now."""
        self._connected = connected
        for one in connected:
            if one.link is not None and one.link.pictures.open_video is None:
                one.link.pictures.open_video = self._opener(one.peer)
        if self.path is not None:
            self.path.links_changed(connected)

    def _opener(self, peer: Did) -> "Callable[[VideoDoors], LinkVideo | None]":
        def open_video(doors: "VideoDoors") -> "LinkVideo | None":
            if self.path is None:
                self._load_soon()
                return None
            return self.path.open_link(peer, doors)

        return open_video

    # PictureSide: rooms

    @property
    def shows(self) -> bool:
        """See `PictureSide`."""
        return self._is_on and self.path is not None

    @property
    def shown(self) -> frozenset[Did]:
        """See `PictureSide`."""
        announced = self.announced()
        if announced and self.path is None:
            self._load_soon()
            return frozenset()
        return announced

    def looks_at(self, did: Did) -> None:
        """Somebody wants to see a participant."""
        self._looked_at.pop(did, None)
        self._looked_at[did] = time.monotonic()
        while len(self._looked_at) > MOST_VIEWED:
            del self._looked_at[next(iter(self._looked_at))]

    @property
    def viewed(self) -> frozenset[Did]:
        """See `PictureSide`."""
        since_s = time.monotonic() - VIEWED_S
        return frozenset(did for did, at_s in self._looked_at.items() if at_s >= since_s)

    def show_in_room(self, doors: "VideoDoors", seal: Callable[[bytes], bytes]) -> "LinkVideo":
        """See `PictureSide`."""
        assert self.path is not None, "asked for where something is shown"
        return self.path.show_in_room(doors, seal)

    def see_in_room(
        self, did: Did, doors: "VideoDoors", unseal: Callable[[bytes], bytes | None]
    ) -> "LinkVideo":
        """See `PictureSide`."""
        assert self.path is not None, "asked for where something is shown"
        return self.path.see_in_room(did, doors, unseal)

    def unseen_in_room(self, did: Did) -> None:
        """See `PictureSide`."""
        if self.path is not None:
            self.path.unseen_in_room(did)

    def room_over(self) -> None:
        """See `PictureSide`."""
        if self.path is not None:
            self.path.room_over()

    def end_call(self) -> None:
        """The call is over: show nothing of anybody, and turn the camera off, so that no other call begins with it."""
        self._connected = ()
        if self.path is not None:
            self.path.end_call()
        if self._is_on:
            self._tasks.start(self.turn_off(), name="turn the camera off")

    # loading

    def _load_soon(self) -> None:
        if not self._is_loading:
            self._is_loading = True
            self._tasks.start(self._load(), name="load video")

    async def _load(self) -> None:
        await self._loaded()

    async def _loaded(self) -> "VideoPath":
        self._is_loading = True
        if self.path is None:
            module = await asyncio.to_thread(_imported, "blink_cli.app.media.video.video_path")
            if self.path is None:
                self.path = module.VideoPath(self._own, self._taps, camera_failed=self._camera_failed)
        assert self.path is not None, "it was made"
        return self.path

    def _camera_failed(self, reason: str) -> None:
        self._publish(CameraLost(camera=self.camera_name, reason=reason))
        self._tasks.start(self.turn_off(), name="turn the camera off")

    async def aclose(self) -> None:
        """End what runs."""
        if self.path is not None:
            await self.path.aclose()


def _imported(name: str) -> ModuleType:
    """Import a module, and FFmpeg with it, while a voice may go on."""
    load_shared_objects("av")
    return importlib.import_module(name)


async def _opened(name: str) -> "Camera":
    """A camera that is not started: a file is looked at, the system asked."""
    opener = await asyncio.to_thread(_imported, "blink_cli.video.cameras.opener")
    camera: Camera = await asyncio.to_thread(opener.open_camera, name)
    return camera
