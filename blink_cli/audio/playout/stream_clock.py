"""Makes the wrapping counters of one stream into plain integers, and notices when another stream begins."""

from typing import Final

from blink_cli.core.rtp import RtpPacket, sequence_difference, timestamp_difference
from blink_cli.core.voice import SAMPLE_RATE_HZ

_JUMP_S: Final = 3.0
"""A transit time that differs by more from the last is not jitter: the sender began anew, or was asleep."""

_WITNESSES: Final = 2
"""Packets in a row that must agree on a jump, so that one stray packet does not break a stream."""


class StreamClock:
    """Extended sequence number and timestamp of each packet of one SSRC. Pure."""

    def __init__(self) -> None:
        self._ssrc: int | None = None
        self._former_ssrc: int | None = None
        self._timestamp = 0
        self._sequence = 0
        self._transit_s = 0.0
        self._strays = 0
        self._stray_transit_s = 0.0

    def place(self, packet: RtpPacket) -> tuple[int, int, bool] | None:
        """The packet's (extended timestamp, extended sequence number, whether a new stream begins with it).

        None when it belongs to a former stream or stands alone with its claim of a jump: to be dropped.
        """
        if packet.ssrc != self._ssrc:
            if packet.ssrc == self._former_ssrc and self._strays < _WITNESSES:
                self._strays += 1
                return None
            return self._begin(packet)
        timestamp = self._timestamp + timestamp_difference(packet.timestamp, self._timestamp & 0xFFFFFFFF)
        sequence = self._sequence + sequence_difference(packet.sequence_number, self._sequence & 0xFFFF)
        transit_s = packet.arrival_s - timestamp / SAMPLE_RATE_HZ
        if abs(transit_s - self._transit_s) > _JUMP_S:
            agrees = self._strays and abs(transit_s - self._stray_transit_s) < _JUMP_S
            self._strays = self._strays + 1 if agrees else 1
            self._stray_transit_s = transit_s
            return self._begin(packet) if self._strays >= _WITNESSES else None
        self._strays = 0
        self._transit_s = transit_s
        self._timestamp = max(self._timestamp, timestamp)
        self._sequence = max(self._sequence, sequence)
        return timestamp, sequence, False

    def _begin(self, packet: RtpPacket) -> tuple[int, int, bool]:
        if packet.ssrc != self._ssrc:
            self._former_ssrc = self._ssrc
        self._ssrc = packet.ssrc
        # Counting begins one turn up, so that packets from before the first one stay positive.
        self._timestamp = packet.timestamp + (1 << 32)
        self._sequence = packet.sequence_number + (1 << 16)
        self._transit_s = packet.arrival_s - self._timestamp / SAMPLE_RATE_HZ
        self._strays = 0
        return self._timestamp, self._sequence, True
