"""What this session believes about the others of one call: who is in it, in which life, in which state."""

import math
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final

import msgspec

from blink_cli.core.call.group_key import CallKeys
from blink_cli.core.call.room_policy import Via
from blink_cli.core.call.settings import LAN
from blink_cli.core.call.transitions import Phase, Trigger, next_phase
from blink_cli.core.identity.nickname import harmless_nickname
from blink_cli.core.ids import CallId, Did
from blink_cli.core.media.room import RoomFeed
from blink_cli.core.signaling.signals import Announce, Leave, Offer, PeerReception, SessionDescription

_MOST_RUMOURED: Final = 2**52
"""Half of what an incarnation can be, some 140,000 years from now: below it any claim of a newer life of ours may be true of a clock."""


class News(Enum):
    """What an announce or a sign of presence changed."""

    STALE = auto()
    """Of an earlier life, older than what was heard, or from before its Leave: not believed."""
    NOTHING = auto()
    JOINED = auto()
    """It was not in the call before."""
    REBORN = auto()
    """It was in the call and is again, in a newer life: its old link is dead."""


class RoomShown(msgspec.Struct, frozen=True):
    """How somebody stands to a room on an SFU, by its last word in its present life."""

    url: str | None
    """Where it is, or would go."""

    feed: RoomFeed | None
    """What it publishes there; None: it is not there."""

    wants: bool
    takes: bool
    talking: bool
    hears_us_there: bool
    """Whether it hears this session's present life through the room."""

    via: Via
    video: bool = False
    """Whether its camera is on."""


class Counted(msgspec.Struct, frozen=True):
    """What somebody's last room announce said of the others, and how that was read."""

    table: bytes
    beside: tuple[object, ...]
    """By what else it is read than by the table."""

    by_place: tuple[PeerReception | None, ...]
    hears: tuple[PeerReception, ...]
    hears_us_there: bool


@dataclass(slots=True)
class Member:
    """One invited peer, as its own signed words show it. Nobody else's word about it is believed."""

    did: Did
    nickname: str = ""
    incarnation: int = 0
    """Its newest life heard of; 0 before the first."""
    sequence: int = -1
    left_incarnation: int = 0
    """Its newest life that said Leave."""
    present: bool = False
    withdrew: bool = False
    """Whether it called, and took the call back in its newest life."""
    declined: bool = False
    delivered: bool = False
    busy: bool = False
    """In another call when our offer reached it, by its own word."""
    muted: bool = False
    deafened: bool = False
    recording: bool = False
    hears: tuple[PeerReception, ...] = ()
    came_back: bool = False
    """Whether it had declined or left before it joined."""
    unheeded_at: float = -math.inf
    """When it last announced a life that is believed to be over."""
    early: tuple[SessionDescription, float] | None = None
    """How it can be reached, by its own word while it rings here, and until when (monotonic, seconds) that is believed."""
    counted: Counted | None = None
    room: RoomShown | None = None
    """None: it has said nothing of rooms in its present life; it may be of a build that knows none."""
    heard_at: float = 0.0
    """When one of its signals was last heard, in monotonic seconds."""

    def heard_announce(self, announce: Announce, now: float) -> News:
        """Believe an announce if it is its newest word."""
        if announce.incarnation == self.incarnation and announce.sequence <= self.sequence:
            return News.STALE
        if announce.incarnation < self.incarnation or announce.incarnation <= self.left_incarnation:
            self.unheeded_at = now
            return News.STALE
        news = self.heard_incarnation(announce.incarnation, now)
        if news is not News.STALE:
            self.sequence = announce.sequence
            self.nickname = harmless_nickname(announce.nickname)
            self.hears = announce.hears
        return news

    def heard_incarnation(self, incarnation: int, now: float) -> News:
        """A signal that it can only have sent from within the call, in this life."""
        if incarnation <= self.left_incarnation or incarnation < self.incarnation:
            return News.STALE
        restarted = incarnation > self.incarnation
        if not self.present:
            self.came_back = self.is_out
        if restarted:
            self.incarnation = incarnation
            self.withdrew = False
            self.sequence = -1
            self.hears = ()
            self.room = None
        self.heard_at = now
        self.declined = self.busy = False
        if self.present:
            return News.REBORN if restarted else News.NOTHING
        self.present = True
        return News.JOINED

    def early_at(self, now: float) -> SessionDescription | None:
        """What it described while it rang here, if that is still believed."""
        return None if self.early is None or now >= self.early[1] else self.early[0]

    def heard_attending(self, incarnation: int, now: float) -> News:
        """It says that it is in the call, to those who may come."""
        if incarnation < self.incarnation or incarnation <= self.left_incarnation:
            self.unheeded_at = now
        return self.heard_incarnation(incarnation, now)

    def is_unheeded(self, since: float) -> bool:
        """Whether it has announced a life that is believed to be over after this moment."""
        return self.unheeded_at > since

    @property
    def is_out(self) -> bool:
        """Whether it declined, or left: it reads nothing of the call any more until it comes (again). Who is lost is not out."""
        return self.declined or (not self.present and 0 < self.left_incarnation >= self.incarnation)

    def heard_leave(self, leave: Leave) -> bool:
        """Believe a Leave of its present life; returns whether it was in the call until now."""
        self.left_incarnation = max(self.left_incarnation, leave.incarnation)
        if leave.incarnation < self.incarnation:
            return False
        self.incarnation = leave.incarnation
        return self.gone()

    def leaves_for_good(self) -> bool:
        """It withdrew: its present life does not come back; returns whether it was in the call until now."""
        self.left_incarnation = self.incarnation
        self.withdrew = True
        self.declined = self.declined or not self.incarnation  # no life of it was heard that could be over
        return self.gone()

    def shows(self, announce: Announce) -> bool:
        """Take over the state that it announces; returns whether that changed."""
        shown = (announce.muted, announce.deafened, announce.recording)
        if shown == (self.muted, self.deafened, self.recording):
            return False
        self.muted, self.deafened, self.recording = shown
        return True

    @property
    def video(self) -> bool:
        """Whether its camera is on, by its last word; builds that know no video, and who says nothing of rooms, say nothing of it."""
        return self.room is not None and self.room.video

    def gone(self) -> bool:
        """It is not in the call any more; returns whether it was."""
        was_present = self.present
        self.present = False
        self.hears = ()
        self.room = None
        return was_present


