"""What a session answers. `--json` prints these as they stand, with `schema`: names and meanings are promises to scripts."""

from typing import Literal

import msgspec

from blink_cli.core.analysis.culprit import Disturbance
from blink_cli.core.analysis.e_model import QualityEstimate
from blink_cli.core.analysis.figures import InboundFigures
from blink_cli.core.call.facts import LinkState
from blink_cli.core.call.traced_step import TracedStep
from blink_cli.core.ids import CallId, Did
from blink_cli.core.media.clock_message import Method
from blink_cli.core.media.extended_report import StatisticsSummary, VoipMetrics
from blink_cli.core.media.path_type import PathType
from blink_cli.core.media.processing_settings import EchoCancel, NoiseSuppress

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


class InputChannels(_Value, frozen=True):
    """What becomes of the channels of a microphone, or a file, that has several."""

    channels: int
    chosen: int | None
    """The only one that is sent, from 1, because `?channel=` said so; None: all that carry something."""

    loudest: int
    """From 1."""

    below_db: float
    """How much softer than the loudest channel is what is sent."""

    warning: str | None
    """A sentence, if that is 6 dB or more."""


class CaptureFigures(_Value, frozen=True):
    """How whole the sound of the microphone is, since the call's media began."""

    gaps: int
    """Times that sound was missing."""

    missing_s: float
    """What was missing: not captured, lost, or delivered when its time was over. Nothing was sent for it."""

    late_s: float
    """Of that, what was delivered when its time was over."""

    last_gap_at_s: float | None
    """When the last gap of 40 ms or more began: monotonic, as `clocks.monotonic_s`."""

    last_gap_s: float | None
    """How long it lasted."""

    channels: InputChannels | None = None
    """None of a device that has but one."""

    clipped_frames: int = 0
    """Frames of 20 ms, before any filter, in which the microphone was at full scale for several samples: too loud for its gain, and distorted."""

    frames: int = 0
    """All frames that were captured, sent or not."""


class MixFigures(_Value, frozen=True):
    """What is played: everybody together, turned down where that is louder than full scale."""

    limited_s: float
    """For how long it was turned down, since the call's media began. Nothing is distorted meanwhile."""

    limited_now_db: float
    """By how much it is turned down now; 0: not."""


class AddressesTried(_Value, frozen=True):
    """Between which addresses no way for audio has been found yet."""

    ours: tuple[str, ...]
    """Each with its interface: `10.77.0.1 (eth0)`."""

    left_out: tuple[str, ...]
    """Addresses of this machine that were not tried, likewise."""

    theirs: tuple[str, ...]


class RelayUse(_Value, frozen=True):
    """What audio through our own TURN server costs."""

    server: str
    """Its URL, nothing secret in it."""

    rtt_ms: float | None
    """Between here and the server, when it was asked last: about so much longer than a direct one is the way there and back."""

    overhead_bytes: int
    """Added to each packet between here and the server (RFC 8656, section 12.4), beside TLS's own."""


class MediaPath(_Value, frozen=True):
    """The kind of way that audio with a participant goes now."""

    type: PathType
    """The less direct of the two candidates' types, named as W3C's `RTCIceCandidateType`."""

    remote: str
    """The IP address that packets go to: the participant's, its NAT's, or its relay's."""

    relay: RelayUse | None = None
    """None where no relay of ours is on the way; the participant's own may be."""


class Loudness(_Value, frozen=True):
    """How loud a voice is, in LUFS (ITU-R BS.1770-4), at most 0.2 s ago. None in silence, and before enough was heard."""

    momentary_lufs: float | None
    """Of the last 0.4 s."""

    short_term_lufs: float | None
    """Of the last 3 s."""

    integrated_lufs: float | None
    """Since the call began for this session, without pauses: what is above -70 LUFS and not over 10 LU below the mean of that."""


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
    """How much louder it is played here."""

    busy: bool = False
    """It rings there, and it is in another call."""

    no_path: AddressesTried | None = None
    """It is in the call, and for some seconds no way for audio to it has been found."""

    path: MediaPath | None = None
    """None while no audio link to it stands."""

    in_contacts: bool = False
    """It is called as this profile calls it; what others are called is their own claim."""

    ringing: bool = False
    """The offer of this session has reached it, it is on the network, and nobody there has decided yet."""

    muted_here: bool = False
    """It is not played here, because the user said so; it does not learn of it."""

    loudness: Loudness | None = None
    """Of its voice as it came, whatever its gain here; one's own as it is sent. None before its audio link stood."""


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


