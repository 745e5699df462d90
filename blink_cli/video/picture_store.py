"""The picture of each participant that was seen last: what terminals show, snapshots keep, and previews read.

    decoding thread, own camera ──> put ──> the newest picture of each ──> latest, newer

Nothing waits in it: of each participant it holds one picture, and whoever looks more rarely misses those in between.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from dataclasses import dataclass

from blink_cli.core.ids import Did
from blink_cli.runtime.loop_bridge import LoopBridge
from blink_cli.video.picture import Picture


@dataclass(frozen=True, slots=True, eq=False)
class SeenPicture:
    """A picture with its number."""

    number: int
    """Counts the pictures of its participant, from 1; it goes on when a camera is changed or somebody comes back."""

    picture: Picture


class PictureStore:
    """Made on the event loop. `put` and `latest` may be called on any thread; the rest belongs to the loop."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._newest: dict[Did, SeenPicture] = {}
        self._counts: dict[Did, int] = {}
        self._awaited: set[Did] = set()
        self._waiting: dict[Did, set[asyncio.Future[None]]] = {}
        self._watching: tuple[Callable[[Did, Picture], None], ...] = ()
        self._loop = LoopBridge()

    def watch(self, watch: Callable[[Did, Picture], None]) -> None:
        """Have each picture of everybody told from now on, on the thread that puts it: `watch` returns at once, and does not raise."""
        with self._lock:
            self._watching = (*self._watching, watch)

    def forget(self, watch: Callable[[Did, Picture], None]) -> None:
        """Tell it no more; nothing if it was not told. One that is being told now may still be."""
        with self._lock:
            self._watching = tuple(one for one in self._watching if one != watch)

    def put(self, did: Did, picture: Picture) -> None:
        """This is what `did` shows now; oneself is one of them. Wakes the event loop only where somebody waits for it."""
        with self._lock:
            number = self._counts.get(did, 0) + 1
            self._counts[did] = number
            self._newest[did] = SeenPicture(number, picture)
            awaited = did in self._awaited
            self._awaited.discard(did)
            watching = self._watching
        for watch in watching:
            watch(did, picture)
        if awaited:
            self._loop.call(self._wake, did)

    def remove(self, did: Did) -> None:
        """Nothing is to be seen of `did` any more: its camera is off, or it left."""
        with self._lock:
            self._newest.pop(did, None)

    def clear(self) -> None:
        """The call is over: forget everybody."""
        with self._lock:
            self._newest.clear()

    def latest(self, did: Did) -> SeenPicture | None:
        """Return what was seen last of `did`; None while there is nothing."""
        with self._lock:
            return self._newest.get(did)

    def seen(self) -> tuple[Did, ...]:
        """Return those of whom there is a picture."""
        with self._lock:
            return tuple(self._newest)

    async def newer(self, did: Did, than: int, within_s: float) -> SeenPicture | None:
        """Return the newest picture of `did` once its number is above `than`; None where none comes in this time. Cancelling is safe."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while True:
                    woken = asyncio.get_running_loop().create_future()
                    waiting = self._waiting.setdefault(did, set())
                    waiting.add(woken)
                    try:
                        with self._lock:
                            self._awaited.add(did)
                            newest = self._newest.get(did)
                        if newest is not None and newest.number > than:
                            return newest
                        await woken
                    finally:
                        waiting.discard(woken)
                        if not waiting:
                            self._waiting.pop(did, None)
        return None

    def _wake(self, did: Did) -> None:
        for waiting in self._waiting.get(did, set()):
            if not waiting.done():
                waiting.set_result(None)