@dataclass(slots=True)
class CallRecord:
    """A call whose key this session holds: pending, current, or just left."""

    call_id: CallId
    group_key: bytes
    """Of the invitation; `keys` has what came later."""
    participants: tuple[Did, ...]
    """Everyone invited, oneself included; never changes."""
    caller: Did
    nickname: str
    """What the caller calls itself."""
    began_at: float
    """When it came to be known here, in monotonic seconds."""
    own: Did
    hearsay_s: float
    handover_s: float = LAN.key_handover_s
    phase: Phase = Phase.UNKNOWN
    keys: CallKeys = field(init=False)
    members: dict[Did, Member] = field(init=False)
    places: dict[Did, int] = field(init=False)
    """Of the participants, in the offer."""
    own_incarnation: int = 0
    """This session's latest life in it; 0 before it first joined."""
    own_heard_incarnation: int = 0
    """The newest life of another session of this identity."""
    own_claimed_incarnation: int = 0
    """The newest life of this identity that others say they hear."""
    heard_at: float = field(init=False)
    """When anybody in it, or its offer, was last heard."""
    leave_sent_at: float = 0.0
    via: Via = Via.AUTO
    """What the caller chose, as far as this session knows."""
    visited: bool = False
    """Whether anybody else was ever believed in it."""
    hearsay_claims: dict[Did, float] = field(default_factory=dict)
    """Whom somebody who left had heard in it, though we have not, and until when that is a reason to wait."""

    def __post_init__(self) -> None:
        self.keys = CallKeys(self.group_key, self.handover_s)
        self.members = {did: Member(did) for did in self.participants if did != self.own}
        self.places = {did: place for place, did in enumerate(self.participants)}
        if self.caller in self.members:
            self.members[self.caller].nickname = self.nickname
        self.heard_at = self.began_at

    def turn(self, turn: Trigger) -> None:
        """Follow the table."""
        self.phase = next_phase(self.phase, turn)

    def same_invitation(self, offer: Offer) -> bool:
        """Whether a repeated offer says what the first one said: nobody can widen or re-key it."""
        return offer.group_key == self.group_key and offer.participants == self.participants

    @property
    def out_places(self) -> tuple[int, ...]:
        """Who declined or left, by their places in the offer."""
        return tuple(
            place
            for place, did in enumerate(self.participants)
            if did in self.members and self.members[did].is_out
        )

    def left_incarnation_at(self, place: int) -> int:
        """In which life it left who has this place in the offer."""
        return self.members[self.participants[place]].left_incarnation

    @property
    def own_place(self) -> int:
        """Of this session, in the offer."""
        return self.places[self.own]

    @property
    def present(self) -> list[Member]:
        """The others that are believed to be in it."""
        return [member for member in self.members.values() if member.present]

    def heard_announce(self, member: Member, announce: Announce, now: float) -> News:
        """Believe a member's announce."""
        news = member.heard_announce(announce, now)
        if news is not News.STALE:
            self._heard(member, now)
            for hearing in announce.hears:
                if hearing.did == self.own:
                    self.heard_rumour(hearing.incarnation)
        return news

    def heard_of_room(self, member: Member, shown: RoomShown) -> None:
        """A member that is present says how it stands to a room. What the caller chose stays so when the caller is gone: the others say it."""
        member.room = shown
        if member.did == self.caller:
            self.via = shown.via
        elif self.caller in self.members and self.members[self.caller].room is None:
            self.via = self.via if shown.via is Via.AUTO else shown.via

    def heard_rumour(self, incarnation: int) -> None:
        """Somebody says that it heard this life of ours. What no clock can show is not true: nobody can use our numbers up."""
        if incarnation < _MOST_RUMOURED:
            self.own_claimed_incarnation = max(self.own_claimed_incarnation, incarnation)

    def heard_attending(self, member: Member, incarnation: int, now: float) -> News:
        """Believe a member that says it is here."""
        news = member.heard_attending(incarnation, now)
        if news is not News.STALE:
            self._heard(member, now)
        return news

    def heard_incarnation(self, member: Member, incarnation: int, now: float) -> News:
        """Believe a signal that a member can only have sent from within the call."""
        news = member.heard_incarnation(incarnation, now)
        if news is not News.STALE:
            self._heard(member, now)
        return news

    def heard_leave(self, member: Member, leave: Leave, now: float) -> bool:
        """Believe a member's Leave; returns whether it was in the call until now."""
        # One whom it only heard, and was still connecting to, may be about to speak for itself too.
        heard_there = [h.did for h in member.hears if h.link in ("connected", "connecting")]
        if not member.heard_leave(leave):
            return False
        self.visited = True
        self.hearsay_claims.pop(member.did, None)
        for did in heard_there:
            other = self.members.get(did)
            if other is not None and not other.present and not other.left_incarnation:
                self.hearsay_claims[did] = now + self.hearsay_s
        return True

    @property
    def abandoned(self) -> bool:
        """Whether nobody else is in it any more, after somebody was."""
        return self.visited and not self.hearsay_claims and not self.present

    @property
    def only_caller_came(self) -> bool:
        """Whether, as far as this session knows, nobody but the caller was ever in it."""
        return not self.own_incarnation and all(
            not member.incarnation or member.did == self.caller for member in self.members.values()
        )

    @property
    def rumours_end_at(self) -> float:
        """When the oldest rumour is no reason to wait any more."""
        return min(self.hearsay_claims.values(), default=math.inf)

    def forget_old_rumours(self, now: float) -> None:
        """Whoever did not speak for itself in time is not in it."""
        if self.hearsay_claims:
            self.hearsay_claims = {did: until for did, until in self.hearsay_claims.items() if until > now}

    def let_go_of_silent(self, since: float) -> None:
        """Whoever was not heard since then is not believed to be in it any more."""
        for member in self.members.values():
            if member.present and member.heard_at <= since:
                member.gone()

    def shift_deadlines(self, slept_s: float) -> None:
        """This session was stopped for so long: nobody's silence in that time counts."""
        self.heard_at += slept_s
        for member in self.members.values():
            member.heard_at += slept_s

    def _heard(self, member: Member, now: float) -> None:
        self.heard_at = now
        self.visited = True
        self.hearsay_claims.pop(member.did, None)

    def next_incarnation(self, wall_ms: int) -> int:
        """The name of a new life in it: newer than any earlier one of this identity, whatever the clock did since.

        What others last heard of us counts too, for a session that crashed and whose clock was set back, however far.
        """
        known = max(self.own_incarnation, self.own_heard_incarnation, self.own_claimed_incarnation)
        return max(wall_ms, known + 1)
