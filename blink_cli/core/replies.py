"""What a session answers. `--json` prints these as they stand, with `schema`: names and meanings are promises to scripts."""

import msgspec

from blink_cli.core.analysis.figures import InboundFigures
from blink_cli.core.events import LinkState
from blink_cli.core.names import CallId, Did

SCHEMA = 1


class _Value(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a reply."""


class _Reply(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """A whole reply. The tag travels on the control socket and is not printed."""

    schema: int = SCHEMA


class Clocks(_Value, frozen=True):
    """Which second of the input is being captured and which of the output is being played, at one monotonic time."""

    monotonic_s: float
    input_position_s: float | None
    """None while the input does not run."""

    output_position_s: float | None


class Participant(_Value, frozen=True):
    """Someone in, or invited to, the current call."""

    did: Did
    nickname: str
    self: bool
    link: LinkState
    muted: bool
    deafened: bool
    recording: bool
    talking: bool
    gain_db: float
    busy: bool = False
    """It rings there, and it is in another call."""


class CurrentCall(_Value, frozen=True):
    """The call that this session is in."""

    id: CallId
    state: str
    """offering: nobody came yet; joining: no link connected yet; in_call."""

    since: str
    """ISO 8601, UTC."""

    participants: tuple[Participant, ...]


class NamedPeer(_Value, frozen=True):
    """A DID and what this profile calls it."""

    did: Did
    nickname: str


class PendingCall(_Value, frozen=True):
    """A call that can be joined."""

    id: CallId
    caller: NamedPeer = msgspec.field(name="from")
    participants: tuple[NamedPeer, ...]
    joined: tuple[NamedPeer, ...]
    rejected: bool
    left: bool = False
    """This session was in it and left."""

    @property
    def rings(self) -> bool:
        """Whether it still waits for a decision."""
        return not (self.rejected or self.left)


class SignalCounters(_Value, frozen=True):
    """What became of the datagrams that carry signals, since the session started: who floods, lies or has a wrong clock shows here."""

    received: int
    """Read from the network. A flood is read at most at 2,000 a second and socket; the rest is dropped by the system."""

    delivered: int
    """Signals that counted."""

    not_for_us: int
    duplicates: int
    malformed: int
    """No datagram of this program, or of another version of it."""

    unopened: int
    """Not sealed for this session, or changed on the way."""

    forged: int
    replayed: int
    stale: int
    """Dated more than five minutes off: a wrong clock, here or there."""

    rate_limited: int
    """Not even opened, because strangers, or one source, sent too many."""

    transmitted: int
    repeated: int
    """Said again for want of an acknowledgement."""

    given_up: int
    relayed: int
    send_failures: int
    """Refused by the system: no route, or no interface."""

    flooded: int
    """Times that a socket was left alone for 20 ms because more came than any call needs."""


class Status(_Reply, frozen=True, tag="status"):
    """Snapshot of the session."""

    profile: str
    did: Did
    nickname: str
    pid: int
    input: str
    output: str
    muted: bool
    deafened: bool
    clocks: Clocks
    call: CurrentCall | None
    pending_calls: tuple[PendingCall, ...]
    signals: SignalCounters | None = None


class Done(_Reply, frozen=True, tag="done"):
    """It is so now."""

    ok: bool = True


class Peer(_Value, frozen=True):
    """A session seen on the network, or known from contacts."""

    did: Did
    nickname: str
    address: str | None
    alive: bool
    last_seen_ms: int | None
    """How long ago it was last heard; None when never."""

    in_contacts: bool


class Peers(_Reply, frozen=True, tag="peers"):
    """`blink peers --json` prints the list itself."""

    peers: tuple[Peer, ...]


class OfferPlaced(_Reply, frozen=True, tag="offer_placed"):
    """The call exists and its invitations are on their way."""

    call: CallId
    connected: tuple[Did, ...]
    """Whose audio link stands."""


class CallAccepted(_Reply, frozen=True, tag="call_accepted"):
    """This session is in the call."""

    call: CallId
    connected: tuple[Did, ...]


class Calls(_Reply, frozen=True, tag="calls"):
    """Pending calls and the current one."""

    call: CurrentCall | None
    pending_calls: tuple[PendingCall, ...]


class Participants(_Reply, frozen=True, tag="participants"):
    """Who is in the current call."""

    call: CallId
    participants: tuple[Participant, ...]


class DeviceSet(_Reply, frozen=True, tag="device_set"):
    """The device in use now."""

    direction: str
    device: str


class Inbound(_Value, frozen=True, rename="camel"):
    """One peer's stream as it arrives and is played. Names as in W3C webrtc-stats, units there too (seconds, samples at 48 kHz)."""

    packets_received: int
    packets_lost: int
    packets_duplicated: int
    packets_reordered: int
    packets_discarded: int
    packets_recovered: int
    jitter: float | None
    """Now; None, as the other figures of the present moment, while the link does not stand."""

    concealed_samples: int
    silent_concealed_samples: int
    concealment_events: int
    inserted_samples_for_deceleration: int
    removed_samples_for_acceleration: int
    total_samples_received: int
    jitter_buffer_delay: float
    jitter_buffer_emitted_count: int
    jitter_buffer_target_delay: float
    delay_ms: float | None = msgspec.field(name="delay_ms")
    audio_level_dbov: int | None = msgspec.field(name="audioLevel_dbov")
    datagrams_refused: int = 0
    """Neither agreed voice nor handshake of this peer: garbage, changed on the way, or of a payload type or source that was not
    agreed. Not in webrtc-stats."""

    analysis: InboundFigures | None = None
    """Of the stream that is heard now, as `rtp-analyze` prints it; its fields are not in camel case. A reconnect begins another stream."""


class Remote(_Value, frozen=True, rename="camel"):
    """What the peer reports of our stream (RFC 3550 receiver reports)."""

    fraction_lost: float
    jitter: float
    rtt_s: float | None = msgspec.field(name="rtt_s")


class Outbound(_Value, frozen=True, rename="camel"):
    """Our stream to one peer."""

    packets_sent: int
    bytes_sent: int
    """Payload octets, as in RTCP sender reports."""

    bitrate: float | None
    """Payload bits a second over the last seconds; None before the first figure."""

    redundancy_levels: int
    remote: Remote | None


class PeerStatistics(_Value, frozen=True):
    """Both directions of one link. A figure that cannot be had is None."""

    did: Did
    nickname: str
    rtt_s: float | None
    inbound: Inbound | None
    outbound: Outbound | None


class DeviceFigures(_Value, frozen=True):
    """One device of this session and the thread that serves it."""

    device: str
    latency_ms: float
    """From the microphone to the program, or from the program to the speaker, as far as the system knows; queues included."""

    lost_ms: float
    """Captured and overwritten before it was read, or due and not there to be played."""

    late_ticks: int
    """Steps of 10 ms that ran later than the next one was due."""

    lateness_p99_ms: float
    """99 of 100 steps ran at most this much later than they were due."""


class RtpStatistics(_Reply, frozen=True, tag="rtp_statistics"):
    """Figures of the current call."""

    call: CallId
    peers: tuple[PeerStatistics, ...]
    late_ticks: int
    """Playout ticks of this session that ran later than the next one was due."""

    input: DeviceFigures | None = None
    output: DeviceFigures | None = None


class RtpLogFile(_Value, frozen=True):
    """One file that is closed."""

    path: str
    rows: int
    rows_lost: int
    bytes: int
    reason: str
    """Why it was closed."""


class RtpLogState(_Reply, frozen=True, tag="rtp_log"):
    """How the RTP log stands."""

    state: str
    """off; waiting: for a call; logging; paused."""

    path: str | None
    """What `rtp-log start` was told."""

    file: str | None
    """The file that is open now."""

    call: CallId | None
    rows: int
    """In the open file; up to two seconds behind, since a packet's row waits for what the playout makes of it."""

    rows_lost: int
    """Could not be written to the open file, because the disk was too slow."""

    bytes: int
    files: tuple[RtpLogFile, ...]
    """Closed since the log was started."""


class IceServerState(_Value, frozen=True):
    """One configured STUN or TURN server; its credentials are not shown."""

    url: str
    kind: str
    """stun or turn"""

    alive: bool
    """It gave an address when it was asked last; for a TURN server the credentials are right too."""

    in_use: bool
    """A link that is made now uses it: the first living one of its kind."""

    rtt_ms: float | None
    outside_address: str | None
    """What a STUN server saw this machine as, `HOST:PORT`."""

    relay_address: str | None
    """What a TURN server gave, `HOST:PORT`."""

    last_error: str | None
    """Why it is not alive."""


class IceServerList(_Reply, frozen=True, tag="ice_servers"):
    """The configured servers in their order, and whether calls must go through a relay."""

    transport: str
    """all, or relay: through a TURN server only."""

    servers: tuple[IceServerState, ...]


class RecordingBegun(_Reply, frozen=True, tag="recording_begun"):
    """The file is on the disk, and everybody in the call is told."""

    path: str
    """The MP4 while it grows; it has another name when it is finished."""

    sidecar: str
    since: str
    """ISO 8601, UTC: the first sample."""


class RecordedFile(_Value, frozen=True):
    """A file of a recording."""

    path: str
    kind: str
    """mp4, wav, mix, or sidecar"""

    participants: tuple[NamedPeer, ...]
    """Whose sound it holds."""

    duration_s: float


class RecordingFiles(_Reply, frozen=True, tag="recording_files"):
    """A recording that has ended."""

    files: tuple[RecordedFile, ...]
    reason: str
    """Why it ended."""

    warning: str | None = None
    """What was asked for and could not be made."""


class LeftoverRecording(_Value, frozen=True):
    """An unfinished file whose program died; `record repair` finishes it."""

    path: str
    bytes: int
    started: str | None
    """ISO 8601, UTC; None where its sidecar is gone."""


class RecordingStatus(_Reply, frozen=True, tag="recording_status"):
    """What is being recorded, and what was left unfinished in the folders used last."""

    recording: bool
    path: str | None = None
    since: str | None = None
    duration_s: float | None = None
    participants: tuple[NamedPeer, ...] = ()
    formats: tuple[str, ...] = ()
    packets_dropped: int = 0
    """What this machine, or its disk, was too slow for."""

    exporting: bool = False
    """The WAV files or the mixdown of an earlier recording are being made."""

    leftovers: tuple[LeftoverRecording, ...] = ()


class RecordingMarked(_Reply, frozen=True, tag="recording_marked"):
    """The marker is in the recording."""

    at_s: float
    """Seconds from its first sample."""

    text: str


Reply = (
    Status
    | Done
    | Peers
    | OfferPlaced
    | CallAccepted
    | Calls
    | Participants
    | DeviceSet
    | RtpStatistics
    | RtpLogState
    | IceServerList
    | RecordingBegun
    | RecordingFiles
    | RecordingStatus
    | RecordingMarked
)