class HeardPeer(NamedPeer, frozen=True):
    """A peer that is not played as it comes, because the user said so."""

    gain_db: float
    muted_here: bool


class CallPeer(NamedPeer, frozen=True):
    """Someone of a pending call."""

    in_contacts: bool = False
    """It is called as this profile calls it; what others are called is their own claim."""


class PendingCall(_Value, frozen=True):
    """A call that can be joined."""

    id: CallId
    caller: CallPeer = msgspec.field(name="from")
    participants: tuple[CallPeer, ...]
    joined: tuple[CallPeer, ...]
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


class DeviceAt(_Value, frozen=True):
    """A sink or source of the sound server."""

    name: str
    description: str | None
    """What people call it."""

    port: str | None = None
    """What it is plugged into, such as "Headphones"; null where it has no ports."""


class MachineState(_Value, frozen=True):
    """Whether this machine keeps up with its call, in the last seconds."""

    overloaded: bool
    reason: str | None
    """Why, while it is overloaded."""

    late_ticks: float | None
    """Share of the voice threads' steps of 10 ms that ran later than the next one was due, 0 to 1."""

    loop_late_ms: float | None
    """The longest that the event loop, over which packets pass, kept something waiting."""

    processors_busy: float | None
    """Share of all processors in use, 0 to 1, by whatever program; None where the system does not tell."""

    processors_stolen: float | None
    """Share that the host of a virtual machine took away."""


class WrongClock(_Value, frozen=True):
    """A peer whose wall clock is not this one."""

    did: Did
    nickname: str
    ahead_s: float
    """Negative: it is behind."""

    proved: bool
    """By its answer; if not, its messages claim so, and it is not heard until the clocks agree."""


class OpusCopy(_Value, frozen=True):
    """A copy of libopus on this machine."""

    path: str
    origin: str
    """pyav, system or pyogg; named: by BLINK_LIBOPUS."""

    name: str | None = None
    """What it calls itself, for example `libopus 1.6.1`; None, and nothing it can do, of one that is passed over."""

    deep_plc: bool = False
    """Its decoder guesses lost frames by a neural network, where that is asked for."""

    dred: bool = False
    """Its packets can carry up to a second of what was said before."""

    osce: bool = False
    """Its decoder makes low bit rates sound better, where that is asked for."""

    passed_over: str | None = None
    """Why it is not used although it would be: broken, or too old. None of one that works."""


class OpusLibraries(_Value, frozen=True):
    """Which libopus this session codes with, and what else there is."""

    used: OpusCopy
    others: tuple[OpusCopy, ...] = ()
    """They can do no more, or are passed over."""


class EchoState(_Value, frozen=True):
    """Whether what the speaker plays is taken out of the microphone's sound."""

    chosen: EchoCancel
    state: str
    """on, off, or unavailable: it was asked for and cannot run. While no media run: how it would be with the devices of now."""

    reason: str | None
    """What `auto` found, or why it is unavailable and what to do."""

    removed_db: float | None
    """How much softer what leaves it is than what the microphone hears, while the speaker plays and nobody near talks; null before that was so."""

    delay_ms: float | None
    """How much later than it was played the echo arrives; null before that was found."""

    own_return_ms: float | None = None
    """How much later than it was sent one's own voice comes back: another speaker in this room plays it. Null: it does not, or echo is not cancelled."""


class NoiseState(_Value, frozen=True):
    """Whether steady noise is taken out of the microphone's sound."""

    chosen: NoiseSuppress
    state: str
    """off, low or high; unavailable as in the echo's."""

    reason: str | None
    removed_db: float | None
    """How much of the last second it took out."""


class GainState(_Value, frozen=True):
    """Whether the microphone's sound is brought to the same loudness, whoever speaks."""

    chosen: bool
    state: str
    """on or off; unavailable as in the echo's."""

    reason: str | None
    gain_db: float | None
    """What it adds now."""


