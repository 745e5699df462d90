"""How a stream is heard, for the peer that sends it: the VoIP metrics of RFC 3611, section 4.7, from the analysis that this side shows too.

What this program does not measure is left out, and not guessed: noise, echo, and what lies behind another network.
"""

from typing import Final

import msgspec

from blink_cli.core.analysis.e_model import LOOK_AHEAD_MS, WIDEBAND_SCALE, estimate
from blink_cli.core.analysis.loss_pattern import LossFigures
from blink_cli.core.analysis.stream_analysis import StreamAnalysis
from blink_cli.core.media.extended_report import VoipMetrics

DBM0_OF_DBOV: Final = 6.15
"""What 0 dBov is in dBm0 (ITU-T G.100.1)."""


class BufferState(msgspec.Struct, frozen=True):
    """The buffer in which a peer's voice waits, now."""

    nominal_ms: float
    maximum_ms: float
    absolute_maximum_ms: float


def voip_metrics(
    stream: StreamAnalysis,
    unplayed: LossFigures,
    *,
    buffer: BufferState,
    packet_ms: float,
    round_trip_ms: float | None,
) -> VoipMetrics | None:
    """Say how this stream is heard.

    Args:
        stream: What is known of it.
        unplayed: Of it, what was missing after repair.
        buffer: Where it waits.
        packet_ms: Length of this side's own packets.
        round_trip_ms: The last one; None: not measured.

    Returns:
        None before anything is known of what was played.

    """
    if not stream.outcomes_known or not unplayed.packets:
        return None
    discarded = min(stream.discarded, unplayed.packets)
    never_came = unplayed.lost - stream.unrepaired_discards
    with_delay = without_delay = None
    if unplayed.share is not None:
        burst_ratio = unplayed.burst_ratio or 1.0
        without_delay = estimate(lost_share=unplayed.share, burst_ratio=burst_ratio, one_way_delay_ms=0.0)
        if round_trip_ms is not None:
            with_delay = estimate(
                lost_share=unplayed.share,
                burst_ratio=burst_ratio,
                one_way_delay_ms=packet_ms + LOOK_AHEAD_MS + round_trip_ms / 2 + buffer.nominal_ms,
            )
    voice_dbov = stream.voice_level_dbov
    return VoipMetrics(
        ssrc=stream.ssrc,
        loss_rate=max(never_came, 0) / unplayed.packets,
        discard_rate=discarded / unplayed.packets,
        burst_density=unplayed.burst_density or 0.0,
        gap_density=unplayed.gap_density or 0.0,
        burst_duration_ms=round(unplayed.burst_duration_ms or 0.0),
        gap_duration_ms=round(unplayed.gap_duration_ms or 0.0),
        gmin_packets=unplayed.gmin_packets,
        round_trip_ms=None if round_trip_ms is None else max(round(round_trip_ms), 1),
        end_system_delay_ms=round(packet_ms + LOOK_AHEAD_MS + buffer.nominal_ms),
        signal_dbm0=None if voice_dbov is None else round(voice_dbov + DBM0_OF_DBOV),
        r_factor=None if with_delay is None else round(with_delay.r / WIDEBAND_SCALE),
        mos_listening=None if without_delay is None else without_delay.mos,
        mos_conversational=None if with_delay is None else with_delay.mos,
        buffer_nominal_ms=round(buffer.nominal_ms),
        buffer_maximum_ms=round(buffer.maximum_ms),
        buffer_absolute_maximum_ms=round(buffer.absolute_maximum_ms),
    )
