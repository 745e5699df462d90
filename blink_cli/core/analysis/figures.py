"""What an analysis says of a stream. `rtp-analyze --json` and the `analysis` of `rtp-stats --json` print these as they stand.

A figure that cannot be had is None. Shares are 0 to 1; every other unit is in the name.
"""

import msgspec
from msgspec import structs

from blink_cli.core.analysis.e_model import QualityEstimate
from blink_cli.core.analysis.loss_pattern import LossFigures
from blink_cli.core.ids import Did


class RepairFigures(msgspec.Struct, frozen=True, kw_only=True):
    """What the playout made of the packets, where it told so."""

    played: int
    recovered: int
    """Frames whose own packet was missing when due, and that a redundant copy or FEC replaced."""

    late: int
    """Packets that came after their time."""

    discarded: int
    """Packets that came in time and were dropped."""

    missing: LossFigures
    """Packets whose frame was neither played nor recovered: lost, late or discarded. RFC 3611 counts its bursts and gaps like this."""


class DriftFigures(msgspec.Struct, frozen=True, kw_only=True):
    """How much faster the sender's sample clock runs than this machine's, with a 95 % confidence interval."""

    ppm: float
    low_ppm: float
    high_ppm: float


class RoundTripFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Round trips by sender and receiver reports (RFC 3550, section 6.4.1)."""

    measurements: int
    last_ms: float
    mean_ms: float
    max_ms: float


class InboundFigures(msgspec.Struct, frozen=True, kw_only=True):
    """One stream as it arrived: one peer, one SSRC."""

    ssrc: int
    duration_s: float
    """From its first packet to its last, less the times in which nobody watched: from the packet before each to the one after."""

    packets_received: int
    """Each counted once."""

    packets_expected: int
    packets_lost: int
    packets_duplicated: int
    packets_reordered: int
    """Arrived after one with a higher number (RFC 4737)."""

    packets_retransmitted: int = 0
    """That came again because they were asked for (RFC 4588), each counted once; in none of the other figures: the line lost them."""

    restarts: int
    """How often the sender began anew at another place in its sequence."""

    payload_bytes: int
    bitrate_bps: float | None
    jitter_ms: float | None
    """Interarrival jitter at the end (RFC 3550, section 6.4.1). It and what else needs the clock rate is None in a foreign capture that does not tell it."""

    mean_jitter_ms: float | None
    max_jitter_ms: float | None
    mean_delta_ms: float
    max_delta_ms: float
    """Longest time between two arrivals in order, ends of pauses left out."""

    skew_ms: float | None
    """How much later than by its first packet and its RTP time the last packet came; drift and a longer way look alike here."""

    max_skew_ms: float | None
    """The largest of them, either way, with its sign."""

    clock_drift: DriftFigures | None
    loss: LossFigures
    """On the way, before any repair."""

    repair: RepairFigures | None
    """None when nothing is known of the playout."""

    concealed_share: float | None
    """Of the sound that was played."""

    buffer_delay_ms: float | None
    """Mean time from a packet's arrival to the playing of its frame."""

    max_buffer_delay_ms: float | None
    round_trip: RoundTripFigures | None
    sending_delay_ms: float | None = None
    """Mean time from the first sample of a packet at the sender's microphone to its sending: device, filters, the frame that has to be full, encoder. By the sender's reports."""

    mean_level_dbov: float | None
    """Mean of the audio levels while there was voice, or of all where the voice flag is never set; RFC 6464."""

    quality: QualityEstimate | None
    """None without round trip, buffer delay or outcomes."""

    def without_clock(self) -> "InboundFigures":
        """The same where nobody knows at which rate RTP time ran."""
        return structs.replace(
            self,
            jitter_ms=None,
            mean_jitter_ms=None,
            max_jitter_ms=None,
            skew_ms=None,
            max_skew_ms=None,
            clock_drift=None,
            sending_delay_ms=None,
            loss=structs.replace(self.loss, burst_duration_ms=None, gap_duration_ms=None),
        )


class ReportedFigures(msgspec.Struct, frozen=True, kw_only=True):
    """What the receiver of our stream reported of it (RFC 3550, section 6.4.1); before its repair."""

    reports: int
    packets_lost: int
    """Cumulative, of the last report."""

    fraction_lost: float
    """Of the last report."""

    max_fraction_lost: float
    jitter_ms: float
    max_jitter_ms: float


class OutboundFigures(msgspec.Struct, frozen=True, kw_only=True):
    """One stream as it was sent."""

    ssrc: int
    duration_s: float
    """From its first packet to its last, less the times in which nobody watched: from the packet before each to the one after."""

    packets_sent: int
    payload_bytes: int
    bitrate_bps: float | None
    mean_redundancy: float
    """Copies of earlier frames for each packet."""

    mean_interval_ms: float
    max_interval_ms: float
    """Longest time between two packets, ends of pauses left out: how evenly this side sends."""

    reported: ReportedFigures | None
    round_trip: RoundTripFigures | None


class StreamFigures(msgspec.Struct, frozen=True, kw_only=True):
    """One stream of a log."""

    peer: Did
    direction: str
    """received or sent"""

    inbound: InboundFigures | None
    outbound: OutboundFigures | None
