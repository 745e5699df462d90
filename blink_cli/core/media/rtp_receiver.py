"""One link's incoming streams: what may pass, and what is counted about it.

    SRTP --> parse --> payload type known? --> SSRC known? --> statistics --> RtpPacket
                            | no                  | no
                            '---- counted, dropped '

The other side is authenticated but not trusted: the table of sources has a cap.
"""

from collections import deque
from dataclasses import dataclass
from typing import Final

from typing_extensions import override

from blink_cli.core.errors import WireError
from blink_cli.core.media import rtx
from blink_cli.core.media.extended_report import StatisticsSummary
from blink_cli.core.media.media_format import MediaFormat
from blink_cli.core.media.reception_statistics import ReceptionStatistics
from blink_cli.core.media.rtcp import BlockOnWire, block_on_wire, middle_bits
from blink_cli.core.media.rtp import RepeatedPacket, RtpPacket
from blink_cli.core.media.rtp_header import clear_ssrc, parse_rtp
from blink_cli.core.media.source_cap import MAX_SOURCES

_REMEMBERED_RESENT: Final = 64
"""Packets that came again: a second time they are not needed."""


@dataclass(slots=True)
class ReceiveCounters:
    """Packets that passed SRTP and were dropped all the same, by reason."""

    packets_malformed: int = 0
    packets_of_unknown_type: int = 0
    packets_of_unknown_source: int = 0
    retransmitted_packets_received: int = 0
    """Packets that came again because they were asked for, those that were not needed any more included. Not among the streams' packets."""

    retransmissions_unneeded: int = 0
    """Of these, how many had come meanwhile."""

    nack_count: int = 0
    """Requests that were sent: RTCP packets, of which each may name many."""

    packets_requested: int = 0
    """Names in them, repetitions included."""


