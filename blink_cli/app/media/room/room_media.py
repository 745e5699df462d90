"""The room part of a call's media: at most one visit at a time, the keys, and who is heard.

enter, leave, use_keys, hear, hear_no_more, talks --> RoomMedia --> RoomVisit
MediaOwner <-- RoomEntered, RoomLost, Connected, Heard

Nothing of aiortc and of the library for WebSockets is loaded before a room is entered.
"""

import asyncio
import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from blink_cli.app.media.room.picture_side import PictureSide
from blink_cli.app.media.room.room_listener import RoomListener
from blink_cli.core.analysis.room_refusals import RefusalsChange, RoomRefusals
from blink_cli.core.api.events import Event, SfuPacketsAccepted, SfuPacketsRefused
from blink_cli.core.api.sfu_server import NamedSfus
from blink_cli.core.call.group_key import GroupKey
from blink_cli.core.call.inputs import (
    Connected,
    Ended,
    Heard,
    MediaInput,
    RoomEntered,
    RoomLost,
    RoomSilent,
)
from blink_cli.core.errors import NotInstalledError
from blink_cli.core.ids import Did
from blink_cli.core.media.codec_settings import CodecSettings
from blink_cli.core.media.room import RoomFeed, RoomPlace
from blink_cli.core.media.room_slots import HEARD_AT_ONCE, RoomSlots
from blink_cli.core.sframe.replay_window import ReplayWindows
from blink_cli.net.ice.ice_servers import IceServers
from blink_cli.net.link.media_round import MediaRound
from blink_cli.net.link_settings import LinkSettings
from blink_cli.runtime.clock import Clock
from blink_cli.runtime.extras import needs_extra
from blink_cli.runtime.tasks import TaskOwner

if TYPE_CHECKING:  # see the head of this file
    from blink_cli.app.media.room.room_upload import RoomUpload
    from blink_cli.app.media.room.room_visit import RoomVisit

HEARD_EVERY_S: Final = 0.5
"""How often it is told who was heard: each time the rules of a call look at all who are in it."""

_VISIT: Final = "blink_cli.app.media.room.room_visit"


