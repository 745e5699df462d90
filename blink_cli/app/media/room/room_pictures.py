"""The pictures of one stay in a room: ours on the connection that carries our voice there, those of who is heard on a connection each.

    camera on --> a section of video more on the upload, agreed with the server --> sealed packets --> who subscribed
    who is heard or looked at, and shows something --> RoomPictureSlot --> opened by the keys that follow from the call's, as its voice is

Loaded when somebody shows something. Belongs to the event loop.
"""

import asyncio
import logging
from collections.abc import Mapping
from typing import Final

from blink_cli.app.media.room.picture_side import PictureSide
from blink_cli.app.media.room.picture_upload import PictureUpload
from blink_cli.app.media.room.room_door import RoomDoor
from blink_cli.app.media.room.room_picture_slot import RoomPictureSlot
from blink_cli.core.errors import BlinkError, WireError
from blink_cli.core.ids import Did
from blink_cli.core.media.room import RoomFeed
from blink_cli.core.media.room_keys import frame_key, picture_stream_id
from blink_cli.core.sframe.frame_key import FrameKey
from blink_cli.core.sframe.frame_opener import FrameOpener, OpenCounters
from blink_cli.core.sframe.replay_window import ReplayWindows
from blink_cli.net.link.video_description import VIDEO_MID, split_sections, whole_description
from blink_cli.net.sfu import video_room

_log = logging.getLogger(__name__)

_SECOND_DESCRIPTION: Final = 2


class RoomPictures:
    """Of one visit."""

    def __init__(
        self,
        side: PictureSide,
        door: RoomDoor,
        upload: PictureUpload,
        group_keys: tuple[bytes, ...],
        *,
        windows: ReplayWindows,
        refused: OpenCounters,
    ) -> None:
        """Show and see nothing yet.

        Args:
            side: The session's pictures.
            door: To the room.
            upload: By what ours go there.
            group_keys: Of the call: the one to seal by, then others to open by.
            windows: What has come under each key of the session.
            refused: Counts what is not opened.

        """
        self._side = side
        self._door = door
        self._upload = upload
        self._group_keys = group_keys
        self._stream_id = picture_stream_id(upload.feed.stream_id)
        self._key: FrameKey = frame_key(group_keys[0], upload.own, self._stream_id)
        self._ctr = 0
        self._opener = FrameOpener[Did](windows, refused)
        self._feeds: dict[Did, RoomFeed] = {}
        self._slots: dict[Did, tuple[RoomPictureSlot, asyncio.Task[None]]] = {}
        self._showing: asyncio.Task[None] | None = None

    def use_keys(self, group_keys: tuple[bytes, ...]) -> None:
        """Open by what follows from these, and by nothing else; seal by the first."""
        self._group_keys = group_keys
        self._key = frame_key(group_keys[0], self._upload.own, self._stream_id)
        self._renew_keys()

    def look(self, feeds: Mapping[Did, RoomFeed], heard: frozenset[Did]) -> None:
        """Do what is due; to be called some times a second with the streams of all, and with those who have a slot."""
        side, tasks = self._side, self._door.tasks
        if side.shows and self._showing is None:
            self._showing = tasks.start(self._show(), name="show pictures in a room")
        seen = side.shown & (heard | side.viewed)
        wanted = {did: feed for did, feed in feeds.items() if did in seen}
        for did in tuple(self._slots):
            if did not in wanted or self._slots[did][0].feed != wanted[did].feed:
                self._slots.pop(did)[1].cancel()
        if wanted != self._feeds:
            self._feeds = wanted
            self._renew_keys()
        for did, feed in wanted.items():
            if did not in self._slots:
                slot = RoomPictureSlot(self._door, side, did, feed.feed, self._unsealing(did))
                self._slots[did] = slot, tasks.start(slot.run(), name="pictures from a room")

    def close(self) -> None:
        """The visit is over."""
        slots, self._slots = self._slots, {}
        for _, task in slots.values():
            task.cancel()
        if self._showing is not None:
            self._showing.cancel()
            self._side.room_over()

    async def _show(self) -> None:
        """Have the server take our pictures, for the rest of the visit."""
        link = self._upload.link
        link.pictures.open_video = lambda doors: self._side.show_in_room(doors, self._seal)
        video = link.pictures.with_video()
        if video is None:
            self._showing = None  # the connection does not stand at this moment: at the next look
            return
        section = video.offer_section("sendonly")
        offer = whole_description(link.description, section, mid=VIDEO_MID, version=_SECOND_DESCRIPTION)
        try:
            answer = await video_room.publish_also(self._upload.handle, offer)
            _, sections = split_sections(answer)
            if not sections:
                raise WireError("the server's answer has no section for pictures")
            video.accept_section(sections[0])
        except BlinkError as failure:
            # The voice goes on as it was.
            _log.warning("the SFU takes no pictures: %s", failure)

    def _seal(self, inner: bytes) -> bytes:
        sealed = self._key.seal(self._ctr, inner)
        self._ctr += 1
        return sealed

    def _unsealing(self, did: Did) -> "_Unsealing":
        return _Unsealing(self._opener, did)

    def _renew_keys(self) -> None:
        kids: set[int] = set()
        for did, feed in self._feeds.items():
            stream_id = picture_stream_id(feed.stream_id)
            for group_key in self._group_keys:
                key = frame_key(group_key, did, stream_id)
                self._opener.add(key, did)
                kids.add(key.kid)
        self._opener.keep_only(frozenset(kids))


class _Unsealing:
    """Opens what one participant sealed, and nothing that another did."""

    def __init__(self, opener: FrameOpener[Did], did: Did) -> None:
        self._opener = opener
        self._did = did

    def __call__(self, sealed: bytes) -> bytes | None:
        found = self._opener.open(sealed)
        return None if found is None or found[0] != self._did else found[1]
