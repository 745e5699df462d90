"""Second reading of a capture: every stream's figures, ours and Wireshark's.

    RTP   ──> StreamAnalysis, as for our own logs ; Wireshark40Table, Wireshark44Table
    RTCP  ──> sender reports: the sender's clock ; report blocks: what the receiver says, and the round trip

A round trip is from where the capture was made to the receiver and back: a report says which sender report it answers, and how long it waited (RFC 3550, section 6.4.1).
"""

from collections.abc import Callable, Iterable
from typing import Final

from blink_cli.core.analysis.capture_figures import CaptureStream, SenderClockFigures
from blink_cli.core.analysis.figures import ReportedFigures
from blink_cli.core.analysis.round_trips import RoundTrips
from blink_cli.core.analysis.stream_analysis import StreamAnalysis
from blink_cli.core.analysis.wireshark_table import Wireshark40Table, Wireshark44Table
from blink_cli.core.errors import WireError
from blink_cli.core.media.rtcp import BlockOnWire, SenderInfo, middle_bits, ntp_seconds, parse_rtcp
from blink_cli.core.media.rtp import RtpPacket
from blink_cli.core.media.unwrapper import timestamp_difference
from blink_cli.core.text.utc_text import utc_text_of
from blink_cli.record.capture.datagrams import Datagram, LeftOut, datagram_of
from blink_cli.record.capture.frames import Frame
from blink_cli.record.capture.repeats import Repeats
from blink_cli.record.capture.rtp_packets import (
    CapturedPacket,
    StreamKey,
    endpoint_text,
    flow_of,
    is_rtcp_like,
    rtp_of,
)
from blink_cli.record.capture.survey import PayloadTypes

_NS: Final = 1_000_000_000
_NTP_TO_UNIX_S: Final = 2_208_988_800
_REMEMBERED_REPORTS: Final = 16
"""Of one sender: a receiver answers one of the last few."""

_LONGEST_ROUND_TRIP_S: Final = 60.0
_MOST_OF_ONE_SOURCE: Final = 4
"""Streams of one SSRC and address, between different ports, that a report is about."""

Listener = Callable[[CapturedPacket, float], None]
"""Is told every packet of a stream but copies, in the order of the file, with its time in seconds since 1970."""


def milliseconds(interval_ns: int) -> float:
    """As Wireshark computes them, so that sums of them end in the same digits."""
    seconds, rest = divmod(abs(interval_ns), _NS)
    value = seconds * 1000 + rest / 1_000_000
    return value if interval_ns >= 0 else -value


def time_text(at_ns: int) -> str | None:
    """ISO 8601 in UTC; None for what no calendar has."""
    try:
        return utc_text_of(at_ns / _NS) if at_ns else None
    except (ValueError, OverflowError, OSError):
        return None


