"""What may follow what: for a call as this session knows it, and for the link to one participant.

Read a row aloud: "RINGING: when we accept, JOINING". A turn that a row does not name is a fault of the program, never of
a peer: what peers send is checked before it becomes a turn.
"""

from enum import StrEnum
from typing import Final


class Phase(StrEnum):
    """Where a call stands for this session."""

    UNKNOWN = "unknown"
    RINGING = "ringing"
    """Offered to us, not decided."""
    REJECTED = "rejected"
    """Declined here; it can still be joined."""
    OFFERING = "offering"
    """We called; no link has stood yet."""
    JOINING = "joining"
    """We accepted; no link has stood yet."""
    IN_CALL = "in_call"
    """A link has stood since we came."""
    LEAVING = "leaving"
    """We left and make sure that everyone heard it. Not listed."""
    LEFT = "left"
    """We left, and others go on: it can be joined again."""
    GONE = "gone"


class Trigger(StrEnum):
    """What can happen to a call."""

    WE_OFFER = "we offer"
    OFFER_ARRIVES = "an offer arrives"
    WE_ACCEPT = "we accept"
    WE_REJECT = "we reject"
    FIRST_LINK_STANDS = "the first link stands"
    WE_LEAVE = "we leave"
    WE_WITHDRAW = "we leave and nobody had come"
    EVERYONE_DECLINES = "everyone declines"
    EVERYONE_IS_GONE = "everyone else left or is silent for too long"
    CALLER_WITHDRAWS = "the caller withdraws before anybody came"
    TAKEN_ELSEWHERE = "another session of ours is in it"
    GOES_ON_WITHOUT_US = "somebody announces and does not count us in"
    CROWDED_OUT = "newer calls need its place"
    WE_SHUT_DOWN = "we shut down"


class LinkPhase(StrEnum):
    """Where the link to one participant stands."""

    NONE = "none"
    AWAITING = "awaiting"
    """The other side dials; its description has not come."""
    DIALLING = "dialling"
    ANSWERING = "answering"
    CONNECTED = "connected"
    LOST = "lost"


class LinkTrigger(StrEnum):
    """What can happen to a link."""

    WE_DIAL = "we dial"
    WE_AWAIT = "we await a description"
    OFFER_ARRIVES = "a newer description arrives"
    EARLY_ANSWER_ARRIVES = "our early description is answered"
    STANDS = "it stands"
    FAILS = "connecting fails"
    TIME_IS_UP = "connecting takes too long"
    CLOSES = "it is closed from the other side"
    FALLS_SILENT = "nothing is heard"
    SPEAKS_AGAIN = "media is heard again"
    ASKED_AGAIN = "the other side asks for another"
    ROOM_CARRIES = "it is not needed beside the room"
    PEER_GONE = "the peer is no longer in the call"


class TransitionError(AssertionError):
    """A turn that the table does not know: a fault of this program."""


_PENDING_ENDS: Final = {
    Trigger.EVERYONE_IS_GONE: Phase.GONE,
    Trigger.CALLER_WITHDRAWS: Phase.GONE,
    Trigger.CROWDED_OUT: Phase.GONE,
    Trigger.WE_SHUT_DOWN: Phase.GONE,
}

CALL_TRANSITIONS: Final[dict[Phase, dict[Trigger, Phase]]] = {
    Phase.UNKNOWN: {Trigger.WE_OFFER: Phase.OFFERING, Trigger.OFFER_ARRIVES: Phase.RINGING},
    Phase.RINGING: {
        Trigger.WE_ACCEPT: Phase.JOINING,
        Trigger.WE_REJECT: Phase.REJECTED,
        Trigger.TAKEN_ELSEWHERE: Phase.GONE,
        **_PENDING_ENDS,
    },
    Phase.REJECTED: {Trigger.WE_ACCEPT: Phase.JOINING, **_PENDING_ENDS},
    Phase.OFFERING: {
        Trigger.FIRST_LINK_STANDS: Phase.IN_CALL,
        Trigger.WE_LEAVE: Phase.LEAVING,
        Trigger.WE_WITHDRAW: Phase.GONE,
        Trigger.EVERYONE_DECLINES: Phase.GONE,
        Trigger.EVERYONE_IS_GONE: Phase.GONE,
        Trigger.TAKEN_ELSEWHERE: Phase.GONE,
    },
    Phase.JOINING: {
        Trigger.FIRST_LINK_STANDS: Phase.IN_CALL,
        Trigger.WE_LEAVE: Phase.LEAVING,
        Trigger.CALLER_WITHDRAWS: Phase.GONE,
        Trigger.EVERYONE_IS_GONE: Phase.GONE,
        Trigger.TAKEN_ELSEWHERE: Phase.GONE,
    },
    Phase.IN_CALL: {
        Trigger.WE_LEAVE: Phase.LEAVING,
        Trigger.CALLER_WITHDRAWS: Phase.GONE,
        Trigger.EVERYONE_IS_GONE: Phase.GONE,
        Trigger.TAKEN_ELSEWHERE: Phase.GONE,
    },
    Phase.LEAVING: {
        Trigger.WE_ACCEPT: Phase.JOINING,
        Trigger.GOES_ON_WITHOUT_US: Phase.LEFT,
        **_PENDING_ENDS,
    },
    Phase.LEFT: {Trigger.WE_ACCEPT: Phase.JOINING, **_PENDING_ENDS},
    Phase.GONE: {},
}

