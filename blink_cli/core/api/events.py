"""Everything that a user interface needs to hear, as typed events, named in the past tense.

`events --json` prints each as one object: `{"schema":1,"event":"incoming_call","time":…,…fields}`; the tag is the event's name for
`blink wait` too. Names and fields are promises to scripts; new ones may be added.
"""

from enum import StrEnum

from blink_cli.core.analysis.culprit import Culprit
from blink_cli.core.api.session_options import CodecKey
from blink_cli.core.call.facts import (
    CallCancelled,
    CallJoined,
    CallTerminated,
    EndReason,
    IncomingCall,
    LeaveReason,
    LinkChanged,
    LinkState,
    OfferDelivered,
    ParticipantBusy,
    ParticipantDeclined,
    ParticipantJoined,
    ParticipantLeft,
    ParticipantStateChanged,
    RecordingStarted,
    RecordingStopped,
    SfuConnected,
    SfuLost,
    SfuNotTaken,
    Topology,
    TopologyChanged,
    VideoChanged,
)
from blink_cli.core.fact import Fact, snake_case
from blink_cli.core.ids import CallId, Did
from blink_cli.core.media.media_tap import Observer
from blink_cli.core.presence.facts import (
    MulticastResumed,
    MulticastStopped,
    PeerAppeared,
    PeerClockAgrees,
    PeerClockDiffers,
    PeerVanished,
    ProtocolDiffers,
)

__all__ = (
    "EVENT_NAMES",
    "AudioDegraded",
    "AudioDisturbed",
    "AudioRecovered",
    "AutomuteEnded",
    "Automuted",
    "CallCancelled",
    "CallJoined",
    "CallNotAccepted",
    "CallTerminated",
    "CameraLost",
    "CaptureGap",
    "CodecChanged",
    "DeviceChanged",
    "DeviceLatencyRaised",
    "DeviceLost",
    "EndReason",
    "Event",
    "EventsMissed",
    "IceServerFailed",
    "IceServerRecovered",
    "ImpairmentChanged",
    "IncomingCall",
    "LeaveReason",
    "LinkChanged",
    "LinkState",
    "MachineOverloaded",
    "MachineRecovered",
    "Marked",
    "MicrophoneMuted",
    "MulticastResumed",
    "MulticastStopped",
    "Observer",
    "ObserverFailed",
    "OfferDelivered",
    "ParticipantBusy",
    "ParticipantDeclined",
    "ParticipantJoined",
    "ParticipantLeft",
    "ParticipantStateChanged",
    "PathChanged",
    "PathNotFound",
    "PeerAppeared",
    "PeerClockAgrees",
    "PeerClockDiffers",
    "PeerVanished",
    "PicturesNotRecorded",
    "ProcessingUnavailable",
    "ProtocolDiffers",
    "RecordingFilesLate",
    "RecordingStarted",
    "RecordingStopped",
    "RtpLogRowsLost",
    "RtpLogStarted",
    "RtpLogStopped",
    "SessionEnding",
    "SfuConnected",
    "SfuLost",
    "SfuNotTaken",
    "SfuPacketsAccepted",
    "SfuPacketsRefused",
    "SignalServerConnected",
    "SignalServerFailed",
    "StreamDirection",
    "StreamFailed",
    "StreamProblem",
    "StreamRestored",
    "TalkingStarted",
    "TalkingStopped",
    "TalkingWhileMuted",
    "Topology",
    "TopologyChanged",
    "VideoChanged",
)


class CallNotAccepted(Fact, frozen=True):
    """A session that accepts calls of contacts by itself leaves this one ringing: its caller is none."""

    call_id: CallId
    caller: Did
    nickname: str
    reason: str


class MicrophoneMuted(Fact, frozen=True):
    """A microphone that was chosen in a call of a stranger's, which was accepted by itself, begins muted."""

    call_id: CallId
    reason: str