class _Stream:
    """One stream while it is read."""

    def __init__(self, key: StreamKey, types: PayloadTypes) -> None:
        self.key = key
        self.types = types
        self.clock_rate_hz = types.clock_rate_hz
        self.analysis = StreamAnalysis(key.ssrc, clock_rate_hz=types.clock_rate_hz or 1)
        self.table_4_0 = Wireshark40Table(types.wireshark_rates_hz)
        self.table_4_4 = Wireshark44Table(types.wireshark_rates_hz)
        self.cut_off = 0
        self.first_timestamp: int | None = None
        self.reports: dict[int, int] = {}
        """When the sender's last reports passed, by the middle bits of their NTP time."""

        self.sender_reports = 0
        self.sender_info: SenderInfo | None = None
        self.blocks = 0
        self.last_block: BlockOnWire | None = None
        self.max_fraction = 0.0
        self.max_jitter_ticks = 0
        self.round_trips = RoundTrips()

    def packet(self, packet: RtpPacket, at_ms: float) -> bool:
        """Take one; return whether it is no copy."""
        if self.first_timestamp is None:
            self.first_timestamp = packet.timestamp
        for table in (self.table_4_0, self.table_4_4):
            table.packet(
                packet.sequence_number, packet.timestamp, packet.payload_type, at_ms, marker=packet.marker
            )
        return self.analysis.packet(
            packet.sequence_number,
            packet.timestamp,
            packet.arrival_s,
            len(packet.payload),
            marker=packet.marker,
            level_dbov=packet.audio_level_dbov,
            voice=packet.voice,
        )

    def sender_reported(self, info: SenderInfo, at_ns: int, at_s: float) -> None:
        self.sender_reports += 1
        self.sender_info = info
        self.reports[middle_bits(info.ntp_timestamp)] = at_ns
        if len(self.reports) > _REMEMBERED_REPORTS:
            del self.reports[next(iter(self.reports))]
        self.analysis.sender_reported(info.rtp_timestamp, at_s)

    def reported(self, block: BlockOnWire, at_ns: int) -> None:
        self.blocks += 1
        self.last_block = block
        self.max_fraction = max(self.max_fraction, block.fraction_lost / 256)
        self.max_jitter_ticks = max(self.max_jitter_ticks, block.jitter_ticks)
        sent_ns = self.reports.get(block.last_sr) if block.last_sr else None
        if sent_ns is not None:
            round_trip_s = (at_ns - sent_ns) / _NS - block.delay_since_last_sr / 65_536
            # Clocks of two machines are rounded: a way of nothing may come out as less.
            if -0.001 <= round_trip_s <= _LONGEST_ROUND_TRIP_S:
                self.round_trips.measured(max(round_trip_s, 0.0))

    def figures(self, retransmits: int | None) -> CaptureStream:
        flow = self.key.flow
        inbound = self.analysis.figures(self.round_trips.figures())
        if self.clock_rate_hz is None:
            inbound = inbound.without_clock()
        return CaptureStream(
            source=endpoint_text(flow.source, flow.source_port),
            target=endpoint_text(flow.target, flow.target_port),
            ssrc=self.key.ssrc,
            payload_types=self.types.figures,
            encrypted=self.types.encrypted,
            packets_cut_off=self.cut_off,
            inbound=inbound,
            reported=self._reported(),
            sender_clock=self._sender_clock(),
            retransmits=retransmits,
            tshark_4_0=self.table_4_0.figures(),
            tshark_4_4=self.table_4_4.figures(),
        )

    def _reported(self) -> ReportedFigures | None:
        block, rate_hz = self.last_block, self.clock_rate_hz
        if block is None or rate_hz is None:
            return None
        return ReportedFigures(
            reports=self.blocks,
            packets_lost=block.packets_lost,
            fraction_lost=block.fraction_lost / 256,
            max_fraction_lost=self.max_fraction,
            jitter_ms=round(1000 * block.jitter_ticks / rate_hz, 6),
            max_jitter_ms=round(1000 * self.max_jitter_ticks / rate_hz, 6),
        )

    def _sender_clock(self) -> SenderClockFigures | None:
        info, first, rate_hz = self.sender_info, self.first_timestamp, self.clock_rate_hz
        if info is None or first is None or rate_hz is None:
            return None
        at_s = ntp_seconds(info.ntp_timestamp) - _NTP_TO_UNIX_S
        began_s = at_s + timestamp_difference(first, info.rtp_timestamp) / rate_hz
        began_at = time_text(round(began_s * _NS))
        return (
            None if began_at is None else SenderClockFigures(reports=self.sender_reports, began_at=began_at)
        )


class CaptureAnalysis:
    """What a capture says of its streams."""

    def __init__(self, streams: dict[StreamKey, PayloadTypes]) -> None:
        """Analyse these."""
        self._streams = {key: _Stream(key, types) for key, types in streams.items()}
        self._by_source: dict[tuple[bytes, int], list[_Stream]] = {}
        for key, stream in self._streams.items():
            same = self._by_source.setdefault((key.flow.source, key.ssrc), [])
            if len(same) < _MOST_OF_ONE_SOURCE:
                same.append(stream)
        self._repeats = Repeats()
        self._level_ids = {key.flow: types.audio_level_id for key, types in streams.items()}
        self.first_ns = 0
        self.last_ns = 0

    def read(self, frames: Iterable[Frame], listener: Listener = lambda _, __: None) -> None:
        """Take every frame, once. `listener` is told the packets of the streams. Raises what reading raises."""
        first_ns: int | None = None
        for frame in frames:
            if first_ns is None:
                first_ns = self.first_ns = frame.at_ns
            self.last_ns = max(self.last_ns, frame.at_ns)
            datagram = datagram_of(frame)
            if isinstance(datagram, LeftOut):
                continue
            at_ns = frame.at_ns - first_ns
            found = rtp_of(datagram, at_ns / _NS, self._level_ids.get(flow_of(datagram)))
            if found is not None:
                stream = self._streams.get(found.key)
                if stream is not None:
                    is_new = stream.packet(found.packet, milliseconds(at_ns))
                    self._repeats.packet(found.key, found.packet, stream.clock_rate_hz)
                    stream.cut_off += not found.is_whole
                    if is_new:
                        listener(found, frame.at_ns / _NS)
            elif is_rtcp_like(datagram.payload):
                self._take_reports(datagram, at_ns)

    def figures(self) -> dict[StreamKey, CaptureStream]:
        """All streams, in the order of their first packets. To be called once."""
        repeated = self._repeats.found()
        for key, of in repeated.items():
            self._streams[of].analysis.retransmitted(self._streams[key].analysis.statistics.packets_received)
        return {
            key: stream.figures(repeated[key].ssrc if key in repeated else None)
            for key, stream in self._streams.items()
        }

    def _take_reports(self, datagram: Datagram, at_ns: int) -> None:
        try:
            contents = parse_rtcp(datagram.payload)
        except WireError:
            return  # encrypted, or cut off
        for info in contents.senders:
            for stream in self._by_source.get((datagram.source, info.ssrc), ()):
                stream.sender_reported(info, at_ns, at_ns / _NS)
        for block in contents.blocks:
            for stream in self._by_source.get((datagram.target, block.ssrc), ()):
                stream.reported(block, at_ns)
