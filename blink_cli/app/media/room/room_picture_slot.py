"""One connection by which a participant's pictures come from a room, made anew where it ends.

attach --> subscribe to the pictures of a feed --> a link, told of a voice that never comes --> LinkVideo: opened, put together, decoded
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from msgspec.structs import replace
from typing_extensions import override

from blink_cli.app.media.room.picture_side import PictureSide
from blink_cli.app.media.room.room_door import RoomDoor
from blink_cli.core.errors import BlinkError
from blink_cli.core.ids import Did
from blink_cli.core.media.video.video_format import OFFERED_IN_ROOMS
from blink_cli.net.link.link_events import LinkEvents
from blink_cli.net.link.media_link import MediaLink
from blink_cli.net.link.picture_descriptions import as_pictures, as_voice, section_of
from blink_cli.net.link.video_description import VIDEO_MID
from blink_cli.net.link_settings import LinkClosed, LinkConnected, LinkFailed, LinkState
from blink_cli.net.sfu import video_room
from blink_cli.net.sfu.janus_session import JanusHandle

_log = logging.getLogger(__name__)

AGAIN_S: Final = (0.2, 0.5, 1.0, 3.0)
"""After a failure: its camera was announced before the server knew its pictures, or it has an older build, which shows none in rooms."""


class RoomPictureSlot(LinkEvents):
    """Belongs to the event loop."""

    __slots__ = ("_did", "_door", "_ended", "_feed", "_handle", "_link", "_side", "_standing", "_unseal")

    def __init__(
        self, door: RoomDoor, side: PictureSide, did: Did, feed: int, unseal: Callable[[bytes], bytes | None]
    ) -> None:
        """Bring nothing yet.

        Args:
            door: To the room.
            side: Takes the pictures.
            did: Whose they are.
            feed: The server's number for its stream.
            unseal: Opens them.

        """
        self._door = replace(door, media_round=None)  # which is the voice's
        self._side = side
        self._did = did
        self._feed = feed
        self._unseal = unseal
        self._handle: JanusHandle | None = None
        self._link: MediaLink | None = None
        self._standing: asyncio.Future[str | None] | None = None
        self._ended: asyncio.Future[str] | None = None

    @property
    def feed(self) -> int:
        """Which stream it brings."""
        return self._feed

    async def run(self) -> None:
        """Bring pictures until it is cancelled."""
        failures = 0
        try:
            while True:
                try:
                    reason = await self._carry()
                    failures = 0
                except BlinkError as failure:
                    reason = str(failure)
                _log.debug("no pictures of %s from the room: %s", self._did, reason)
                self._close()
                await asyncio.sleep(AGAIN_S[min(failures, len(AGAIN_S) - 1)])
                failures += 1
        finally:
            self._close()

    async def _carry(self) -> str:
        """Bring them until the connection ends; returns why.

        Raises:
            BlinkError: It did not come to stand.

        """
        door = self._door
        self._handle = await door.session.attach()
        offer = await video_room.subscribe(self._handle, door.place, self._feed, VIDEO_MID)
        link = self._link = door.new_link("pictures", self)
        loop = asyncio.get_running_loop()
        standing: asyncio.Future[str | None] = loop.create_future()
        ended: asyncio.Future[str] = loop.create_future()
        self._standing, self._ended = standing, ended
        answer = await link.accept_offer(as_voice(offer))
        await video_room.start(self._handle, as_pictures(answer, offer, OFFERED_IN_ROOMS))
        reason = await standing
        if reason is not None:
            raise BlinkError(f"The connection to the SFU failed: {reason}.", hint="It is tried again.")
        link.pictures.open_video = lambda doors: self._side.see_in_room(self._did, doors, self._unseal)
        video = link.pictures.with_video()
        assert video is not None, "the link stands"
        video.answer_section(section_of(offer))
        return await ended

    def _close(self) -> None:
        link, self._link = self._link, None
        handle, self._handle = self._handle, None
        if link is not None:
            self._side.unseen_in_room(self._did)
            link.silence()
            self._door.later(link.aclose(), "close pictures")
        if handle is not None:
            self._door.later(handle.detach(), "detach pictures")

    @override
    def state_changed(self, state: LinkState) -> None:
        """Notice that it stands, or that it is to be made anew."""
        standing, ended = self._standing, self._ended
        if isinstance(state, LinkConnected):
            if standing is not None and not standing.done():
                standing.set_result(None)
        elif isinstance(state, LinkFailed | LinkClosed):
            if standing is not None and not standing.done():
                standing.set_result(state.reason)
            if ended is not None and not ended.done():
                ended.set_result(state.reason)