class AutomuteState(_Value, frozen=True):
    """Whether one is muted while others talk."""

    chosen: bool
    state: str
    """off; on: nobody else talks, or oneself began before; muting: somebody else talks. Others see none of it."""


class VoiceState(_Value, frozen=True):
    """How this session tells that somebody talks into its microphone."""

    told_by: str
    """speech: by how it sounds; loudness: of a test tone, or where the library is missing."""

    reason: str | None
    """Why by loudness alone, and what to do."""


class ProcessingState(_Value, frozen=True):
    """What is done to the microphone's sound before it is encoded: what was chosen, and what each does now. Figures are null while it does not run."""

    echo: EchoState
    noise: NoiseState
    gain: GainState
    automute: AutomuteState
    voice: VoiceState
    delay_ms: float | None
    """By how much all of it delays the voice; null while no media run."""

    cost_us: float | None
    """Processor time of a block of 10 ms, the mean of the last second."""


class OtherVersion(_Value, frozen=True):
    """A session on the network that speaks another version of the protocol, and cannot be talked to."""

    address: str
    did: Did | None
    """A claim; null if it does not say who it is."""

    nickname: str
    lowest: int
    highest: int
    newer: bool


class CodecChosen(_Value, frozen=True):
    """How voice is to be encoded."""

    bitrate: int
    """Bits a second."""

    frame_ms: int | float
    bandwidth: str
    application: str
    fec: str
    """auto, on or off."""

    dtx: bool
    cbr: bool
    redundancy: str
    """auto, 0, 1 or 2."""

    complexity: int
    stereo: bool


class CodecNow(_Value, frozen=True):
    """How it really is encoded, while a call runs."""

    frame_ms: int | float
    mode: str | None
    """speech (SILK), hybrid, or sound (CELT); None before the first packet, as `bandwidth`."""

    bandwidth: str | None
    channels: int
    bitrate: int | None
    """Bits a second of the last second that was encoded, redundancy and headers not counted; None before that is over."""

    fec_loss_percent: int | None
    """The loss, 0 to 100, for which packets carry in-band FEC; None while they carry none."""


class CodecInUse(_Value, frozen=True):
    """The codec's settings."""

    chosen: CodecChosen
    now: CodecNow | None
    """None while no media run."""

    for_this_call: tuple[str, ...] = ()
    """Which of the chosen ones will be others when the call ends."""

    remarks: tuple[str, ...] = ()
    """What these settings cannot do, or cost, in words."""


class CodecShown(_Reply, frozen=True, tag="codec"):
    """The codec's settings."""

    codec: CodecInUse


class CodecSet(_Reply, frozen=True, tag="codec_set"):
    """They are so from the next frame on."""

    codec: CodecInUse
    not_remembered: str | None = None
    """Why the next session will not know it; None when it will, or need not."""


class ImpairmentRule(_Value, frozen=True):
    """How one direction of links is impaired on purpose, as a user said."""

    did: Did | None
    """Whose links; null: everybody's who has no rule of its own."""

    nickname: str | None
    direction: Literal["in", "out"]
    """What comes to this session, or what it sends."""

    conditions: str | None
    """Words, such as `loss=3% delay=40ms`; null: this peer is spared."""

    seed: int | None
    """Of its chances: the same one gives the same losses."""


class ImpairedDatagrams(_Value, frozen=True):
    """What a line did, counted by itself. `datagrams` and `duplicated` are together all those below that were lost or dropped, came out, or are under way."""

    datagrams: int
    lost: int
    """By chance, or by a trace."""

    lost_in_outages: int
    dropped: int
    """By the full queue of a limited rate."""

    duplicated: int
    corrupted: int
    held_back: int
    """That those behind were let overtake."""

    delivered: int
    """That came out, copies too."""

    overtaken: int
    """Of these, how many came out behind one that was sent later."""

    under_way: int
    mean_delay_ms: float | None
    """Of those that came out; null before the first."""


class ImpairedLine(_Value, frozen=True):
    """One direction of the links to one peer, in this call."""

    did: Did
    nickname: str
    direction: Literal["in", "out"]
    conditions: str
    rtp: ImpairedDatagrams
    other: ImpairedDatagrams
    """RTCP, STUN and DTLS."""


