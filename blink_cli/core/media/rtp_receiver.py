"""One link's incoming streams: what may pass, and what is counted about it.

    SRTP --> parse --> payload type known? --> SSRC known? --> statistics --> RtpPacket
                            | no                  | no
                            '---- counted, dropped '

The other side is authenticated but not trusted: the table of sources has a cap.
"""

from dataclasses import dataclass

from blink_cli.core.errors import WireError
from blink_cli.core.media.extended_report import StatisticsSummary
from blink_cli.core.media.media_format import MediaFormat
from blink_cli.core.media.reception_statistics import ReceptionStatistics
from blink_cli.core.media.rtcp import BlockOnWire, block_on_wire, middle_bits
from blink_cli.core.media.rtp import RepeatedPacket, RtpPacket
from blink_cli.core.media.rtp_header import clear_ssrc, parse_rtp
from blink_cli.core.media.source_cap import MAX_SOURCES


@dataclass(slots=True)
class ReceiveCounters:
    """Packets that passed SRTP and were dropped all the same, by reason."""

    packets_malformed: int = 0
    packets_of_unknown_type: int = 0
    packets_of_unknown_source: int = 0


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
        try:
            packet = parse_rtp(data, arrival_s, self._level_id)
        except WireError:
            self.counters.packets_malformed += 1
            return None
        if packet.payload_type not in self._types:
            self.counters.packets_of_unknown_type += 1
            return None
        stream = self.streams.get(packet.ssrc)
        if stream is None:
            stream = self._new_stream(packet.ssrc)
            if stream is None:
                self.counters.packets_of_unknown_source += 1
                return None
        is_new = stream.received(
            packet.sequence_number, packet.timestamp, arrival_s, len(packet.payload), marker=packet.marker
        )
        return packet if is_new else None

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
