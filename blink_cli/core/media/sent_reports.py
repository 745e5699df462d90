"""What our sender reports say, and when they went out: an answer to one tells the round trip (RFC 3550, section 6.4.1).

A report block of the other side becomes a `ReceptionReport` here, its sender report a `SenderReport`: in plain units, however the packet came.
"""

from collections import OrderedDict
from typing import Final

from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.core.media.rtcp import BlockOnWire, SenderInfo, middle_bits, ntp_seconds, ntp_timestamp
from blink_cli.core.media.rtp import ReceptionReport, SenderReport
from blink_cli.core.media.rtp_sender import RtpSender

MAX_REMEMBERED_REPORTS: Final = 16
"""Sender reports whose answer still tells the round trip: 16 s at one a second."""


class SentReports:
    """Of one stream. Pure."""

    def __init__(self, clock_rate_hz: int = SAMPLE_RATE_HZ) -> None:
        """Remember none; of a stream whose timestamps run at this rate."""
        self._clock_rate_hz = clock_rate_hz
        self._sent_s: OrderedDict[int, float] = OrderedDict()

    def add(self, ntp: int, now_s: float) -> None:
        """A sender report with this NTP timestamp goes out now (monotonic)."""
        self._sent_s[middle_bits(ntp)] = now_s
        if len(self._sent_s) > MAX_REMEMBERED_REPORTS:
            self._sent_s.popitem(last=False)

    def next_of(self, sender: RtpSender, now_s: float, wall_s: float) -> SenderInfo | None:
        """What the report that goes out now (monotonic, and seconds since 1970) says of this stream; None while nothing of it was sent. Its clock's interval begins anew."""
        rtp_now = sender.clock.timestamp(now_s)
        if rtp_now is None:
            return None
        ntp, counters = ntp_timestamp(wall_s), sender.counters
        self.add(ntp, now_s)
        sender.clock.next_interval()
        return SenderInfo(sender.ssrc, ntp, rtp_now, counters.packets_sent, counters.bytes_sent)

    def answered(self, block: BlockOnWire, arrival_s: float) -> ReceptionReport:
        """What a block about this stream says, with the round trip if it answers a report that is remembered."""
        return ReceptionReport(
            ssrc=block.ssrc,
            fraction_lost=block.fraction_lost / 256,
            packets_lost=block.packets_lost,
            highest_sequence=block.highest_sequence,
            jitter_s=block.jitter_ticks / self._clock_rate_hz,
            arrival_s=arrival_s,
            rtt_s=self._round_trip_s(block, arrival_s),
        )

    def _round_trip_s(self, block: BlockOnWire, arrival_s: float) -> float | None:
        # Our own monotonic clock on both ends: a wall clock that is set in between does not matter.
        sent_s = self._sent_s.get(block.last_sr)
        if sent_s is None:
            return None
        return max(arrival_s - sent_s - block.delay_since_last_sr / 65536, 0.0)


def in_plain_units(sender: SenderInfo, arrival_s: float) -> SenderReport:
    """What the other side's sender report says."""
    return SenderReport(
        ssrc=sender.ssrc,
        ntp_s=ntp_seconds(sender.ntp_timestamp),
        rtp_timestamp=sender.rtp_timestamp,
        packet_count=sender.packet_count,
        octet_count=sender.octet_count,
        arrival_s=arrival_s,
    )