class ImpairmentState(_Value, frozen=True):
    """What is impaired on purpose: figures of this session are not the network's."""

    rules: tuple[ImpairmentRule, ...]
    lines: tuple[ImpairedLine, ...]
    """Of the peers of this call, from their first link on."""


class ImpairmentShown(_Reply, frozen=True, tag="impairment"):
    """What is impaired now."""

    impairment: ImpairmentState | None
    """Null: nothing."""


class NetworkUse(_Value, frozen=True):
    """What the session was told to use of the network."""

    group: str
    """Multicast group and port of the signals."""

    interfaces: tuple[str, ...]
    """Addresses or names of the interfaces; empty: all that are up."""

    discovery: bool
    """Whether it announces itself by multicast DNS, and looks for others."""

    multicast: bool = True
    """Whether signals go by multicast, and to neighbours."""

    signal_servers: tuple["SignalServerState", ...] = ()
    """That carry signals past the network, as they were named."""


class SignalServerState(_Value, frozen=True):
    """A server that carries signals past the network."""

    url: str
    state: Literal["connected", "failed", "unused"]
    """unused: another one of them is."""

    reason: str | None
    """Why it failed: the end of a sentence that begins with the server."""

    rtt_s: float | None
    """To the server and back."""


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
    input_place: DeviceAt | None = None
    """The source of the sound server that is really used; null for devices that are not the server's."""

    output_place: DeviceAt | None = None
    machine: MachineState | None = None
    """None while no media run."""
    wrong_clocks: tuple[WrongClock, ...] = ()
    """Peers whose clocks differ from this one by a minute or more."""
    capture: CaptureFigures | None = None
    """None while the microphone does not run."""
    opus: OpusLibraries | None = None
    """The library that codes the sound: of those on this machine the one that can do most. None if there is none."""
    other_versions: tuple[OtherVersion, ...] = ()
    """Sessions heard lately that speak another version of the protocol."""
    processing: ProcessingState | None = None
    """What is done to the microphone's sound before it is encoded. None from an older build."""

    codec: CodecInUse | None = None
    """How voice is encoded; None of a session of an earlier version."""
    volumes: tuple[HeardPeer, ...] = ()
    """Peers whose gain or mute was set here, in the call or not."""
    mix: MixFigures | None = None
    """None while no media run."""

    log: str | None = None
    """The file in which this session logs; null where none can be kept."""

    network: NetworkUse | None = None
    missed_input: str | None = None
    """The microphone that was chosen, while another one, or silence, is used in its place; null if it is used."""

    missed_output: str | None = None
    """The speaker, likewise."""

    impairment: ImpairmentState | None = None
    """What `impair` does to the datagrams of links; null: nothing."""


class Trace(_Reply, frozen=True, tag="trace"):
    """The last steps of the rules of calls. Group keys and passwords in it are replaced by others. `scripts/simulate --replay FILE` plays it again."""

    did: Did
    """Of this session."""

    first: int
    """The number of its first step. Only a trace from 0 on, where the session begins, can be played again."""

    more: bool
    """Whether there are later steps than these."""

    steps: tuple[TracedStep, ...]


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
    clock_ahead_s: float | None = None
    """How far its wall clock is ahead of this one; negative: behind. None: as far as is known they agree."""

    clock_proved: bool | None = None
    """Whether it said so in answer to a question, or its messages claim it: then it is not heard until the clocks agree."""


class Peers(_Reply, frozen=True, tag="peers"):
    """`blink peers --json` prints the list itself."""

    peers: tuple[Peer, ...]
    why_nobody: str | None = None
    """If nobody is there: where this session looks, and what may be in the way."""

    other_versions: tuple[OtherVersion, ...] = ()
    """Sessions heard lately that speak another version of the protocol; `status --json` has them too."""


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


class PeerVolumeSet(_Reply, frozen=True, tag="peer_volume_set"):
    """How loud a peer is played here from now on, in the call or not."""

    did: Did
    nickname: str
    gain_db: float
    muted_here: bool
    ok: bool = True
    not_remembered: str | None = None
    """Why the choice could not be written down: the next session will not know it."""


class DeviceSet(_Reply, frozen=True, tag="device_set"):
    """The device in use now."""

    direction: str
    device: str
    not_remembered: str | None = None
    """Why the choice could not be written down: the next session will not know it. Files and tones are of one session anyway."""


