"""Replies with the figures of a call, per peer and direction."""

import msgspec

from blink_cli.core.analysis.culprit import Disturbance
from blink_cli.core.analysis.figures import InboundFigures
from blink_cli.core.api.replies.devices import DeviceFigures
from blink_cli.core.api.replies.document import ReplyPart, WholeReply
from blink_cli.core.api.replies.impairment import ImpairmentState
from blink_cli.core.api.replies.loudness import Loudness
from blink_cli.core.api.replies.paths import MediaPath, RefusedInRoom
from blink_cli.core.api.replies.video import VideoSent, VideoStatistics
from blink_cli.core.ids import CallId, Did
from blink_cli.core.media.clock_message import Method
from blink_cli.core.media.extended_report import StatisticsSummary, VoipMetrics


class RefusedByKind(ReplyPart, frozen=True, rename="camel"):
    """Datagrams that a link's ports refused, by what they looked like (RFC 7983). What the kernel dropped during a flood is not among them."""

    stun: int
    """Neither a check of this peer's nor an answer to one of ours."""

    dtls: int
    """From an address that has not proved to be the peer's, or faster than a handshake can be."""

    srtp: int
    """Forged, changed, recorded, or of a source or payload type that was not agreed."""

    other: int
    """Nothing that belongs here, or cut off."""


class Inbound(ReplyPart, frozen=True, rename="camel"):
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

    nack_count: int = 0
    """Requests that were sent for packets that did not come (RFC 4585); each may name many."""

    retransmitted_packets_received: int = 0
    """Packets that came again because they were asked for. They are not in `packetsReceived`: what the line lost stays lost in it, and those that were played are
    in `packetsRecovered`."""

    analysis: InboundFigures | None = None
    """Of the stream that is heard now, as `rtp-analyze` prints it; its fields are not in camel case. A reconnect begins another stream, and so does `stats reset`, of totals too."""

    disturbance: Disturbance | None = None
    """Who damages this voice now; None while it is whole. Its fields are not in camel case."""


class Remote(ReplyPart, frozen=True, rename="camel"):
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


class Outbound(ReplyPart, frozen=True, rename="camel"):
    """Our stream to one peer."""

    packets_sent: int
    bytes_sent: int
    """Payload octets, as in RTCP sender reports."""

    bitrate: float | None
    """Payload bits a second over the last seconds; None before the first figure."""

    redundancy_levels: int
    remote: Remote | None
    nack_count: int = 0
    """Requests that came for packets that were lost on the way there."""

    retransmitted_packets_sent: int = 0
    """Packets that went again because they were asked for; not in `packetsSent`, which is what RTCP reports are about."""

    retransmitted_bytes_sent: int = 0
    """Their payload octets; not in `bytesSent`."""


class OneWay(ReplyPart, frozen=True):
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


class PeerStatistics(ReplyPart, frozen=True):
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

    video: VideoStatistics | None = None
    """Of its pictures and of those that it is sent, as in `status --json`; None where nobody showed anything."""


class RtpStatistics(WholeReply, frozen=True, tag="rtp_statistics"):
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

    refused_in_room: RefusedInRoom | None = None
    """Of all participants together: whose they are meant to be cannot be known. Null: from an older build."""

    shown_in_room: VideoSent | None = None
    """This session's pictures that go to a room of an SFU, once for all in it; null: none do, or an older build says nothing of it."""

    since: str | None = None
    """From when on it is counted, by `stats reset`: ISO 8601, UTC. Null: from when each link was made first."""


class StatisticsReset(WholeReply, frozen=True, tag="statistics_reset"):
    """The figures of the current call are counted from now on."""

    call: CallId
    since: str
    """ISO 8601, UTC."""

    ok: bool = True