LINK_TRANSITIONS: Final[dict[LinkPhase, dict[LinkTrigger, LinkPhase]]] = {
    LinkPhase.NONE: {
        LinkTrigger.WE_DIAL: LinkPhase.DIALLING,
        LinkTrigger.WE_AWAIT: LinkPhase.AWAITING,
        LinkTrigger.OFFER_ARRIVES: LinkPhase.ANSWERING,
    },
    LinkPhase.AWAITING: {
        LinkTrigger.OFFER_ARRIVES: LinkPhase.ANSWERING,
        LinkTrigger.EARLY_ANSWER_ARRIVES: LinkPhase.DIALLING,
        LinkTrigger.FALLS_SILENT: LinkPhase.LOST,
        LinkTrigger.ROOM_CARRIES: LinkPhase.NONE,
        LinkTrigger.PEER_GONE: LinkPhase.NONE,
    },
    LinkPhase.DIALLING: {
        LinkTrigger.OFFER_ARRIVES: LinkPhase.ANSWERING,
        LinkTrigger.STANDS: LinkPhase.CONNECTED,
        LinkTrigger.FAILS: LinkPhase.LOST,
        LinkTrigger.TIME_IS_UP: LinkPhase.LOST,
        LinkTrigger.CLOSES: LinkPhase.LOST,
        LinkTrigger.FALLS_SILENT: LinkPhase.LOST,
        LinkTrigger.ASKED_AGAIN: LinkPhase.LOST,
        LinkTrigger.ROOM_CARRIES: LinkPhase.NONE,
        LinkTrigger.PEER_GONE: LinkPhase.NONE,
    },
    LinkPhase.ANSWERING: {
        LinkTrigger.OFFER_ARRIVES: LinkPhase.ANSWERING,
        LinkTrigger.STANDS: LinkPhase.CONNECTED,
        LinkTrigger.FAILS: LinkPhase.LOST,
        LinkTrigger.TIME_IS_UP: LinkPhase.LOST,
        LinkTrigger.CLOSES: LinkPhase.LOST,
        LinkTrigger.FALLS_SILENT: LinkPhase.LOST,
        LinkTrigger.ASKED_AGAIN: LinkPhase.LOST,
        LinkTrigger.ROOM_CARRIES: LinkPhase.NONE,
        LinkTrigger.PEER_GONE: LinkPhase.NONE,
    },
    LinkPhase.CONNECTED: {
        LinkTrigger.OFFER_ARRIVES: LinkPhase.ANSWERING,
        LinkTrigger.CLOSES: LinkPhase.LOST,
        LinkTrigger.FALLS_SILENT: LinkPhase.LOST,
        LinkTrigger.ASKED_AGAIN: LinkPhase.LOST,
        LinkTrigger.ROOM_CARRIES: LinkPhase.NONE,
        LinkTrigger.PEER_GONE: LinkPhase.NONE,
    },
    LinkPhase.LOST: {
        LinkTrigger.WE_DIAL: LinkPhase.DIALLING,
        LinkTrigger.OFFER_ARRIVES: LinkPhase.ANSWERING,
        LinkTrigger.SPEAKS_AGAIN: LinkPhase.CONNECTED,
        LinkTrigger.ROOM_CARRIES: LinkPhase.NONE,
        LinkTrigger.PEER_GONE: LinkPhase.NONE,
    },
}


def next_phase(phase: Phase, turn: Trigger) -> Phase:
    """Where a call goes from `phase` at this turn.

    Raises:
        TransitionError: The table has no such row: a fault of the program.

    """
    following = CALL_TRANSITIONS[phase].get(turn)
    if following is None:
        raise TransitionError(f"a call that is {phase.value} cannot follow: {turn.value}")
    return following


def next_link_phase(phase: LinkPhase, turn: LinkTrigger) -> LinkPhase:
    """Where a link goes from `phase` at this turn.

    Raises:
        TransitionError: The table has no such row: a fault of the program.

    """
    following = LINK_TRANSITIONS[phase].get(turn)
    if following is None:
        raise TransitionError(f"a link that is {phase.value} cannot follow: {turn.value}")
    return following