class ProcessingSet(_Reply, frozen=True, tag="processing_set"):
    """What is done to the microphone's sound from now on. Its figures are those of a moment before."""

    processing: ProcessingState
    not_remembered: str | None = None
    """Why the choice could not be written down: the next session will not know it."""


class RefusedByKind(_Value, frozen=True, rename="camel"):
    """Datagrams that a link's ports refused, by what they looked like (RFC 7983). What the kernel dropped during a flood is not among them."""

    stun: int
    """Neither a check of this peer's nor an answer to one of ours."""

    dtls: int
    """From an address that has not proved to be the peer's, or faster than a handshake can be."""

    srtp: int
    """Forged, changed, recorded, or of a source or payload type that was not agreed."""

    other: int
    """Nothing that belongs here, or cut off."""


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
    """What was sent and not heard: concealed, or skipped because it had waited too long."""

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

    datagrams_refused_by_kind: RefusedByKind | None = None
    """Their sum is `datagramsRefused`. None from an older build."""

    skipped_samples: int = 0
    """Of the concealed ones, those in whose place nothing was played. Not in webrtc-stats."""

    analysis: InboundFigures | None = None
    """Of the stream that is heard now, as `rtp-analyze` prints it; its fields are not in camel case. A reconnect begins another stream, and so does `stats reset`, of totals too."""

    disturbance: Disturbance | None = None
    """Who damages this voice now; None while it is whole. Its fields are not in camel case."""


class Remote(_Value, frozen=True, rename="camel"):
    """What the peer reports of our stream (RFC 3550 receiver reports, RFC 3611 extended reports)."""

    fraction_lost: float
    jitter: float
    rtt_s: float | None = msgspec.field(name="rtt_s")
    packets_lost: int | None = None
    """On the way there, before any repair; None from an older build, as all that follows."""

    packets_expected: int | None = None
    """How many it knows of."""

    voip_metrics: VoipMetrics | None = None
    """How it hears us: after repair, in its buffer, by its own estimate (RFC 3611, section 4.7). None from who sends none. Its fields are not in camel case."""

    statistics_summary: StatisticsSummary | None = None
    """The last stretch of some seconds before repair (RFC 3611, section 4.6). Its fields are not in camel case."""


class Outbound(_Value, frozen=True, rename="camel"):
    """Our stream to one peer."""

    packets_sent: int
    bytes_sent: int
    """Payload octets, as in RTCP sender reports."""

    bitrate: float | None
    """Payload bits a second over the last seconds; None before the first figure."""

    redundancy_levels: int
    remote: Remote | None


class OneWay(_Value, frozen=True):
    """How long each direction of a link takes, the network alone. A figure that cannot be known is None: two machines whose clocks nobody keeps together."""

    incoming_ms: float | None
    """From the peer to this session."""

    outgoing_ms: float | None
    error_ms: float | None
    """By how much each is wrong at most."""

    method: Method | None
    """`same_clock`: both run on one machine; `synchronised_clocks`: both systems say that their clocks are right to less than half of the round trip."""

    clock_ahead_ms: float | None
    """By how much the peer's wall clock is ahead of this machine's."""

    clock_error_ms: float | None
    """By how much that is wrong at most: by half of the round trip where nothing is better."""

    why: str | None
    """Why there are no delays."""


class PeerStatistics(_Value, frozen=True):
    """Both directions of one link. A figure that cannot be had is None."""

    did: Did
    nickname: str
    rtt_s: float | None
    inbound: Inbound | None
    outbound: Outbound | None
    loudness: Loudness | None = None
    """Of what came, as it was decoded: before its gain here."""

    one_way: OneWay | None = None
    """None while no link stands."""

    path: MediaPath | None = None
    """Likewise."""

    limited_s: float = 0.0
    """For how long it was turned down because its gain here made it louder than full scale. Nothing is distorted meanwhile."""


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
    loudness: Loudness | None = None
    """Of this session's own voice, as it is sent."""

    impairment: ImpairmentState | None = None
    """What `impair` does to these figures; null: nothing."""

    since: str | None = None
    """From when on it is counted, by `stats reset`: ISO 8601, UTC. Null: from when each link was made first."""