class PathNotFound(Fact, frozen=True):
    """A participant is in the call, and no way for audio to it has been found yet. Told once, until audio connects; the search goes on."""

    did: Did
    ours: tuple[str, ...]
    """Addresses of this machine that were tried, each with its interface: `10.77.0.1 (eth0)`."""

    left_out: tuple[str, ...]
    """Addresses of this machine that were not tried, likewise."""

    theirs: tuple[str, ...]
    """Addresses that the participant named."""


class PathChanged(Fact, frozen=True):
    """Audio with a participant goes another way now: nothing came any more by the one before. The link stands as it did."""

    did: Did
    interface: str
    """Of this machine, by which it goes now; empty through a relay."""

    local: str
    """Our IP address; empty through a relay."""

    remote: str
    """The participant's IP address."""

    left_interface: str
    left_local: str
    left_remote: str


class TalkingStarted(Fact, frozen=True):
    """Speech began."""

    did: Did
    """Oneself included."""

    at_s: float | None = None
    """Monotonic, as `clocks.monotonic_s`: until when sound had been captured that shows it, or when the packet arrived that says it."""


class TalkingStopped(Fact, frozen=True):
    """Speech ended."""

    did: Did
    at_s: float | None = None
    """As of `talking_started`; when it was noticed, if nothing came any more."""


class TalkingWhileMuted(Fact, frozen=True):
    """This session is muted and its microphone hears speech."""

    did: Did
    at_s: float | None = None


class Automuted(Fact, frozen=True):
    """Automute mutes this session's microphone: another participant talks. The others do not see it."""

    did: Did
    """Oneself."""


class AutomuteEnded(Fact, frozen=True):
    """The others have stopped talking, or automute was switched off: the microphone is sent again, unless it is muted by hand."""

    did: Did


class DeviceChanged(Fact, frozen=True):
    """The source or the sinks use another device now."""

    direction: str
    """input or output"""

    device: str
    description: str | None = None
    """What people call it, where the sound server says so; for `default`, of the device that it is."""


class DeviceLost(Fact, frozen=True):
    """A device failed or was unplugged."""

    direction: str
    device: str
    reason: str
    replacement: str | None
    happened_at: str | None = None
    """ISO 8601, UTC: when, where it is told again to whoever begins to listen later; null: now."""


class PicturesNotRecorded(Fact, frozen=True):
    """Somebody shows something, and this session's recording, which began with voices alone, has no track for it. Told once for each in a recording."""

    did: Did
    path: str


class CameraLost(Fact, frozen=True):
    """The camera failed or was unplugged: it is off."""

    camera: str
    reason: str


class CaptureGap(Fact, frozen=True):
    """The microphone delivered nothing for a while, or too late: nothing was sent for that time. Told when it is over, at most once in 5 s."""

    device: str
    missing_s: float
    """What is missing since the last such event."""

    late_s: float
    """How much of it the device delivered when its time was over; the rest is lost."""

    reason: str
    """A sentence."""


class DeviceLatencyRaised(Fact, frozen=True):
    """A device moved slower than real time: it, or what is behind it, works in larger pieces than its buffer held. It was opened again."""

    direction: str
    device: str
    latency_ms: float
    """What is asked for now."""


class StreamDirection(StrEnum):
    """Which of the two streams with a peer is meant."""

    INBOUND = "inbound"
    """What this session hears of the peer."""

    OUTBOUND = "outbound"
    """What the peer hears of this session."""


class SfuPacketsRefused(Fact, frozen=True):
    """For some seconds packets have come through the room on this SFU that are not what its members sealed. Counted since that began."""

    url: str
    malformed: int
    """No sealed packets at all."""

    unknown: int
    """Sealed under a key that this session does not know."""

    forged: int
    """Changed on the way, or sealed by who does not have the key."""

    replayed: int
    """Came once before."""


class SfuPacketsAccepted(Fact, frozen=True):
    """What `SfuPacketsRefused` told is over. The end of the call ends it without a word."""

    url: str
    refused: int
    """How many, in all that time."""


