"""What this session believes about the others of one call: who is in it, in which life, in which state."""

import math
from dataclasses import dataclass, field
from enum import Enum, auto

from blink_cli.core.call.transitions import Phase, Turn, next_phase
from blink_cli.core.names import CallId, Did
from blink_cli.core.signals import Announce, Hearing, Leave, Offer

_DAY_MS = 86_400_000


class News(Enum):
    """What an announce or a sign of presence changed."""

    STALE = auto()
    """Of an earlier life, older than what was heard, or from before its Leave: not believed."""
    NOTHING = auto()
    JOINED = auto()
    """It was not in the call before."""
    REBORN = auto()
    """It was in the call and is again, in a newer life: its old link is dead."""


@dataclass(slots=True)
class Member:
    """One invited peer, as its own signed words show it. Nobody else's word about it is believed."""

    did: Did
    nickname: str = ""
    instance: int = 0
    """Its newest life heard of; 0 before the first."""
    sequence: int = -1
    left_instance: int = 0
    """Its newest life that said Leave."""
    present: bool = False
    declined: bool = False
    delivered: bool = False
    busy: bool = False
    """In another call when our offer reached it, by its own word."""
    muted: bool = False
    deafened: bool = False
    recording: bool = False
    hears: tuple[Hearing, ...] = ()
    unheeded_at: float = -math.inf
    """When it last announced a life that is believed to be over."""
    heard_at: float = 0.0
    """When one of its signals was last heard, in monotonic seconds."""

    def heard_announce(self, announce: Announce, now: float) -> News:
        """Believe an announce if it is its newest word."""
        if announce.instance == self.instance and announce.sequence <= self.sequence:
            return News.STALE
        if announce.instance < self.instance or announce.instance <= self.left_instance:
            self.unheeded_at = now
            return News.STALE
        news = self.heard_life(announce.instance, now)
        if news is not News.STALE:
            self.sequence = announce.sequence
            self.nickname = announce.nickname
            self.hears = announce.hears
        return news

    def heard_life(self, instance: int, now: float) -> News:
        """A signal that it can only have sent from within the call, in this life."""
        if instance <= self.left_instance or instance < self.instance:
            return News.STALE
        reborn = instance > self.instance
        if reborn:
            self.instance = instance
            self.sequence = -1
            self.hears = ()
        self.heard_at = now
        self.declined = self.busy = False
        if self.present:
            return News.REBORN if reborn else News.NOTHING
        self.present = True
        return News.JOINED

    def heard_leave(self, leave: Leave) -> bool:
        """Believe a Leave of its present life; returns whether it was in the call until now."""
        self.left_instance = max(self.left_instance, leave.instance)
        if leave.instance < self.instance:
            return False
        self.instance = leave.instance
        return self.gone()

    def leaves_for_good(self) -> bool:
        """It withdrew: its present life does not come back; returns whether it was in the call until now."""
        self.left_instance = self.instance
        return self.gone()

    def shows(self, announce: Announce) -> bool:
        """Take over the state that it announces; returns whether that changed."""
        shown = (announce.muted, announce.deafened, announce.recording)
        if shown == (self.muted, self.deafened, self.recording):
            return False
        self.muted, self.deafened, self.recording = shown
        return True

    def gone(self) -> bool:
        """It is not in the call any more; returns whether it was."""
        was_present = self.present
        self.present = False
        self.hears = ()
        return was_present


@dataclass(slots=True)
class KnownCall:
    """A call whose key this session holds: pending, current, or just left."""

    call_id: CallId
    group_key: bytes
    participants: tuple[Did, ...]
    """Everyone invited, oneself included; never changes."""
    caller: Did
    nickname: str
    """What the caller calls itself."""
    began_at: float
    """When it came to be known here, in monotonic seconds."""
    own: Did
    rumour_s: float
    phase: Phase = Phase.UNKNOWN
    members: dict[Did, Member] = field(init=False)
    own_instance: int = 0
    """This session's latest life in it; 0 before it first joined."""
    own_heard_instance: int = 0
    """The newest life of another session of this identity."""
    own_rumoured_instance: int = 0
    """The newest life of this identity that others say they hear."""
    heard_at: float = field(init=False)
    """When anybody in it, or its offer, was last heard."""
    leave_sent_at: float = 0.0
    visited: bool = False
    """Whether anybody else was ever believed in it."""
    rumours: dict[Did, float] = field(default_factory=dict)
    """Whom somebody who left had heard in it, though we have not, and until when that is a reason to wait."""

    def __post_init__(self) -> None:
        self.members = {did: Member(did) for did in self.participants if did != self.own}
        if self.caller in self.members:
            self.members[self.caller].nickname = self.nickname
        self.heard_at = self.began_at

    def turn(self, turn: Turn) -> None:
        """Follow the table."""
        self.phase = next_phase(self.phase, turn)

    def same_invitation(self, offer: Offer) -> bool:
        """Whether a repeated offer says what the first one said: nobody can widen or re-key it."""
        return offer.group_key == self.group_key and offer.participants == self.participants

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
                    self.own_rumoured_instance = max(self.own_rumoured_instance, hearing.instance)
        return news

    def heard_life(self, member: Member, instance: int, now: float) -> News:
        """Believe a signal that a member can only have sent from within the call."""
        news = member.heard_life(instance, now)
        if news is not News.STALE:
            self._heard(member, now)
        return news

    def heard_leave(self, member: Member, leave: Leave, now: float) -> bool:
        """Believe a member's Leave; returns whether it was in the call until now."""
        heard_there = [hearing.did for hearing in member.hears if hearing.link == "connected"]
        if not member.heard_leave(leave):
            return False
        self.visited = True
        self.rumours.pop(member.did, None)
        for did in heard_there:
            other = self.members.get(did)
            if other is not None and not other.present and not other.left_instance:
                self.rumours[did] = now + self.rumour_s
        return True

    @property
    def abandoned(self) -> bool:
        """Whether nobody else is in it any more, after somebody was."""
        return self.visited and not self.rumours and not self.present

    @property
    def only_caller_came(self) -> bool:
        """Whether, as far as this session knows, nobody but the caller was ever in it."""
        return not self.own_instance and all(
            not member.instance or member.did == self.caller for member in self.members.values()
        )

    @property
    def rumours_end_at(self) -> float:
        """When the oldest rumour is no reason to wait any more."""
        return min(self.rumours.values(), default=math.inf)

    def forget_old_rumours(self, now: float) -> None:
        """Whoever did not speak for itself in time is not in it."""
        if self.rumours:
            self.rumours = {did: until for did, until in self.rumours.items() if until > now}

    def let_go_of_silent(self, since: float) -> None:
        """Whoever was not heard since then is not believed to be in it any more."""
        for member in self.members.values():
            if member.present and member.heard_at <= since:
                member.gone()

    def excuse(self, slept_s: float) -> None:
        """This session was stopped for so long: nobody's silence in that time counts."""
        self.heard_at += slept_s
        for member in self.members.values():
            member.heard_at += slept_s

    def _heard(self, member: Member, now: float) -> None:
        self.heard_at = now
        self.visited = True
        self.rumours.pop(member.did, None)

    def next_instance(self, wall_ms: int) -> int:
        """The name of a new life in it: newer than any earlier one of this identity, whatever the clock did since.

        What others last heard of us counts too, for a session that crashed and whose clock was set back; but only up to
        a day ahead, so that nobody can use our numbers up.
        """
        rumoured = self.own_rumoured_instance if self.own_rumoured_instance < wall_ms + _DAY_MS else 0
        return max(wall_ms, self.own_instance + 1, self.own_heard_instance + 1, rumoured + 1)
