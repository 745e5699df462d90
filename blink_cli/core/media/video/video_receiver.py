"""One link's incoming stream of pictures: packets to frames, what is asked for again, and what the sender is told of arrivals.

    packet --> type, source known? --> statistics --> payload --> FrameAssembler --> CodedPicture
                  '--> arrival of its transport-wide number, for the sender's rate
       again (RTX) ------------------------------------^

Pure: no socket, no clock. Belongs to the event loop.
"""

import math
from collections.abc import Callable
from typing import Final

from msgspec.structs import replace

from blink_cli.core.errors import WireError
from blink_cli.core.media import rtx
from blink_cli.core.media.reception_statistics import ReceptionStatistics
from blink_cli.core.media.rtcp import BlockOnWire, block_on_wire, middle_bits
from blink_cli.core.media.rtp import RtpPacket
from blink_cli.core.media.rtp_header import is_rtcp, parse_rtp
from blink_cli.core.media.unwrapper import Unwrapper, sequence_unwrapper
from blink_cli.core.media.video import payload_formats
from blink_cli.core.media.video.coded_picture import CodedPicture
from blink_cli.core.media.video.frame_assembler import FrameAssembler
from blink_cli.core.media.video.key_frame_wish import KeyFrameWish
from blink_cli.core.media.video.missing_packets import MissingPackets
from blink_cli.core.media.video.transport_feedback import MAX_STATUSES, write_feedback
from blink_cli.core.media.video.transport_sequence import transport_sequence
from blink_cli.core.media.video.video_counters import VideoReceiveCounters
from blink_cli.core.media.video.video_format import VIDEO_CLOCK_HZ, VideoFormat, VideoSources

FEEDBACK_EVERY_S: Final = 0.05
"""How often the sender is told of arrivals: often enough to leave a full line within a fifth of a second, 20 small packets a second."""

HOPELESS_S: Final = 0.25
"""Beyond two round trips: what is missing for so long is not awaited alone, a key frame is asked for."""

KEY_MAY_COME_S: Final = 0.15
"""For so long the rest of a key frame is awaited at the beginning of a stream."""


Unseal = Callable[[bytes], bytes | None]


