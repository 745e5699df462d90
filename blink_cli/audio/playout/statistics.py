"""What the playout buffer counts, and what it tells about each packet."""

from collections.abc import Callable
from typing import TypeAlias

import msgspec

from blink_cli.core.media.media_tap import PlayoutOutcome

PlayoutObserver: TypeAlias = Callable[[int, int, PlayoutOutcome], None]
"""Called on the playout thread with (SSRC, RTP timestamp 0 to 2^32 - 1, outcome); must not block or raise.

The timestamp names the packet: each packet has one frame of its own. LATE and DUPLICATE can follow another outcome of it.
"""


class PlayoutStatistics(msgspec.Struct, frozen=True):
    """Counters since the buffer was made, and gauges of now.

    Source: W3C webrtc-stats, RTCInboundRtpStreamStats; samples are at 48 kHz.
    """

    total_samples_received: int
    """Samples that left the buffer or were skipped, concealed ones included; silence between streams is not counted."""

    concealed_samples: int
    """Samples of what was sent that were not heard: something was made up in their place, or they were skipped."""

    silent_concealed_samples: int
    """Of those, samples of silence or comfort noise."""

    concealment_events: int
    """Runs of concealed samples."""

    skipped_samples: int
    """Of the concealed ones, those in whose place nothing was played: they had waited too long, and play went on behind them."""

    inserted_samples_for_deceleration: int
    removed_samples_for_acceleration: int

    jitter_buffer_delay_s: float
    """Sum over all emitted samples of the time each waited: divide by `jitter_buffer_emitted_count`."""

    jitter_buffer_target_delay_s: float
    """The same sum for the target."""

    jitter_buffer_emitted_count: int
    packets_received: int
    packets_discarded: int
    """Packets that came too late, or were dropped unplayed."""

    packets_duplicated: int
    packets_recovered: int
    """Frames that a redundant copy, a retransmission, FEC or DRED replaced in time."""

    packets_recovered_by_redundancy: int
    packets_recovered_by_retransmission: int
    packets_recovered_by_fec: int
    packets_recovered_by_dred: int
    """Made of what later packets tell of them, by a network."""

    packets_lost: int
    """Packets that never came, before any repair, by sequence numbers."""

    packets_undecodable: int
    """Payloads that were not Opus or RED."""

    delay_ms: float
    """How long after its earliest possible arrival a sample is played now."""

    target_delay_ms: float