class VoiceLevel(_Value, frozen=True):
    """How loud one participant is now, in dBov (RFC 6464): 0 is full scale, -127 silence."""

    did: Did
    level_dbov: int | None
    """Of its last packet, whatever its gain here; of oneself, of the last 20 ms of the microphone, muted or not. None if nothing came for half a second."""

    peak_dbov: int | None
    """The loudest of the last 1.5 s."""

    voice: bool
    """Whether it talks; oneself, muted or not."""


class Levels(_Reply, frozen=True, tag="levels"):
    """How loud everybody is, in the order of the call's participants."""

    call: CallId
    levels: tuple[VoiceLevel, ...]


class MeshLink(_Value, frozen=True):
    """How one participant receives another one, by its own last word."""

    did: Did
    link: LinkState
    lost_share: float
    """Of the packets of the last seconds, on the way, before any repair; 0 to 1."""


class MeshParticipant(NamedPeer, frozen=True):
    """One row of the mesh: whom this participant hears."""

    self: bool
    present: bool
    """It is in the call, as far as this session believes."""

    hears: tuple[MeshLink, ...]
    """Everybody it takes to be in the call. Who is left out: nothing is known. Empty of who is not there, or said nothing yet."""


class Mesh(_Reply, frozen=True, tag="call_mesh"):
    """Who has a link to whom. Sessions announce it about every second."""

    call: CallId
    participants: tuple[MeshParticipant, ...]
    """In the order of the offer."""


class MarkMade(_Reply, frozen=True, tag="mark_made"):
    """The moment is marked: in the event `marked`, and where else."""

    call: CallId
    text: str
    at_s: float
    """Monotonic, as `clocks.monotonic_s`."""

    rtp_log: bool
    """Whether it is a row of a running RTP log."""

    recording_at_s: float | None
    """Seconds from the first sample of the recording that runs; None: none does."""


class StatisticsReset(_Reply, frozen=True, tag="statistics_reset"):
    """The figures of the current call are counted from now on."""

    call: CallId
    since: str
    """ISO 8601, UTC."""

    ok: bool = True


class ProcessingLogFile(_Value, frozen=True):
    """The file beside a log: what the filters of the microphone did, a line a second. Made with its first line."""

    path: str
    lines: int
    failure: str | None
    """Why it ended before the log did."""


class PlayoutLogFile(_Value, frozen=True):
    """A file beside a log: what the playout did, or what a replay needs."""

    path: str
    lines: int
    bytes: int
    failure: str | None
    """Why it ended before the log did."""


class PlayoutLogs(_Value, frozen=True):
    """What stands beside a log of what the playout does."""

    decisions: PlayoutLogFile | None
    """None: not asked for."""

    replay: PlayoutLogFile | None
    ticks_lost: int
    """Could not be written, because the disk was too slow."""


class RtpLogFile(_Value, frozen=True):
    """One file that is closed."""

    path: str
    rows: int
    rows_lost: int
    bytes: int
    reason: str
    """Why it was closed."""

    processing: ProcessingLogFile | None = None
    playout: PlayoutLogs | None = None
    payload_bytes: int | None = None
    """Of what packets carried, kept in it; None unless it was asked for."""


class RtpLogState(_Reply, frozen=True, tag="rtp_log"):
    """How the RTP log stands."""

    state: str
    """off; waiting: for a call; logging; paused, in a call or before one."""

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

    processing: ProcessingLogFile | None = None
    """Beside the open file; None while the filters do nothing."""

    playout: PlayoutLogs | None = None
    """Beside the open file; None unless it was asked for."""

    payload_bytes: int | None = None
    """Of what packets carry, kept in the open file so far; None unless it was asked for."""


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
    """mp4, wav, opus, mix, or sidecar; microphone, reference or processed of `record start --processing`"""

    participants: tuple[NamedPeer, ...]
    """Whose sound it holds."""

    duration_s: float


class RecordedLoudness(NamedPeer, frozen=True):
    """How loud one participant's track is (ITU-R BS.1770-4, EBU R 128). None of a silent one."""

    integrated_lufs: float | None
    """Of the whole track without its pauses."""

    range_lu: float | None
    """Between its soft and its loud passages (EBU Tech 3342); None below 3 s."""

    true_peak_dbtp: float | None
    """The highest point of the wave, between its samples too; 0 is full scale."""


