"""One stay in a room, from entering to leaving or losing it.

    session at the SFU -> enter -> publish -> entered ... left, or lost: told once
    RoomSlots: who is on which slot --> RoomSlot, a connection each --> RoomReader: opened, played, told to who hears it

Everything of it ends with it: the next one begins with a stream id, keys and connections of its own.
"""

import asyncio
import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import msgspec

from blink_cli.app.media.room.picture_side import PictureSide
from blink_cli.app.media.room.picture_upload import PictureUpload
from blink_cli.app.media.room.room_door import RoomDoor
from blink_cli.app.media.room.room_listener import RoomListener
from blink_cli.app.media.room.room_reader import Hearing, RoomReader
from blink_cli.app.media.room.room_slot import RoomSlot
from blink_cli.app.media.room.room_upload import RoomUpload
from blink_cli.core.api.sfu_server import SfuAccess
from blink_cli.core.errors import BlinkError
from blink_cli.core.ids import Did
from blink_cli.core.media.codec_settings import CodecSettings
from blink_cli.core.media.room import RoomFeed, RoomPlace
from blink_cli.core.media.room_keys import frame_key
from blink_cli.core.media.room_silence import RoomSilence
from blink_cli.core.media.room_slots import RoomSlots
from blink_cli.core.media.room_stream import RoomStream
from blink_cli.core.media.rtcp import BlockOnWire
from blink_cli.core.sframe.frame_opener import OpenCounters
from blink_cli.core.sframe.replay_window import ReplayWindows
from blink_cli.net.link.media_round import MediaRound
from blink_cli.net.link_settings import LinkCertificate, LinkConnected, LinkSettings
from blink_cli.net.sfu import video_room
from blink_cli.net.sfu.janus_session import JanusHandle, JanusSession
from blink_cli.runtime.tasks import TaskOwner

if TYPE_CHECKING:
    from blink_cli.app.media.room.room_pictures import RoomPictures

CONNECT_S: Final = 5.0
"""A server whose media cannot be reached for so long is given up."""

REPORT_S: Final = 1.0
FIRST_REPORT_S: Final = 0.2

PICTURES_S: Final = 0.25
"""How often it is looked who shows something: it goes through all participants."""


class VisitParts(msgspec.Struct, frozen=True):
    """What a visit needs of the session."""

    own: Did
    settings: LinkSettings
    tasks: TaskOwner
    entered: Callable[[RoomFeed], None]
    silent: Callable[[bool], None]
    """Told that nothing comes from the server any more, and when something comes again."""

    lost: Callable[[str], None]
    """Told once, unless it was left."""

    now_s: Callable[[], float]
    windows: ReplayWindows
    access: SfuAccess
    media_round: MediaRound | None
    refused: OpenCounters
    """Counts what is not opened."""

    pictures: PictureSide | None = None
    """The session's; None: it has none to do with."""