class RtpReceiver:
    """Parses and counts one peer's packets. Belongs to the event loop."""

    def __init__(self, media: MediaFormat, announced_ssrcs: tuple[int, ...]) -> None:
        """Begin to receive.

        Args:
            media: What was agreed.
            announced_ssrcs: The sources of the peer's description; empty to learn them from its packets.

        """
        self.counters = ReceiveCounters()
        self.streams: dict[int, ReceptionStatistics] = {}
        """Per SSRC, in order of appearance."""

        self._opus_type = media.opus
        self.rtx_type: Final = media.rtx
        """What packets of this type carry is another packet (RFC 4588); None where that was not agreed."""

        self._resent: deque[tuple[int, int]] = deque(maxlen=_REMEMBERED_RESENT)
        self._types = {media.opus} if media.red is None else {media.opus, media.red}
        self._level_id = media.level_id
        self._clear_level_id = None if media.encrypted_level_id is not None else media.audio_level_id
        self.announced = frozenset(announced_ssrcs)
        self._last_reports: dict[int, tuple[int, float]] = {}

    @property
    def current(self) -> ReceptionStatistics | None:
        """The stream that was heard last; None before the first packet."""
        heard = [stream for stream in self.streams.values() if stream.last_arrival_s is not None]
        return max(heard, key=lambda stream: stream.last_arrival_s or 0.0, default=None)

    def received(self, data: bytes, arrival_s: float) -> RtpPacket | None:
        """Take one decrypted RTP packet, and return it if it is to be heard: of a known kind and source, and no duplicate."""
        packet = self.read(data, arrival_s)
        if packet is None:
            return None
        if packet.payload_type == self.rtx_type:
            return self.repaired(packet)
        return packet if self.count(packet) else None

    def read(self, data: bytes, arrival_s: float) -> RtpPacket | None:
        """Take one decrypted RTP packet apart, and return it if it is of a known kind. By one thread at a time, whichever it is."""
        try:
            packet = parse_rtp(data, arrival_s, self._level_id)
        except WireError:
            self.counters.packets_malformed += 1
            return None
        if packet.payload_type not in self._types and packet.payload_type != self.rtx_type:
            self.counters.packets_of_unknown_type += 1
            return None
        return packet

    def count(self, packet: RtpPacket) -> bool:
        """Count a packet of a known kind. Returns whether it is to be heard: of a known source, and no duplicate."""
        stream = self.streams.get(packet.ssrc)
        if stream is None:
            stream = self._new_stream(packet.ssrc)
            if stream is None:
                self.counters.packets_of_unknown_source += 1
                return False
        return stream.received(
            packet.sequence_number,
            packet.timestamp,
            packet.arrival_s,
            len(packet.payload),
            marker=packet.marker,
        )

    def repaired(self, packet: RtpPacket) -> RtpPacket | None:
        """The packet that came again in this one, as if it had come over its own stream; None when it is not needed. The stream's statistics know nothing of it."""
        # One voice is one stream; the one that is heard now is repeated.
        stream = self.current
        ssrc = next((ssrc for ssrc, one in self.streams.items() if one is stream), None)
        if stream is None or ssrc is None:
            self.counters.packets_of_unknown_source += 1
            return None
        try:
            number, payload = rtx.unpack(packet.payload)
        except WireError:
            self.counters.packets_malformed += 1
            return None
        self.counters.retransmitted_packets_received += 1
        if stream.has_received(number) or (ssrc, number) in self._resent:
            self.counters.retransmissions_unneeded += 1
            return None
        self._resent.append((ssrc, number))
        return RtpPacket(
            ssrc,
            number,
            packet.timestamp,
            self._opus_type,
            packet.marker,
            payload,
            packet.arrival_s,
            packet.audio_level_dbov,
            packet.voice,
            retransmitted=True,
        )

    def replayed(self, data: bytes, sealing_bytes: int, arrival_s: float) -> RepeatedPacket | None:
        """Count a packet that SRTP refused because it had come before, and return what its clear header says.

        Args:
            data: At least an RTP header; the rest is still sealed.
            sealing_bytes: What SRTP adds to a packet.
            arrival_s: Monotonic.

        Returns:
            None for a copy of nothing that was heard, or with a header that cannot be read.

        """
        stream = self.streams.get(clear_ssrc(data))
        if stream is None:
            self.counters.packets_of_unknown_source += 1
            return None
        try:
            packet = parse_rtp(data, arrival_s, self._clear_level_id)
        except WireError:
            self.counters.packets_malformed += 1
            return None
        stream.duplicated(packet.sequence_number, packet.timestamp, arrival_s, marker=packet.marker)
        return RepeatedPacket(
            packet.ssrc,
            packet.sequence_number,
            packet.timestamp,
            packet.payload_type,
            packet.marker,
            max(len(packet.payload) - sealing_bytes, 0),
            arrival_s,
            packet.audio_level_dbov,
            packet.voice,
        )

    def _new_stream(self, ssrc: int) -> ReceptionStatistics | None:
        if (self.announced and ssrc not in self.announced) or len(self.streams) >= MAX_SOURCES:
            return None
        stream = self.streams[ssrc] = ReceptionStatistics()
        return stream

    # RTCP

    def sender_reported(self, ssrc: int, ntp_timestamp: int, arrival_s: float) -> None:
        """Remember a sender report, for the LSR and DLSR of our next block."""
        if ssrc in self.streams or (len(self._last_reports) < MAX_SOURCES):
            self._last_reports[ssrc] = (middle_bits(ntp_timestamp), arrival_s)

    def summary(self) -> StatisticsSummary | None:
        """Of the stream that was heard last, what came since the previous call; None of nothing."""
        for ssrc, stream in self.streams.items():
            if stream is self.current:
                return stream.summary(ssrc)
        return None

    def report_blocks(self, now_s: float) -> tuple[BlockOnWire, ...]:
        """Our blocks about every stream heard; begins a new interval of each."""
        blocks = []
        for ssrc, stream in self.streams.items():
            last_sr, heard_s = self._last_reports.get(ssrc, (0, now_s))
            blocks.append(block_on_wire(ssrc, stream.report(), last_sr, now_s - heard_s))
        return tuple(blocks)


class PassingReceiver(RtpReceiver):
    """Of a connection that brings the streams of others within its own, where each is counted by itself: of the outer one nobody wants to know more than that it comes."""

    @override
    def count(self, packet: RtpPacket) -> bool:
        """Let it pass; SRTP has refused what came before."""
        del packet
        return True
