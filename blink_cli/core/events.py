"""Everything that a user interface needs to hear, as typed events, named in the past tense.

`events --json` prints each as one object: `{"schema":1,"event":"incoming_call","time":…,…fields}`; the tag is the event's name for
`blink wait` too. Names and fields are promises to scripts; new ones may be added.
"""

from enum import StrEnum

import msgspec

from blink_cli.core.names import CallId, Did


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


def _snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")


class _Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag=_snake):
    """Base of all events: encoded by msgspec with the snake-case class name as tag."""


class PeerAppeared(_Event, frozen=True):
    """A session of this identity is heard on the network."""

    did: Did
    nickname: str


class PeerVanished(_Event, frozen=True):
    """Nothing is heard of it any more."""

    did: Did
    nickname: str


class IncomingCall(_Event, frozen=True):
    """An offer rings here."""

    call_id: CallId
    caller: Did
    nickname: str
    participants: tuple[Did, ...]


class OfferDelivered(_Event, frozen=True):
    """An invited peer's session has the offer: it rings there."""

    call_id: CallId
    did: Did


class CallCancelled(_Event, frozen=True):
    """A pending call cannot be joined any more."""

    call_id: CallId
    reason: EndReason


class CallJoined(_Event, frozen=True):
    """The session is in the call: it offered or accepted."""

    call_id: CallId


class CallTerminated(_Event, frozen=True):
    """The call that this session was in is over for it."""

    call_id: CallId
    reason: EndReason


class ParticipantJoined(_Event, frozen=True):
    """It announced itself in the call."""

    call_id: CallId
    did: Did
    nickname: str


class ParticipantBusy(_Event, frozen=True):
    """Our offer rings there, and it is in another call: it may still come, now or later."""

    call_id: CallId
    did: Did


class ParticipantDeclined(_Event, frozen=True):
    """It does not come now; it can still join later."""

    call_id: CallId
    did: Did


class ParticipantLeft(_Event, frozen=True):
    """It is no longer in the call."""

    call_id: CallId
    did: Did
    reason: LeaveReason


class ParticipantStateChanged(_Event, frozen=True):
    """What a participant shows to all: muted, deafened, recording."""

    call_id: CallId
    did: Did
    muted: bool
    deafened: bool
    recording: bool


class LinkChanged(_Event, frozen=True):
    """The audio connection to a participant changed its state."""

    call_id: CallId
    did: Did
    link: LinkState


class TalkingStarted(_Event, frozen=True):
    """Speech began."""

    did: Did
    """Oneself included."""


class TalkingStopped(_Event, frozen=True):
    """Speech ended."""

    did: Did


class TalkingWhileMuted(_Event, frozen=True):
    """This session is muted and its microphone hears speech."""

    did: Did


class DeviceChanged(_Event, frozen=True):
    """The source or the sinks use another device now."""

    direction: str
    """input or output"""

    device: str


class DeviceLost(_Event, frozen=True):
    """A device failed or was unplugged."""

    direction: str
    device: str
    reason: str
    replacement: str | None


class StreamDirection(StrEnum):
    """Which of the two streams with a peer is meant."""

    INBOUND = "inbound"
    """What this session hears of the peer."""

    OUTBOUND = "outbound"
    """What the peer hears of this session."""


class StreamProblem(StrEnum):
    """What can be wrong with a stream for long."""

    NOTHING_RECEIVED = "nothing_received"
    NOTHING_SENT = "nothing_sent"
    CLIPPING = "clipping"
    DIGITAL_SILENCE = "digital_silence"
    """The microphone delivers nothing but zeros."""

    DEVICE_STALLED = "device_stalled"


class StreamFailed(_Event, frozen=True):
    """Audio that should flow does not, or is spoilt where it begins, and why. Told once, when it has lasted."""

    did: Did
    """Whose stream: the peer's, or one's own."""

    reason: str
    problem: StreamProblem | None = None


class StreamRestored(_Event, frozen=True):
    """A problem that `StreamFailed` told is over. The end of a link or a call ends its problems without a word."""

    did: Did
    problem: StreamProblem


class AudioDegraded(_Event, frozen=True):
    """One peer sounds bad, or hears this session badly, and why."""

    did: Did
    reason: str
    direction: StreamDirection = StreamDirection.INBOUND


class AudioRecovered(_Event, frozen=True):
    """It sounds well again, or hears this session well again. A link that ends is told by `LinkChanged` alone."""

    did: Did
    direction: StreamDirection = StreamDirection.INBOUND
    lasted_s: float | None = None
    """How long it was bad."""


class RecordingStarted(_Event, frozen=True):
    """Someone records: this session (with a path) or another participant."""

    did: Did
    path: str | None


class RecordingStopped(_Event, frozen=True):
    """The recording ended, and why."""

    did: Did
    path: str | None
    reason: str
    failed: bool | None = None
    """It ended against everybody's will: the disk is full, the folder is gone. What was written stays good. None: somebody else's, of which
    only the end is known."""


class RtpLogStarted(_Event, frozen=True):
    """Packets of a call are being logged into a file."""

    path: str
    call_id: CallId


class RtpLogRowsLost(_Event, frozen=True):
    """The disk cannot follow: rows are missing in the log from here on. Told once a log; `RtpLogStopped` has the final count."""

    path: str
    rows_lost: int


class RtpLogStopped(_Event, frozen=True):
    """The file is closed, and why."""

    path: str
    reason: str
    rows: int
    rows_lost: int


class IceServerFailed(_Event, frozen=True):
    """A configured STUN or TURN server cannot be used; said once for each reason, until it recovers."""

    url: str
    reason: str
    """The end of a sentence that begins with the server."""


class IceServerRecovered(_Event, frozen=True):
    """It can be used again."""

    url: str


class EventsMissed(_Event, frozen=True):
    """The subscriber read too slowly; so many events were dropped for it."""

    count: int


class SessionEnding(_Event, frozen=True):
    """The session is shutting down."""


Event = (
    PeerAppeared
    | PeerVanished
    | IncomingCall
    | OfferDelivered
    | CallCancelled
    | CallJoined
    | CallTerminated
    | ParticipantJoined
    | ParticipantBusy
    | ParticipantDeclined
    | ParticipantLeft
    | ParticipantStateChanged
    | LinkChanged
    | TalkingStarted
    | TalkingStopped
    | TalkingWhileMuted
    | DeviceChanged
    | DeviceLost
    | StreamFailed
    | StreamRestored
    | AudioDegraded
    | AudioRecovered
    | RecordingStarted
    | RecordingStopped
    | RtpLogStarted
    | RtpLogRowsLost
    | RtpLogStopped
    | IceServerFailed
    | IceServerRecovered
    | EventsMissed
    | SessionEnding
)

EVENT_NAMES: tuple[str, ...] = tuple(sorted(_snake(kind.__name__) for kind in Event.__args__))
"""What `blink wait` accepts."""
