"""One connection by which streams of a room come, one at a time: another is put on it at once, and a connection that ends is made anew.

bring(feed) --> switch on a connection that stands (0.7 ms), or a new subscription (35 ms on a LAN) --> packets, still sealed
"""

import asyncio
import contextlib
import logging
from typing import Final

from typing_extensions import override

from blink_cli.app.media.room.room_door import RoomDoor
from blink_cli.app.media.room.room_reader import RoomReader
from blink_cli.core.errors import BlinkError
from blink_cli.core.media.rtp import RtpPacket
from blink_cli.net.link.link_events import LinkEvents
from blink_cli.net.link.media_link import MediaLink
from blink_cli.net.link_settings import LinkClosed, LinkConnected, LinkFailed, LinkState
from blink_cli.net.sfu import video_room
from blink_cli.net.sfu.janus_session import JanusHandle

_log = logging.getLogger(__name__)

AGAIN_S: Final = (0.1, 0.3, 1.0)
"""After a failure: somebody was told of a stream before the server knew it, or the line is bad."""


class RoomSlot(LinkEvents):
    """Belongs to the event loop."""

    __slots__ = (
        "_brings",
        "_changed",
        "_door",
        "_failures",
        "_handle",
        "_link",
        "_name",
        "_reader",
        "_standing",
        "_wanted",
    )

    def __init__(self, door: RoomDoor, name: str, reader: RoomReader) -> None:
        """Bring nothing yet.

        Args:
            door: To the room.
            name: For tasks and logs.
            reader: Opens and plays what comes.

        """
        self._door = door
        self._name = name
        self._reader = reader
        self._wanted: int | None = None
        self._brings: int | None = None
        """The stream that comes now; None while none does."""

        self._changed = asyncio.Event()
        self._handle: JanusHandle | None = None
        self._link: MediaLink | None = None
        self._standing: asyncio.Future[str | None] | None = None
        self._failures = 0

    def bring(self, feed: int | None) -> None:
        """Bring this stream from now on, and no other; None: nothing."""
        if feed != self._wanted:
            self._wanted = feed
            self._failures = 0
            self._changed.set()

    async def run(self) -> None:
        """Follow what is wanted until it is cancelled."""
        try:
            while True:
                self._changed.clear()
                again_s = None if self._wanted == self._brings else await self._follow()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(again_s):
                        await self._changed.wait()
        finally:
            self._close()

    async def _follow(self) -> float | None:
        """Do one step towards what is wanted. Returns after how long to try again; None: when something changes."""
        wanted = self._wanted
        if wanted is None:
            self._close()
            return None
        try:
            if self._link is None or self._brings is None or not await self._switch(wanted):
                self._close()
                await self._open(wanted)
        except BlinkError as failure:
            self._close()
            _log.debug("%s does not bring a stream of the room: %s", self._name, failure)
            again_s = AGAIN_S[min(self._failures, len(AGAIN_S) - 1)]
            self._failures += 1
            return again_s
        self._failures = 0
        self._brings = wanted
        if self._wanted != wanted:
            self._changed.set()
        return None

    async def _switch(self, feed: int) -> bool:
        assert self._handle is not None, "a connection has its handle"
        return await video_room.switch(self._handle, feed)

    async def _open(self, feed: int) -> None:
        door = self._door
        self._handle = await door.session.attach()
        offer = await video_room.subscribe(self._handle, door.place, feed, video_room.VOICE_MID)
        link = self._link = door.new_link(self._name, self)
        link.receiving.hear = self._reader.read
        standing = self._standing = asyncio.get_running_loop().create_future()
        await video_room.start(self._handle, await link.accept_offer(offer))
        reason = await standing
        if reason is not None:
            raise BlinkError(f"The connection to the SFU failed: {reason}.", hint="It is tried again.")

    def _close(self) -> None:
        self._brings = None
        link, self._link = self._link, None
        handle, self._handle = self._handle, None
        if link is not None:
            link.silence()
            self._door.later(link.aclose(), f"close {self._name}")
        if handle is not None:
            self._door.later(handle.detach(), f"detach {self._name}")

    @override
    def packet_received(self, packet: RtpPacket) -> None:
        """Tell what was read."""
        del packet  # which is opened by now, and played
        self._reader.catch_up()

    @override
    def state_changed(self, state: LinkState) -> None:
        """Notice that it stands, or that it is to be made anew."""
        standing = self._standing
        if isinstance(state, LinkConnected):
            if standing is not None and not standing.done():
                standing.set_result(None)
        elif isinstance(state, LinkFailed | LinkClosed):
            if standing is not None and not standing.done():
                standing.set_result(state.reason)
            else:
                self._brings = None
                self._changed.set()