class VideoReceiver:
    """Takes one peer's packets."""

    def __init__(
        self,
        sources: VideoSources,
        media: VideoFormat,
        counters: VideoReceiveCounters,
        unseal: Unseal | None = None,
    ) -> None:
        """Begin to receive.

        Args:
            sources: What the peer announced.
            media: What was agreed.
            counters: Go on being counted.
            unseal: Returns the inner packet of a payload, or None where it is refused; None: payloads come as they are.

        """
        self.inner_reports: list[bytes] = []
        """RTCP that came sealed in the stream; whoever takes it sets it back."""

        self._unseal = unseal
        self.sources = sources
        self.counters = counters
        self.stream = ReceptionStatistics(VIDEO_CLOCK_HZ)
        self.wish = KeyFrameWish()
        self._media = media
        self._missing = MissingPackets()
        self._assembler = FrameAssembler()
        self._transport: Unwrapper | None = None
        self._arrivals: dict[int, float] = {}
        self._told_up_to = 0
        self._feedback_at = math.inf
        self._feedback_count = 0
        self._last_report: tuple[int, float] | None = None
        self._picture_timestamp: int | None = (
            None  # as the sender made it, of the newest packet of pictures that was sealed
        )

    def packet(self, data: bytes, arrival_s: float) -> tuple[RtpPacket, list[CodedPicture]] | None:
        """Take one decrypted packet.

        Returns:
            The packet, as it would be logged, and the frames that can be decoded now. None of one that is not of this stream.

        """
        try:
            packet = parse_rtp(data, arrival_s)
        except WireError:
            self.counters.packets_malformed += 1
            return None
        media, sources = self._media, self.sources
        repaired = media.repaired_by(packet.payload_type) if packet.ssrc == sources.rtx_ssrc else None
        if repaired is None and (packet.ssrc != sources.ssrc or media.numbered(packet.payload_type) is None):
            return None
        self._arrived(data, arrival_s)
        counters = self.counters
        counters.packets_received += 1
        counters.bytes_received += len(packet.payload)
        counters.header_bytes_received += len(data) - len(packet.payload)
        if repaired is not None:
            return self._came_again(packet, repaired.payload_type)
        is_new = self.stream.received(
            packet.sequence_number, packet.timestamp, arrival_s, len(packet.payload), marker=False
        )
        if not is_new:
            return packet, []
        bare = self._bare(packet)
        return None if bare is None else (bare, self._put(bare, again=False))

    def _bare(self, packet: RtpPacket) -> RtpPacket | None:
        """The packet with what is sealed in it: time, marker and payload as its sender made them; None of one that is refused.

        A report is left as an empty packet with the time of the pictures before it: what passes the stream on counts time from
        another beginning, and logs and captures would show a jump.
        """
        if self._unseal is None or not packet.payload:
            return packet
        inner = self._unseal(packet.payload)
        if inner is None:
            return None
        if is_rtcp(inner):
            self.inner_reports.append(inner)
            timestamp = self._picture_timestamp
            return replace(
                packet,
                payload=b"",
                marker=False,
                timestamp=packet.timestamp if timestamp is None else timestamp,
            )
        try:
            made = parse_rtp(inner, packet.arrival_s)
        except WireError:
            self.counters.packets_malformed += 1
            return None
        self._picture_timestamp = made.timestamp
        return replace(packet, timestamp=made.timestamp, marker=made.marker, payload=made.payload)

    def _came_again(
        self, packet: RtpPacket, payload_type: int
    ) -> tuple[RtpPacket, list[CodedPicture]] | None:
        counters = self.counters
        counters.retransmitted_packets_received += 1
        try:
            number, payload = rtx.unpack(packet.payload)
        except WireError:  # browsers fill a line so
            return packet, []
        original = RtpPacket(
            self.sources.ssrc,
            number,
            packet.timestamp,
            payload_type,
            packet.marker,
            payload,
            packet.arrival_s,
            retransmitted=True,
        )
        if self.stream.highest_sequence is None or self.stream.has_received(number):
            counters.retransmissions_unneeded += 1
            return original, []
        bare = self._bare(original)
        return None if bare is None else (bare, self._put(bare, again=True))

    def _put(self, packet: RtpPacket, *, again: bool) -> list[CodedPicture]:
        sequence = self.stream.extended_sequence(packet.sequence_number)
        arrival_s = packet.arrival_s
        self._missing.received(sequence, arrival_s, again=again)
        media = self._media.numbered(packet.payload_type)
        assert media is not None, "others were passed over"
        payload = None
        if packet.payload:
            try:
                payload = payload_formats.read(media.codec, packet.payload)
            except WireError:
                self.counters.packets_malformed += 1
                return []
        assembler = self._assembler
        frames = assembler.put(
            sequence, packet.timestamp, payload, arrival_s, ends=packet.marker, codec=media.codec
        )
        counters = self.counters
        counters.frames_dropped += assembler.dropped
        assembler.dropped = 0
        if frames:
            counters.frames_received += len(frames)
            counters.key_frames_received += sum(frame.is_key for frame in frames)
            self.wish.granted()
            self._missing.forget_before(sequence if assembler.waits_for is None else assembler.waits_for)
        elif assembler.awaits_key:
            # What begins with a frame that needs others will not mend itself; of a key frame the rest may come, or come again.
            hopeless = payload is not None and payload.begins_frame and not payload.begins_key
            self.wish.wish(arrival_s if hopeless else arrival_s + KEY_MAY_COME_S)
        return frames

    def lost_reference(self, now_s: float) -> None:
        """Ask for a key frame: the decoder cannot go on."""
        self._assembler.lose_reference()
        self.wish.wish(now_s)

    # what is asked for

    def look(self, now_s: float, rtt_s: float | None) -> None:
        """Give up what is missing for too long; to be called before `requests` and `asks_key`."""
        self._missing.rtt_s = rtt_s
        if self._assembler.waits_for is not None and self._missing.oldest_s(now_s) > HOPELESS_S + 2 * (
            rtt_s or 0.0
        ):
            self.wish.wish(now_s)

    def requests(self, now_s: float) -> tuple[int, ...]:
        """The numbers, 0 to 65535, of packets to ask for now."""
        numbers = self._missing.due(now_s) if self._media.nack else ()
        if numbers:
            self.counters.nack_count += 1
            self.counters.packets_requested += len(numbers)
        return tuple(number & 0xFFFF for number in numbers)

    @property
    def next_at(self) -> float:
        """When there is something to ask for or to tell next; infinite when there is not."""
        missing_at = self._missing.next_at() if self._media.nack else math.inf
        return min(missing_at, self.wish.next_at, self._feedback_at)

    # what the sender is told

    def _arrived(self, data: bytes, arrival_s: float) -> None:
        element = self._media.transport_sequence_id
        number = None if element is None else transport_sequence(data, element)
        if number is None:
            return
        if self._transport is None:
            self._transport = sequence_unwrapper(number)
            self._told_up_to = self._transport.highest
        self._arrivals[self._transport.unwrap(number)] = arrival_s
        if self._feedback_at == math.inf:
            self._feedback_at = arrival_s + FEEDBACK_EVERY_S

    def feedback(self, now_s: float, ssrc: int) -> bytes | None:
        """What to tell of arrivals now; None while it is not due."""
        transport = self._transport
        if now_s < self._feedback_at or transport is None or not self._arrivals:
            return None
        self._feedback_at = math.inf
        arrivals, self._arrivals = self._arrivals, {}
        first = max(min(*arrivals, self._told_up_to), transport.highest + 1 - MAX_STATUSES)
        told = [arrivals.get(number) for number in range(first, transport.highest + 1)]
        self._told_up_to = transport.highest + 1
        if all(arrival_s is None for arrival_s in told):
            return None
        self._feedback_count = (self._feedback_count + 1) & 0xFF
        return write_feedback(ssrc, self.sources.ssrc, first, told, self._feedback_count)

    def sender_reported(self, ntp_timestamp: int, arrival_s: float) -> None:
        """Remember a sender report, for our next block."""
        self._last_report = (middle_bits(ntp_timestamp), arrival_s)

    def report_blocks(self, now_s: float) -> tuple[BlockOnWire, ...]:
        """Our block about the stream; none before its first packet."""
        if self.stream.highest_sequence is None:
            return ()
        last_sr, heard_s = self._last_report or (0, now_s)
        return (block_on_wire(self.sources.ssrc, self.stream.report(), last_sr, now_s - heard_s),)