class RoomMedia:
    """Of one session, for one call after the other. Belongs to the event loop."""

    def __init__(
        self,
        own: Did,
        settings: LinkSettings,
        tasks: TaskOwner,
        *,
        listener: Callable[[Did], RoomListener],
        tell: Callable[[MediaInput], None],
        publish: Callable[[Event], None],
        codec: CodecSettings,
        clock: Clock,
        pictures: PictureSide | None = None,
        heard_at_once: int = HEARD_AT_ONCE,
        ice_servers: IceServers | None = None,
        sfus: NamedSfus = NamedSfus(),  # noqa: B008 - a value, and frozen
        media_round: MediaRound | None = None,
    ) -> None:
        """Be in no room.

        Args:
            own: Who this session is.
            settings: How links are made.
            tasks: Owns what takes time.
            listener: Who is told what comes of a participant.
            tell: Told what happens.
            publish: Takes events.
            codec: What may be repeated.
            clock: Time.
            pictures: The session's; None: it has none to do with.
            heard_at_once: How many are heard at once.
            ice_servers: Of which a relay is taken where nothing else may be.
            sfus: How servers are reached.
            media_round: Reads the sockets of slots by which voice comes; None: the event loop does.

        """
        self._ice_servers = ice_servers or IceServers()
        self._sfus = sfus
        self._round = media_round
        self._own = own
        self._settings = settings
        self._tasks = tasks
        self._listener = listener
        self._tell = tell
        self._publish = publish
        self._codec = codec
        self._clock = clock
        self._pictures = pictures
        self._heard_at_once = heard_at_once
        self._keeps_all = False
        self._keys: tuple[bytes, ...] = ()
        self._windows = ReplayWindows()
        self.refused = RoomRefusals()
        """Of the present call."""
        self._visit: RoomVisit | None = None
        self.upload: RoomUpload | None = None
        """By what frames go to the present room; None: this session is in none."""

        self._entering: asyncio.Task[None] | None = None
        self._tell_heard_s = 0.0

    @property
    def heard_at_once(self) -> int | None:
        """How many are heard at once; None: everybody."""
        return None if self._keeps_all else self._heard_at_once

    @property
    def visit(self) -> "RoomVisit | None":
        """The present one, entered or not; None: there is none."""
        return self._visit

    @property
    def remote_host(self) -> str:
        """The IP address to which packets for the room go; empty while there is none."""
        return "" if self._visit is None else self._visit.upload.remote_host

    @property
    def packets_sent(self) -> int:
        """Frames that went out in the present room."""
        return 0 if self._visit is None else self._visit.upload.sender.counters.packets_sent

    def has_slot(self, peer: Did) -> bool:
        """Whether this participant comes through the room now, or is about to."""
        hearing = None if self._visit is None else self._visit.hearings.get(peer)
        return hearing is not None and hearing.slot is not None

    # what the rules of the call ask for

    def end(self) -> None:
        """The call is over."""
        self.leave()
        self.refused = RoomRefusals()

    def enter(self, place: RoomPlace) -> None:
        """See `RoomOfCall.enter`."""
        self.leave()
        self._entering = self._tasks.start(self._enter(place), name="enter a room")

    def leave(self) -> None:
        """See `RoomOfCall.leave`."""
        entering, self._entering = self._entering, None
        if entering is not None:
            entering.cancel()
        visit, self._visit = self._visit, None
        self.upload = None
        if visit is not None:
            visit.leave()

    def use_keys(self, current: GroupKey, former: tuple[GroupKey, ...]) -> None:
        """See `RoomOfCall.use_keys`."""
        self._keys = (current.key, *(key.key for key in former))
        if self._visit is not None:
            self._visit.use_keys(self._keys)

    def hear(self, peer: Did, epoch: int, feed: RoomFeed) -> None:
        """See `RoomOfCall.hear`."""
        visit = self._visit
        if visit is None or not visit.stands:
            self._tell(Ended(peer, epoch, "this session is in no room"))
            return
        visit.hear(peer, epoch, feed, self._listener(peer))
        self._tell(Connected(peer, epoch))

    def hang_up(self, peer: Did, epoch: int) -> None:
        """Hear this participant no more, if it is heard by this epoch."""
        visit = self._visit
        hearing = None if visit is None else visit.hearings.get(peer)
        if visit is not None and hearing is not None and hearing.epoch == epoch:
            visit.hear_no_more(peer)

    def talks(self, peer: Did, *, talking: bool) -> None:
        """See `RoomOfCall.talks`."""
        if self._visit is not None:
            self._visit.slots.talks(peer, talking=talking, now_s=self._clock.now_s())
            self._visit.assign()

    # what the session does

    def told_losses(self, permille: dict[Did, int], now_s: float) -> None:
        """Others say in signals how much of our voice they lose: those too who are not heard here, and whose reports do not come."""
        if self._visit is not None:
            self._visit.upload.told_losses(permille, now_s)

    def own_talk(self, *, talking: bool) -> None:
        """This session's voice begins, or ends."""
        if talking and self._visit is not None:
            self._visit.upload.word_begins()

    def hear_everybody(self, *, everybody: bool) -> None:
        """Have a slot for everyone, as who records needs, or as many as usual."""
        if everybody is not self._keeps_all:
            self._keeps_all = everybody
            if self._visit is not None:
                self._visit.slots.resize(self.heard_at_once)
                self._visit.assign()

    def codec_changed(self, codec: CodecSettings) -> None:
        """Repeat by other settings from now on."""
        self._codec = codec
        if self._visit is not None:
            self._visit.upload.codec_changed(codec)

    def look(self, now_s: float) -> None:
        """Tell who was heard, and send what is due; to be called some times a second."""
        visit = self._visit
        if visit is None:
            return
        visit.look(now_s)
        refusals = self.refused.look(now_s)
        if refusals is not None:
            self._publish(_refusals_event(visit.place.url, refusals))
        if now_s < self._tell_heard_s:
            return
        self._tell_heard_s = now_s + HEARD_EVERY_S
        for hearing in tuple(visit.hearings.values()):
            heard_s = hearing.stream.last_heard_s
            if heard_s is not None and heard_s != hearing.told_s:
                hearing.told_s = heard_s
                self._tell(Heard(hearing.peer, hearing.epoch, heard_s))

    # inside

    async def _enter(self, place: RoomPlace) -> None:
        try:
            with needs_extra("sfu", "A call through an SFU"):
                room_visit = await asyncio.to_thread(importlib.import_module, _VISIT)
        except NotInstalledError as missing:
            self._tell(RoomLost(place.url, f"{missing.message} {missing.hint}"))
            return
        assert self._keys, "keys come before the room"
        settings = self._settings
        if settings.relay_only:
            plan = self._ice_servers.plan()
            settings = replace(settings, ice_servers=plan.servers, gathering_timeout_s=plan.patience_s)
        parts = room_visit.VisitParts(
            own=self._own,
            settings=settings,
            tasks=self._tasks,
            entered=lambda feed: self._entered(place, feed),
            silent=lambda silent: self._tell(RoomSilent(place.url, silent)),
            lost=lambda reason: self._lost(place, reason),
            now_s=self._clock.now_s,
            windows=self._windows,
            access=self._sfus.access_to(place.url),
            media_round=self._round,
            refused=self.refused.counters,
            pictures=self._pictures,
        )
        slots = RoomSlots(self.heard_at_once)
        self._visit = room_visit.RoomVisit(place, parts, self._keys, self._codec, slots)
        self._entering = None

    def _entered(self, place: RoomPlace, feed: RoomFeed) -> None:
        assert self._visit is not None, "one that was left tells nothing"
        self.upload = self._visit.upload
        self._tell(RoomEntered(place.url, feed))

    def _lost(self, place: RoomPlace, reason: str) -> None:
        self._visit = self.upload = None
        self._tell(RoomLost(place.url, reason))


def _refusals_event(url: str, change: RefusalsChange) -> Event:
    since = change.since
    if not change.began:
        return SfuPacketsAccepted(url=url, refused=since.refused)
    return SfuPacketsRefused(
        url=url,
        malformed=since.malformed,
        unknown=since.of_unknown_key,
        forged=since.forged,
        replayed=since.replayed,
    )
