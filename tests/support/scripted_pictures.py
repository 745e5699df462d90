"""Pictures of a scripted session: a real camera, put into a real store by a thread, as a call's decoders do."""

import threading
from typing import Any

from blink_cli.app.picture_requests import PictureRequests
from blink_cli.core.api.replies.pictures import PictureShown, SnapshotSaved
from blink_cli.core.api.requests import GetPicture, SaveSnapshot
from blink_cli.core.ids import Did
from blink_cli.runtime.clock import MonotonicClock
from blink_cli.video.cameras.opener import open_camera
from blink_cli.video.picture_store import PictureStore


class ScriptedPictures:
    """Made on the event loop. Whoever of `shown` is looked at shows the same camera."""

    def __init__(self, camera: str | None, shown: tuple[Did, ...], directory: Any) -> None:
        self.store = PictureStore()
        self._shown = shown
        self._over = threading.Event()
        self._requests = PictureRequests(shown[0], directory, lambda: self.store, looks_at=lambda _: None)
        self._thread = threading.Thread(target=self._take, args=(camera or "",), name="scripted camera")
        if camera is not None:
            self._thread.start()

    async def answer(self, request: GetPicture | SaveSnapshot) -> PictureShown | SnapshotSaved:
        """As a session does."""
        if isinstance(request, GetPicture):
            return await self._requests.get_picture(request)
        return await self._requests.save_snapshot(request)

    def close(self) -> None:
        """End the camera."""
        self._over.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _take(self, name: str) -> None:
        camera, clock = open_camera(name), MonotonicClock()
        camera.start(clock.now_s())
        while not self._over.is_set():
            clock.wait_until(camera.ready_s(clock.now_s()))
            picture = camera.read(clock.now_s())
            if picture is not None:
                for did in self._shown:
                    self.store.put(did, picture)
        camera.stop()