class StreamProblem(StrEnum):
    """What can be wrong with a stream for long."""

    NOTHING_RECEIVED = "nothing_received"
    NOTHING_SENT = "nothing_sent"
    CLIPPING = "clipping"
    DIGITAL_SILENCE = "digital_silence"
    """The microphone delivers nothing but zeros."""

    BROKEN_STREAM = "broken_stream"
    """The sequence numbers of a peer jump, several times a second."""

    DEVICE_STALLED = "device_stalled"
    SOFT_CHANNELS = "soft_channels"
    """What is sent of a microphone is 6 dB or more softer than the loudest of its channels."""


class StreamFailed(Fact, frozen=True):
    """Audio that should flow does not, or is spoilt where it begins, and why. Told once, when it has lasted."""

    did: Did
    """Whose stream: the peer's, or one's own."""

    reason: str
    problem: StreamProblem | None = None
    direction: str | None = None
    """input or output, where one of this session's devices is meant."""


class StreamRestored(Fact, frozen=True):
    """A problem that `StreamFailed` told is over. The end of a link or a call ends its problems without a word."""

    did: Did
    problem: StreamProblem
    direction: str | None = None


class ProcessingUnavailable(Fact, frozen=True):
    """Something that is to be done to the microphone's sound cannot be: the call goes on without it. Told once for each reason; `status` keeps saying it."""

    filters: tuple[str, ...]
    """Which of echo, noise and gain; voice: speech is told by its loudness."""

    reason: str
    """A sentence, with what to do."""


class AudioDegraded(Fact, frozen=True):
    """One peer sounds bad, or hears this session badly, and why."""

    did: Did
    reason: str
    direction: StreamDirection = StreamDirection.INBOUND
    culprit: Culprit | None = None
    """Whose fault it is, of those that `AudioDisturbed` names; None where that is not known."""


class AudioDisturbed(Fact, frozen=True):
    """What was heard of a peer was damaged within the last seconds, and by whom. Told anew for another culprit, and after five seconds without damage."""

    did: Did
    culprit: Culprit
    reason: str
    damage_ms: float
    """Sound that was made up, left out or not heard."""

    direction: StreamDirection = StreamDirection.INBOUND


class AudioRecovered(Fact, frozen=True):
    """It sounds well again, or hears this session well again. A link that ends is told by `LinkChanged` alone."""

    did: Did
    direction: StreamDirection = StreamDirection.INBOUND
    lasted_s: float | None = None
    """How long it was bad."""


class MachineOverloaded(Fact, frozen=True):
    """This machine is too slow for the call: what is heard and sent suffers, whatever the network does."""

    reason: str
    """The end of a sentence that begins with the machine."""


class MachineRecovered(Fact, frozen=True):
    """It keeps up again."""

    lasted_s: float
    """How long it was too slow."""


class Marked(Fact, frozen=True):
    """Somebody at this session marked this moment of its call. The others in the call do not learn of it."""

    call_id: CallId
    text: str
    at_s: float
    """Monotonic, as `clocks.monotonic_s`."""


class RtpLogStarted(Fact, frozen=True):
    """Packets of a call are being logged into a file."""

    path: str
    call_id: CallId
    payload: bool = False
    """With what they carry: voices are kept, and all in the call are shown that this session records."""


class RtpLogRowsLost(Fact, frozen=True):
    """The disk cannot follow: rows are missing in the log from here on. Told once a log; `RtpLogStopped` has the final count."""

    path: str
    rows_lost: int


class RtpLogStopped(Fact, frozen=True):
    """The file is closed, and why."""

    path: str
    reason: str
    rows: int
    rows_lost: int


class ObserverFailed(Fact, frozen=True):
    """One of those who listen in failed by a fault of the program and hears nothing any more; the call goes on. Told once for each.

    A recording or a log that ends so is told by `RecordingStopped` or `RtpLogStopped` as well, and can be started again.
    """

    observer: Observer
    reason: str