class RoomVisit:
    """Belongs to the event loop."""

    def __init__(
        self,
        place: RoomPlace,
        parts: VisitParts,
        group_keys: tuple[bytes, ...],
        codec: CodecSettings,
        slots: RoomSlots,
    ) -> None:
        """Enter, in a task of its own.

        Args:
            place: Where.
            parts: What it needs.
            group_keys: Of the call: the one to seal by, then others to open by.
            codec: What may be repeated.
            slots: Who is heard at once; nobody is in it yet.

        """
        self.place: Final = place
        self.certificate: Final = LinkCertificate()
        """Of this visit alone: by the session's the server would know it again in every call, and in the handshakes of direct links."""

        self.hearings: Final[dict[Did, Hearing]] = {}
        self.slots: Final = slots
        self._parts = parts
        self._group_keys = group_keys
        self.upload: Final = RoomUpload(parts.own, group_keys[0], codec, ended=self._give_up)
        self.reader: Final = RoomReader(parts.windows, parts.refused, self.upload.reported_by)
        self._door: RoomDoor | None = None
        self._picture_upload: PictureUpload | None = None
        self._pictures: RoomPictures | None = None
        """None while nobody shows anything."""

        self._connections: dict[int, tuple[RoomSlot, asyncio.Task[None]]] = {}
        self._ended: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        self._report_due_s = self._pictures_due_s = 0.0
        self._silence = RoomSilence()
        self._visiting = parts.tasks.start(self._run(), name="visit a room")

    @property
    def stands(self) -> bool:
        """Whether it was entered and is not over."""
        return self._door is not None and not self._ended.done()

    # what is asked of it

    def leave(self) -> None:
        """End it without telling anything."""
        if not self._ended.done():
            self._ended.set_result(None)
        # Nobody waits for the rest of entering, and what owns tasks may be closed before that.
        if self._door is None:
            self._visiting.cancel()
        self._close_connections()
        self._let_all_go()

    def use_keys(self, group_keys: tuple[bytes, ...]) -> None:
        """Open by what follows from these, and by nothing else; seal by the first."""
        self._group_keys = group_keys
        self.upload.use_key(group_keys[0])
        if self._pictures is not None:
            self._pictures.use_keys(group_keys)
        for hearing in self.hearings.values():
            self._derive_keys(hearing)
        self.reader.open_for(tuple(self.hearings.values()))

    def hear(self, peer: Did, epoch: int, feed: RoomFeed, listener: RoomListener) -> None:
        """Hear a participant by what it publishes, as soon as it has a slot."""
        known = self.hearings.get(peer)
        if known is not None and known.stream.feed == feed:
            known.epoch, known.told_s = epoch, None
            return
        self.hear_no_more(peer)
        stream = RoomStream(feed, own_ssrc=self.upload.sender.ssrc, sent=self.upload.sender.sent)
        hearing = self.hearings[peer] = Hearing(peer, epoch, stream, listener)
        self._derive_keys(hearing)
        self.reader.open_also(hearing)
        self.slots.add(peer)
        listener.room_up(stream, self._parts.now_s())
        self.assign()

    def hear_no_more(self, peer: Did) -> None:
        """Hear it no more; harmless when it was not heard."""
        hearing = self.hearings.pop(peer, None)
        if hearing is not None:
            self._let_go(hearing)
            self.reader.open_for(tuple(self.hearings.values()))
            self.assign()

    def assign(self) -> None:
        """Carry out who is on which slot."""
        if self._door is None or self._ended.done():
            return
        assigned = self.slots.assigned
        for hearing in self.hearings.values():
            has = self.slots.slot_of(hearing.peer)
            had = hearing.slot
            if had is None and has is not None:  # it is ready before anything comes
                hearing.listener.room_slot_given(talking=self.slots.is_talking(hearing.peer))
            self.reader.put_on(hearing, has)
            if had is not None and has is None:
                hearing.listener.room_slot_lost()
        for number in assigned.keys() - self._connections.keys():
            slot = RoomSlot(self._door, f"slot {number}", self.reader)
            task = self._parts.tasks.start(slot.run(), name=f"slot {number} of a room")
            self._connections[number] = slot, task
        for number, (slot, _) in self._connections.items():
            peer = assigned.get(number)
            slot.bring(None if peer is None else self.hearings[peer].stream.feed.feed)

    def look(self, now_s: float) -> None:
        """Send reports that are due, plan what is repeated, and judge whether the server stands still; to be called ten times a second."""
        self._listen_for_silence(now_s)
        if self.stands:
            self.upload.plan_anew(now_s)
        if self.stands and now_s >= self._pictures_due_s:
            self._pictures_due_s = now_s + PICTURES_S
            self._look_at_pictures()
        if self.stands and now_s >= self._report_due_s:
            blocks: list[BlockOnWire] = []
            for hearing in self.hearings.values():
                if hearing.slot is not None:
                    blocks += hearing.stream.report_blocks(now_s)
            self.upload.report(blocks, now_s)
            self._report_due_s = now_s + REPORT_S * random.uniform(0.75, 1.25)

    # inside

    def _look_at_pictures(self) -> None:
        side, door, upload = self._parts.pictures, self._door, self._picture_upload
        if side is None:
            return
        feeds = {one.peer: one.stream.feed for one in self.hearings.values()}
        if self._pictures is None and door is not None and upload is not None:
            if not side.shows and side.shown.isdisjoint(feeds):
                return
            from blink_cli.app.media.room.room_pictures import RoomPictures  # noqa: PLC0415 - calls of voices need nothing of it

            parts = self._parts
            self._pictures = RoomPictures(
                side, door, upload, self._group_keys, windows=parts.windows, refused=parts.refused
            )
        if self._pictures is not None:
            heard = (one.peer for one in self.hearings.values() if one.slot is not None)
            self._pictures.look(feeds, frozenset(heard))

    def _listen_for_silence(self, now_s: float) -> None:
        door = self._door
        if door is None or self._ended.done():
            return
        came = [one.stream.last_heard_s for one in self.hearings.values() if one.slot is not None]
        heard_s = max((at_s for at_s in came if at_s is not None), default=None)
        session = door.session
        changed = self._silence.look(now_s, heard_s, session.unanswered_s, session.rtt_s)
        if self._silence.asks:
            session.ask_now()
        if changed:
            self._parts.silent(self._silence.is_silent)

    def _derive_keys(self, hearing: Hearing) -> None:
        """By which it is opened from now on; those that it has are not derived again, since everybody's change at once."""
        had, feed = hearing.by_group_key, hearing.stream.feed
        hearing.by_group_key = {
            key: had.get(key) or frame_key(key, hearing.peer, feed.stream_id) for key in self._group_keys
        }

    def _give_up(self, reason: str) -> None:
        if not self._ended.done():
            self._ended.set_result(reason)

    async def _run(self) -> None:
        parts = self._parts
        reason: str | None
        try:
            async with JanusSession(
                self.place.url, parts.tasks, lost=self._give_up, access=parts.access
            ) as session:
                reason = await self._stay(session)
        except BlinkError as failure:
            reason = failure.message.rstrip(".")
        finally:
            if self._pictures is not None:
                self._pictures.close()
            self._pictures = self._picture_upload = None
            self._door = None
            self._close_connections()
        if self._ended.done():
            reason = self._ended.result()
        else:
            self._ended.set_result(reason)
        self._let_all_go()
        if reason is not None:
            parts.lost(reason)

    async def _stay(self, session: JanusSession) -> str | None:
        """Publish, and hear, until it is over. Returns why; None: it was left."""
        parts = self._parts
        door = RoomDoor(session, self.place, parts.settings, self.certificate, parts.tasks, parts.media_round)
        link = door.new_link("room", self.upload)
        try:
            handle = await session.attach()
            handle.ended = self._give_up
            entrance = await video_room.enter(handle, self.place, admin_key=parts.access.admin_key)
            answer = await video_room.publish(handle, await link.create_offer())
            await link.accept_answer(answer)
            begun_s = parts.now_s()
            while not isinstance(link.state, LinkConnected):
                if self._ended.done():
                    return self._ended.result()
                if parts.now_s() - begun_s > CONNECT_S:
                    return f"the media of the SFU {self.place.url} cannot be reached"
                await asyncio.wait((self._ended,), timeout=_LOOK_S)
            if self._ended.done():
                return self._ended.result()
            self.upload.send_by(link)
            self._door = door
            self._report_due_s = parts.now_s() + FIRST_REPORT_S
            feed = self.upload.sender.feed(entrance.feed)
            self._picture_upload = PictureUpload(own=parts.own, feed=feed, handle=handle, link=link)
            parts.entered(feed)
            self.assign()
            reason = await self._ended
            if reason is None and entrance.secret is not None:
                await self._take_down_if_empty(handle, entrance.feed, entrance.secret)
            return reason
        finally:
            link.silence()
            door.later(link.aclose(), "close the upload")

    async def _take_down_if_empty(self, handle: JanusHandle, feed: int, secret: str) -> None:
        """End the room that we have made, if we are the last in it; who comes at this moment makes it again."""
        if not await video_room.others_in(handle, self.place, feed):
            await video_room.take_down(handle, self.place, secret)

    def _close_connections(self) -> None:
        connections, self._connections = self._connections, {}
        for _, task in connections.values():
            task.cancel()

    def _let_all_go(self) -> None:
        for peer in tuple(self.hearings):
            self._let_go(self.hearings.pop(peer))

    def _let_go(self, hearing: Hearing) -> None:
        self.reader.put_on(hearing, None)
        self.reader.catch_up()  # what was heard of it counts
        self.slots.remove(hearing.peer)
        hearing.listener.room_down()


_LOOK_S: Final = 0.005
"""While the upload is made."""