class RecordingFiles(_Reply, frozen=True, tag="recording_files"):
    """A recording that has ended."""

    files: tuple[RecordedFile, ...]
    reason: str
    """Why it ended."""

    warning: str | None = None
    """What was asked for and could not be made."""

    loudness: tuple[RecordedLoudness, ...] = ()
    """Of each participant, where it was measured: with WAV files or a mix, by `record stop --loudness` and by `record loudness`."""


class LeftoverRecording(_Value, frozen=True):
    """An unfinished file whose program died; `record repair` finishes it."""

    path: str
    bytes: int
    started: str | None
    """ISO 8601, UTC; None where its sidecar is gone."""


class ProcessingFiles(_Value, frozen=True):
    """The files of `record start --processing`: microphone, reference and processed, which lie on each other to the sample."""

    paths: tuple[str, ...]
    """In this order; empty before they are there."""

    duration_s: float
    lost_s: float
    """What the disk was too slow for: silence in all three."""

    failure: str | None
    """Why they are not written any more; the recording goes on."""


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
    processing: ProcessingFiles | None = None
    """None unless `--processing` was asked for."""


class RecordingMarked(_Reply, frozen=True, tag="recording_marked"):
    """The marker is in the recording."""

    at_s: float
    """Seconds from its first sample."""

    text: str


class EchoStarted(_Reply, frozen=True, tag="echo_started"):
    """An echo peer runs beside this session and can be called."""

    did: Did
    nickname: str
    pid: int


class EchoTestBegun(_Reply, frozen=True, tag="echo_test_begun"):
    """What is sent and what comes back is kept from now on."""

    test: int
    """Its number in this session: a later test takes its place."""


class EchoDirection(_Value, frozen=True):
    """One direction of a call with an echo peer."""

    grade: str
    """good, fair, poor by the estimated MOS (from 4.0, from 3.4, below); unknown where it cannot be estimated; nothing: no packet."""

    sentence: str
    packets: int | None
    """Sent there; received back."""

    lost_share: float | None
    """Of the packets, on the way, before any repair; 0 to 1."""

    jitter_ms: float | None
    delay_ms: float | None
    """Of the sound in this direction: codec, network, playout buffer. Back: by this session's own figures. There: what is left of `sound_round_trip_ms`."""

    level_dbov: float | None
    """Mean of the audio levels on the packets, while there was voice."""

    quality: QualityEstimate | None
    """Back: of what was played. There: of what the copies of frames leave of the reported loss; see its note."""


class EchoVerdict(_Reply, frozen=True, tag="echo_verdict"):
    """What a call with an echo peer showed."""

    call: CallId | None
    """None: there was none."""

    did: Did | None
    nickname: str
    ok: bool
    """The voice came back."""

    code: str
    """came_back; nothing_sent, no_packets, no_voice, in_pieces, too_short where it did not."""

    verdict: str
    """A sentence."""

    remedy: str | None
    there: EchoDirection
    """From here to the echo peer."""

    back: EchoDirection
    round_trip_ms: float | None
    """Of packets, by RTCP."""

    sound_round_trip_ms: float | None
    """Of sound: from this microphone through the echo peer to this speaker's queue, less the time for which the echo peer kept it."""

    heard_s: float
    """How much of the voice was found again."""

    found_share: float | None
    """Of the pieces in which there was voice; 0 to 1."""

    level_change_db: float | None
    """How much louder than it was sent the voice came back."""

    pesq_wb: float | None
    """ITU-T P.862.2 of what came back against what was sent, through both directions; 1 to 4.64. None where `pesq` is not installed, or too little came back."""

    pesq_why: str | None = None
    """Why there is none."""


Reply = (
    EchoStarted
    | EchoTestBegun
    | EchoVerdict
    | Status
    | Trace
    | Done
    | Peers
    | OfferPlaced
    | CallAccepted
    | Calls
    | Participants
    | PeerVolumeSet
    | DeviceSet
    | ProcessingSet
    | CodecSet
    | CodecShown
    | ImpairmentShown
    | RtpStatistics
    | Levels
    | Mesh
    | MarkMade
    | StatisticsReset
    | RtpLogState
    | IceServerList
    | RecordingBegun
    | RecordingFiles
    | RecordingStatus
    | RecordingMarked
)