class RecordingFilesLate(Fact, frozen=True):
    """The session is ending, and files that were to be made of a recording are not there yet: it waits for them, or has given up."""

    path: str
    """The recording's MP4, which is whole."""

    formats: tuple[str, ...]
    """wav, opus, mix; none where its loudness is measured."""

    command: str
    """What makes them without a session, as one types it."""

    given_up: bool


class CodecChanged(Fact, frozen=True):
    """Voice is encoded otherwise, from the next frame on: `codec set` said so, or a call ended for which something else was set."""

    changed: tuple[CodecKey, ...]
    """Names of those of the other fields that are new."""

    bitrate: int
    """Bits a second."""

    frame_ms: int | float
    bandwidth: str
    application: str
    fec: str
    dtx: bool
    cbr: bool
    redundancy: str
    redundancy_budget: int
    """Kilobits a second for each peer; 0: no bound."""

    complexity: int
    stereo: bool


class ImpairmentChanged(Fact, frozen=True):
    """Links are impaired on purpose from now on, or no more: their figures are not the network's. Told also to whoever begins to listen meanwhile."""

    did: Did | None
    """Whose links; null: everybody's who has no rule of its own."""

    nickname: str
    """Empty for everybody."""

    incoming: str | None
    """How what comes is impaired, in the words of `impair`; null: not at all."""

    outgoing: str | None
    """What is sent, likewise."""


class IceServerFailed(Fact, frozen=True):
    """A configured STUN or TURN server cannot be used; said once for each reason, until it recovers."""

    url: str
    reason: str
    """The end of a sentence that begins with the server."""


class IceServerRecovered(Fact, frozen=True):
    """It can be used again."""

    url: str


class SignalServerFailed(Fact, frozen=True):
    """No server that carries signals past the network can be used; said once until one is connected. Calls that stand go on."""

    url: str
    """The one that was tried last."""

    reason: str
    """The end of a sentence that begins with the server."""


class SignalServerConnected(Fact, frozen=True):
    """A server carries signals past the network."""

    url: str


class EventsMissed(Fact, frozen=True):
    """The subscriber read too slowly; so many events were dropped for it."""

    count: int


class SessionEnding(Fact, frozen=True):
    """The session is shutting down."""


Event = (
    PeerAppeared
    | PeerVanished
    | PeerClockDiffers
    | ProtocolDiffers
    | PeerClockAgrees
    | MulticastStopped
    | MulticastResumed
    | IncomingCall
    | CallNotAccepted
    | MicrophoneMuted
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
    | CameraLost
    | PicturesNotRecorded
    | LinkChanged
    | PathNotFound
    | PathChanged
    | TalkingStarted
    | TalkingStopped
    | TalkingWhileMuted
    | Automuted
    | AutomuteEnded
    | DeviceChanged
    | DeviceLost
    | DeviceLatencyRaised
    | CodecChanged
    | RecordingFilesLate
    | ImpairmentChanged
    | CaptureGap
    | ProcessingUnavailable
    | StreamFailed
    | StreamRestored
    | AudioDegraded
    | AudioDisturbed
    | AudioRecovered
    | MachineOverloaded
    | MachineRecovered
    | Marked
    | RecordingStarted
    | RecordingStopped
    | RtpLogStarted
    | RtpLogRowsLost
    | RtpLogStopped
    | ObserverFailed
    | IceServerFailed
    | IceServerRecovered
    | SignalServerFailed
    | SignalServerConnected
    | TopologyChanged
    | SfuConnected
    | SfuLost
    | SfuNotTaken
    | SfuPacketsRefused
    | SfuPacketsAccepted
    | EventsMissed
    | SessionEnding
)

EVENT_NAMES: tuple[str, ...] = tuple(sorted(snake_case(kind.__name__) for kind in Event.__args__))
"""What `blink wait` accepts."""
