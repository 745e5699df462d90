"""What status, panels and tests read of the calls: frozen values, made on demand."""

from enum import StrEnum

import msgspec

from blink_cli.core.call.facts import LinkState, Topology
from blink_cli.core.ids import CallId, Did
from blink_cli.core.signaling.signals import PeerReception


class CallState(StrEnum):
    """Where the current call stands."""

    OFFERING = "offering"
    """This session called and no link has stood yet."""

    JOINING = "joining"
    """It accepted and no link has stood yet."""

    IN_CALL = "in_call"


class ParticipantView(msgspec.Struct, frozen=True):
    """One invited peer, or this session itself (`link` is SELF)."""

    did: Did
    nickname: str
    """What it calls itself: a claim; empty before its first announce."""
    link: LinkState
    epoch: int
    """Of the newest dialling of the pair; 0 before the first."""
    present: bool
    """In the call, as far as this session believes. Its link may be lost all the same."""
    declined: bool
    delivered: bool
    """Whether the offer is known to have reached it."""
    rings: bool
    """The offer has reached it, and it has neither come nor declined; it may have gone from the network since."""
    busy: bool
    """In another call when it did."""
    muted: bool
    deafened: bool
    recording: bool
    video: bool
    """Its camera is on, by its own word."""
    incarnation: int
    hears: tuple[PeerReception, ...]
    """How it receives the others, by its last announce."""


class CallView(msgspec.Struct, frozen=True):
    """The current call."""

    call_id: CallId
    state: CallState
    caller: Did
    since_s: float
    """When this session joined, on its monotonic clock."""
    since_wall_ms: int
    incarnation: int
    participants: tuple[ParticipantView, ...]
    """Everyone invited, in the offer's order."""
    topology: Topology
    sfu: str | None
    """Of the server in whose room this session is; None: in none."""


class PendingView(msgspec.Struct, frozen=True):
    """A call that could be joined."""

    call_id: CallId
    caller: Did
    nickname: str
    participants: tuple[Did, ...]
    joined: tuple[Did, ...]
    """Who is believed to be in it."""
    rejected: bool
    """Declined by this session."""
    left: bool
    """This session was in it and left."""
    since_s: float


class CallsSnapshot(msgspec.Struct, frozen=True):
    """Everything about calls at one moment."""

    call: CallView | None
    pending: tuple[PendingView, ...]
    """In the order in which they came."""
    muted: bool
    deafened: bool
    recording: bool
    ignored: tuple[tuple[str, int], ...]
    """How often what was ignored, by reason."""
