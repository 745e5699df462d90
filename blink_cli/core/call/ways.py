"""By which way each participant is heard: a direct connection, the room, or both while a call goes over from one to the other.

who is where, by their words --> settle --> CallRoom: enter, leave, move
'--> each Link: a direct connection needed, kept or unwanted; a hearing in the room
"""

import math
from collections.abc import Callable, Collection
from typing import Final

import msgspec
from msgspec.structs import replace

from blink_cli.core.call.call_room import CallRoom, RoomChange
from blink_cli.core.call.joining import Joining
from blink_cli.core.call.link import Direct, Link
from blink_cli.core.call.membership import Member, RoomShown
from blink_cli.core.call.room_policy import RoomPolicy
from blink_cli.core.ids import Did
from blink_cli.core.media.room import RoomFeed


class Outlook(msgspec.Struct, frozen=True):
    """How this session stands to the room, as far as it bears on every connection alike."""

    speaks: bool
    url: str | None
    """Of the room in which it is."""

    leaves: bool
    """Whether the room is not to carry anybody: it is being left, or silent."""

    trusted_at: float
    expects: bool
    is_spare: bool
    is_too_large: bool
    """Whether the call is larger than a mesh."""


class Ways:
    """Of one joining. Its effects go into the outbox; moments are monotonic seconds."""

    def __init__(self, joining: Joining, policy: RoomPolicy, room_left: Callable[[float], None]) -> None:
        """Be in no room.

        Args:
            joining: Whose.
            policy: Which rooms this session may use.
            room_left: Called when it left one, with the moment: everybody is to know soon.

        """
        self._call = joining.call
        self._links = joining.links
        self._settings = joining.settings
        self._room_left = room_left
        self.room: Final = CallRoom(
            joining.call, policy, joining.settings, joining.out, self._stands_directly
        )
        self.settle_at = math.inf
        """When connections may have to begin or end by time alone."""

        self._all_unsettled = True
        self._unsettled: dict[Did, None] = {}
        """With whom the connection may have to begin or end."""

        self._settled_by: Outlook | None = None
        """That of the last look at all connections."""

        self._settled_until: dict[Did, float] = {}
        """Until when nothing changes by time alone, of each who is in the call."""

    @property
    def unsettled(self) -> bool:
        """Whether something has happened by which connections may have to begin or end."""
        return self._all_unsettled or bool(self._unsettled)

    def unsettle(self) -> None:
        """Something has happened by which any connection may have to begin or end."""
        self._all_unsettled = True

    def unsettle_one(self, did: Did) -> None:
        """Something has happened by which that with this participant may have to."""
        self._unsettled[did] = None

    def settle(self, now: float) -> Collection[Did]:
        """Let every connection and hearing be as the room asks for; to be called after all that happens. Returns with whom it was looked at."""
        if self.room.use_keys(now):
            self.unsettle()
        if not self.room.speaks:
            self._be_settled()  # whatever makes the room speak unsettles everything again
            return ()
        if now >= self.settle_at:
            self.unsettle()
        if not self.unsettled:
            return ()
        self._settle_links(now)
        while (change := self.room.look(now)) is not RoomChange.NONE:
            if change is RoomChange.LEFT:
                self.forget_hearings()
                self._room_left(now)
            self._settle_links(now)
        self.settle_at = min(self.room.next_timeout(), min(self._settled_until.values(), default=math.inf))
        return self._be_settled()

    def direct_to(self, member: Member, link: Link, now: float) -> tuple[Direct, float]:
        """Whether a direct connection to somebody in the call is to be, and until when this cannot change by time alone."""
        return self._direct_to(member, link, self._outlook(), now)

    def _outlook(self) -> Outlook:
        room = self.room
        return Outlook(
            speaks=room.speaks,
            url=room.url if room.is_in else None,
            leaves=room.leaving or (room.is_in and room.is_silent),
            trusted_at=room.trusted_at,
            expects=room.expects,
            is_spare=room.is_spare,
            is_too_large=len(self._call.present) >= self._settings.max_mesh,
        )

    def _direct_to(self, member: Member, link: Link, outlook: Outlook, now: float) -> tuple[Direct, float]:
        shown, settings = member.room, self._settings
        if not outlook.speaks:
            return Direct.NEEDED, math.inf
        if outlook.leaves:
            comes_in_s = 0.0
        elif outlook.url is not None and link.heard_in_room:
            if now < outlook.trusted_at:
                return Direct.KEPT, outlook.trusted_at
            if shown is not None and shown.hears_us_there:
                return Direct.UNWANTED, math.inf
            comes_in_s = settings.room_patience_s
        elif not outlook.expects or (shown is not None and not shown.takes):
            comes_in_s = 0.0
        else:
            comes_in_s = settings.room_unknown_patience_s if shown is None else settings.room_patience_s
            if outlook.is_spare:
                comes_in_s = min(comes_in_s, settings.room_spare_patience_s)
        until = link.waits_since + comes_in_s
        if now < until:
            return Direct.KEPT, until
        return (Direct.KEPT if outlook.is_too_large else Direct.NEEDED), math.inf

    def heard_of_room(self, member: Member, shown: RoomShown, now: float) -> bool:
        """Somebody says how it stands to the room; returns whether this session has to say so too, as it had no reason to before."""
        before = member.room
        self._call.heard_of_room(member, shown)
        if before == shown:
            return False
        self.unsettle_one(member.did)
        begins, self.room.speaks = not self.room.speaks, True
        if shown.url is not None and shown.feed is not None and (before is None or before.feed != shown.feed):
            self.room.heard_feed(shown.url, now)
        return begins

    def needs_us_directly(self, member: Member) -> None:
        """It does not hear us through the room, whatever it said before."""
        if member.room is not None and member.room.hears_us_there:
            member.room = replace(member.room, hears_us_there=False)
            self.unsettle_one(member.did)

    def forget_hearings(self) -> None:
        """There is no room any more by which anybody could be heard."""
        self.unsettle()
        for link in self._links.values():
            link.forget_room()

    def _be_settled(self) -> Collection[Did]:
        """Returns who was not."""
        unsettled = (self._links if self._all_unsettled else self._unsettled).keys()
        self._all_unsettled, self._unsettled = False, {}
        return unsettled

    def _settle_links(self, now: float) -> None:
        """In a call of many, each of whom says something new while they come, only with those of whom there is news."""
        outlook, leaving = self._outlook(), self.room.leaving
        if leaving or outlook != self._settled_by:
            self.unsettle()
        self._settled_by = outlook
        for did in self._links if self._all_unsettled else self._unsettled:
            member, link = self._call.members[did], self._links[did]
            if not member.present:
                self._settled_until.pop(did, None)
                continue
            hears_until = math.inf
            if leaving:
                hears_until = link.direct_since + self._settings.room_hear_until_s
            link.hear(self._feed_of(member, link, outlook) if now < hears_until else None)
            if link.hearing is not None and member.room is not None:
                link.hearing.talks(talking=member.room.talking)
            direct, until = self._direct_to(member, link, outlook, now)
            link.set_direct(direct, now)
            self._settled_until[did] = min(until, hears_until if now < hears_until else math.inf)

    def _feed_of(self, member: Member, link: Link, outlook: Outlook) -> RoomFeed | None:
        """What of somebody is to be heard in the room in which this session is."""
        shown = member.room
        if shown is None or outlook.url is None or shown.url != outlook.url:
            return None
        return shown.feed if link.wanted else None

    def _stands_directly(self) -> bool:
        """Whether everybody who is heard is connected directly."""
        return all(
            link.stands_directly or link.awaits_sign or not link.wanted
            for did, link in self._links.items()
            if self._call.members[did].present
        )
