"""What an analysis says of a stream of pictures. `rtp-analyze --json` prints these as they stand.

A figure that cannot be had is None. Every unit is in the name.
"""

import msgspec

from blink_cli.core.analysis.figures import ReportedFigures, RoundTripFigures
from blink_cli.core.ids import Did


class FeedbackFigures(msgspec.Struct, frozen=True, kw_only=True):
    """What the receiver of a stream of pictures asked its sender for."""

    nack_count: int
    """Messages that ask for packets (RFC 4585, section 6.2.1)."""

    packets_requested: int
    """Packets that they ask for."""

    pli_count: int
    """Wishes for a key frame, since pictures are missing (RFC 4585, section 6.3.1)."""

    fir_count: int
    """Wishes for a key frame, for somebody new (RFC 5104, section 4.3.1)."""


class InboundVideoFigures(msgspec.Struct, frozen=True, kw_only=True):
    """One stream of pictures as it arrived: one peer, one SSRC."""

    ssrc: int
    duration_s: float
    """From its first packet to its last, less the times in which nobody watched."""

    packets_received: int
    """Each counted once; those that came again because they were asked for are apart."""

    packets_expected: int
    packets_lost: int
    """On the way, before any repair."""

    packets_reordered: int
    packets_repaired: int
    """Lost ones that came again."""

    retransmitted_packets_received: int
    """All that came again, needless ones too."""

    payload_bytes: int
    """Without what came again."""

    bitrate_bps: float | None
    frames_received: int
    """Of which all packets came, be it at last."""

    key_frames_received: int
    """Of these, such as need no other frame."""

    frames_incomplete: int
    """Of which something came, and something is missing."""

    frames_per_second: float | None
    """Complete ones."""

    max_frame_interval_ms: float
    """Longest time between two frames becoming complete: what a viewer sees as a stop, if it is much longer than others."""

    jitter_ms: float
    """Interarrival jitter at the end (RFC 3550, section 6.4.1), at 90 kHz. Packets of a frame have one timestamp, so the spreading of large frames over time is in it."""

    mean_jitter_ms: float
    max_jitter_ms: float
    feedback: FeedbackFigures
    """What we asked for."""


class OutboundVideoFigures(msgspec.Struct, frozen=True, kw_only=True):
    """One stream of pictures as it was sent."""

    ssrc: int
    duration_s: float
    """As above."""

    packets_sent: int
    """For the first time."""

    retransmitted_packets_sent: int
    payload_bytes: int
    """Without what went again."""

    bitrate_bps: float | None
    frames_sent: int
    key_frames_sent: int
    frames_per_second: float | None
    max_frame_interval_ms: float
    """Longest time between the last packets of two frames."""

    feedback: FeedbackFigures
    """What the peer asked for."""

    reported: ReportedFigures | None
    round_trip: RoundTripFigures | None


class VideoStreamFigures(msgspec.Struct, frozen=True, kw_only=True):
    """One stream of pictures of a log."""

    peer: Did
    direction: str
    """received or sent"""

    inbound: InboundVideoFigures | None
    outbound: OutboundVideoFigures | None
