"""What happened in calls: what their rules tell."""

from enum import StrEnum

from blink_cli.core.fact import Fact
from blink_cli.core.ids import CallId, Did


class LinkState(StrEnum):
    """How the audio connection to one participant stands, as this session sees it."""

    SELF = "self"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    LOST = "lost"
    ABSENT = "absent"
    """Invited and not in the call: has not come, declined, or left."""


class LeaveReason(StrEnum):
    """Why a participant is no longer in the call."""

    LEFT = "left"
    LOST = "lost"
    """Nothing was heard of it for longer than the call waits."""


class EndReason(StrEnum):
    """Why a call, or the chance to join one, is over."""

    LEFT = "left"
    """This session left."""

    WITHDRAWN = "withdrawn"
    """The caller took the offer back before anybody came."""

    EMPTY = "empty"
    """Everyone else left or was lost."""

    DECLINED = "declined"
    """Everyone invited declined."""

    JOINED_ELSEWHERE = "joined_elsewhere"
    """Another session of this identity took the call."""

    CROWDED_OUT = "crowded_out"
    """Newer calls needed its place in the list of pending ones."""


class IncomingCall(Fact, frozen=True):
    """An offer rings here."""

    call_id: CallId
    caller: Did
    nickname: str
    participants: tuple[Did, ...]
    in_contacts: bool = False
    """Whether the caller is one of the contacts."""


class OfferDelivered(Fact, frozen=True):
    """An invited peer's session has the offer: it rings there."""

    call_id: CallId
    did: Did


class CallCancelled(Fact, frozen=True):
    """A pending call cannot be joined any more."""

    call_id: CallId
    reason: EndReason


class CallJoined(Fact, frozen=True):
    """The session is in the call: it offered or accepted."""

    call_id: CallId


class CallTerminated(Fact, frozen=True):
    """The call that this session was in is over for it."""

    call_id: CallId
    reason: EndReason


class ParticipantJoined(Fact, frozen=True):
    """It announced itself in the call."""

    call_id: CallId
    did: Did
    nickname: str


class ParticipantBusy(Fact, frozen=True):
    """Our offer rings there, and it is in another call: it may still come, now or later."""

    call_id: CallId
    did: Did


class ParticipantDeclined(Fact, frozen=True):
    """It does not come now; it can still join later."""

    call_id: CallId
    did: Did


class ParticipantLeft(Fact, frozen=True):
    """It is no longer in the call."""

    call_id: CallId
    did: Did
    reason: LeaveReason


class ParticipantStateChanged(Fact, frozen=True):
    """What a participant shows to all: muted, deafened, recording."""

    call_id: CallId
    did: Did
    muted: bool
    deafened: bool
    recording: bool


class VideoChanged(Fact, frozen=True):
    """A participant, or this session, turned its camera on or off."""

    call_id: CallId
    did: Did
    video: bool


class LinkChanged(Fact, frozen=True):
    """The audio connection to a participant changed its state."""

    call_id: CallId
    did: Did
    link: LinkState


class Topology(StrEnum):
    """How this session's voice gets to the others of a call."""

    MESH = "mesh"
    """By a connection to each."""

    SFU = "sfu"
    """Through a room on an SFU; to those who are not there, by direct connections."""


class TopologyChanged(Fact, frozen=True):
    """This session's voice goes another way from now on."""

    call_id: CallId
    topology: Topology


class SfuConnected(Fact, frozen=True):
    """This session is in the call's room on this SFU."""

    call_id: CallId
    url: str


class SfuLost(Fact, frozen=True):
    """The room on this SFU is gone, or cannot be entered. It is tried again."""

    call_id: CallId
    url: str
    reason: str
    mesh: bool
    """Whether direct connections take over: not in a call that is larger than a mesh may be."""


class SfuNotTaken(Fact, frozen=True):
    """Somebody in the call is in a room on an SFU that this session does not use, as nobody named it here."""

    call_id: CallId
    url: str


class RecordingStarted(Fact, frozen=True):
    """Someone records: this session (with a path) or another participant."""

    did: Did
    path: str | None


class RecordingStopped(Fact, frozen=True):
    """The recording ended, and why."""

    did: Did
    path: str | None
    reason: str
    failed: bool | None = None
    """It ended against everybody's will: the disk is full, the folder is gone. What was written stays good. None: somebody else's, of which
    only the end is known."""


CallFact = (
    IncomingCall
    | OfferDelivered
    | CallCancelled
    | CallJoined
    | CallTerminated
    | ParticipantJoined
    | ParticipantBusy
    | ParticipantDeclined
    | ParticipantLeft
    | ParticipantStateChanged
    | VideoChanged
    | LinkChanged
    | TopologyChanged
    | SfuConnected
    | SfuLost
    | SfuNotTaken
    | RecordingStarted
    | RecordingStopped
)
