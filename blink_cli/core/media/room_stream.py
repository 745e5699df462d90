"""One participant's stream as it comes through a room, once opened: its own RTP and RTCP packets, as a link of its own would have brought them.

    inner packet --> read: numbered so that what was not listened to is no loss --> RtpPacket --> count: RtpReceiver
             '-----> rtcp: sender reports, and what it says of our stream

A room brings a stream only while it has a slot. Its sequence goes on meanwhile; here the numbers go on where they were left, and the timestamp alone
shows the time between, as behind a pause. Pure. What reads voice, `read` and `left`, is called by one thread at a time, whichever it is; the rest belongs to the event loop.
"""

from typing import Final

from msgspec.structs import replace

from blink_cli.core.errors import WireError
from blink_cli.core.media.media_format import MediaFormat
from blink_cli.core.media.reception_statistics import ReceptionStatistics
from blink_cli.core.media.room import RoomFeed
from blink_cli.core.media.rtcp import BlockOnWire, parse_rtcp
from blink_cli.core.media.rtp import ReceptionReport, RtpPacket, SenderReport
from blink_cli.core.media.rtp_receiver import ReceiveCounters, RtpReceiver
from blink_cli.core.media.sent_reports import SentReports, in_plain_units
from blink_cli.core.media.source_cap import MAX_SOURCES
from blink_cli.core.media.unwrapper import SEQUENCE_MASK

INNER_LEVEL_ID: Final = 1
"""Under which id the inner packets carry the level (RFC 6464): nobody negotiates it."""


class RoomStream:
    """Of one publishing of one participant."""

    def __init__(self, feed: RoomFeed, *, own_ssrc: int, sent: SentReports) -> None:
        """Hear nothing yet.

        Args:
            feed: What it tells of it.
            own_ssrc: Of our stream, of which it reports.
            sent: When our sender reports went out: its answers tell the round trip.

        """
        self.feed: Final = feed
        self.media_format: Final = MediaFormat(feed.opus, feed.red, INNER_LEVEL_ID)
        self.last_heard_s: float | None = None
        """Monotonic arrival of the last authentic packet; None before the first."""

        self.rtt_s: float | None = None
        """From here through the room to the participant and back; None before it was measured."""

        self._own_ssrc = own_ssrc
        self._sent = sent
        self._receiver = RtpReceiver(self.media_format, ())
        self._shift = 0
        self._last_sequence: int | None = None
        self._left = False
        self._sources: set[int] = set()

    @property
    def streams(self) -> dict[int, ReceptionStatistics]:
        """Statistics by SSRC."""
        return dict(self._receiver.streams)

    @property
    def reception(self) -> ReceptionStatistics | None:
        """Those of what was heard last; None before the first packet."""
        return self._receiver.current

    @property
    def receive_counters(self) -> ReceiveCounters:
        """Authentic packets that were dropped."""
        return self._receiver.counters

    def left(self) -> None:
        """The slot brings somebody else from now on: what is not heard until it has one again is not lost."""
        self._left = self._last_sequence is not None

    def report_blocks(self, now_s: float) -> tuple[BlockOnWire, ...]:
        """What to tell it of its stream; begins a new interval."""
        return self._receiver.report_blocks(now_s)

    def read(self, inner: bytes, arrival_s: float) -> RtpPacket | None:
        """Take an inner RTP packet apart, and return it if it is to be played: what sealed it lets nothing pass twice."""
        packet = self._receiver.read(inner, arrival_s)
        if packet is None or not self._admits(packet.ssrc):
            return None
        sequence = packet.sequence_number
        if self._left:
            assert self._last_sequence is not None, "something was heard"
            self._left = False
            self._shift = (self._last_sequence + 1 - sequence) & SEQUENCE_MASK
        if self._shift:
            sequence = (sequence + self._shift) & SEQUENCE_MASK
            packet = replace(packet, sequence_number=sequence)
        if self._last_sequence is None or (sequence - self._last_sequence) & SEQUENCE_MASK < _HALF:
            self._last_sequence = sequence
        return packet

    def _admits(self, ssrc: int) -> bool:
        """Whether it is one of the few sources that one sender has."""
        if ssrc not in self._sources:
            if len(self._sources) >= MAX_SOURCES:
                self._receiver.counters.packets_of_unknown_source += 1
                return False
            self._sources.add(ssrc)
        return True

    def count(self, packet: RtpPacket) -> bool:
        """Count a packet that was read. Returns whether it is no duplicate."""
        self.last_heard_s = packet.arrival_s
        return self._receiver.count(packet)

    def rtcp(self, inner: bytes, arrival_s: float) -> tuple[SenderReport | ReceptionReport, ...]:
        """Take an inner RTCP packet, and return what it says of its stream's clock and of ours."""
        try:
            contents = parse_rtcp(inner)
        except WireError:
            self._receiver.counters.packets_malformed += 1
            return ()
        self.last_heard_s = arrival_s
        told: list[SenderReport | ReceptionReport] = []
        for sender in contents.senders:
            self._receiver.sender_reported(sender.ssrc, sender.ntp_timestamp, arrival_s)
            told.append(in_plain_units(sender, arrival_s))
        told.extend(
            self._report(block, arrival_s) for block in contents.blocks if block.ssrc == self._own_ssrc
        )
        return tuple(told)

    def _report(self, block: BlockOnWire, arrival_s: float) -> ReceptionReport:
        report = self._sent.answered(block, arrival_s)
        if report.rtt_s is not None:
            self.rtt_s = report.rtt_s
        return report


_HALF: Final = 0x8000
