"""RTCP of one link: what both ends tell each other of their streams (RFC 3550, section 6), and the round trip that follows from it.

Pure but for its callbacks: bytes and time come in. Belongs to the event loop.
"""

from collections.abc import Callable
from typing import Final

from blink_cli.core.errors import WireError
from blink_cli.core.media.extended_report import (
    STATISTICS_SUMMARY,
    VOIP_METRICS,
    ExtendedReport,
    VoipMetrics,
    write_extended_report,
)
from blink_cli.core.media.loss_report import LossReport
from blink_cli.core.media.one_way_delay import ClockExchange
from blink_cli.core.media.rtcp import (
    BlockOnWire,
    SenderInfo,
    parse_rtcp,
    write_clock_message,
    write_report,
)
from blink_cli.core.media.rtp import ReceptionReport, SenderReport
from blink_cli.core.media.rtp_receiver import RtpReceiver
from blink_cli.core.media.rtp_sender import RtpSender
from blink_cli.core.media.sent_reports import SentReports, in_plain_units

EXTENDED_EVERY: Final = 5
"""Reports: both blocks are 84 bytes, and all reports together stay below 5 % of what a voice takes (RFC 3550, section 6.2)."""


class RtcpExchange:
    """Writes our reports and reads the peer's, once both directions have their stream."""

    def __init__(
        self,
        sender: RtpSender,
        receiver: RtpReceiver,
        cname: str,
        clocks: ClockExchange,
        *,
        on_sender_report: Callable[[SenderReport], None],
        on_reception_report: Callable[[ReceptionReport], None],
        on_loss_report: Callable[[LossReport], None],
        on_extended_report: Callable[[ExtendedReport], None],
        on_request: Callable[[tuple[int, ...], float], None],
        extended: frozenset[str] = frozenset(),
    ) -> None:
        """Tell nothing yet.

        Args:
            sender: Our stream.
            receiver: The peer's streams.
            cname: Our canonical name (RFC 3550, section 6.5.1).
            clocks: Tells our clock, and compares the peer's.
            on_sender_report: What the peer says of its clock.
            on_reception_report: What the peer says of our stream.
            on_loss_report: The same in more detail, from peers that are blink too.
            on_extended_report: What the peer says of how our stream is heard.
            on_request: Which of our packets, by their numbers on the wire, the peer asks for again, and when that came.
            extended: Which extended reports the peer wants (RFC 3611, section 5.1).

        """
        self.rtt_s: float | None = None
        """The last measured round trip; None before the first."""

        self.voip_metrics: VoipMetrics | None = None
        """How the peer's stream is heard, to be sent with the next extended report; whoever knows it sets it."""

        self._extended = extended
        self._reports_until_extended = EXTENDED_EVERY
        self._on_extended_report = on_extended_report
        self._on_request = on_request
        self._sender = sender
        self._receiver = receiver
        self._cname = cname
        self._clocks = clocks
        self._on_sender_report = on_sender_report
        self._on_reception_report = on_reception_report
        self._on_loss_report = on_loss_report
        self._sent = SentReports()

    def report(self, now_s: float, wall_s: float) -> bytes:
        """Our next compound packet: of what we sent, when anything was, and of what we heard."""
        sender = self._sender
        info = self._sent.next_of(sender, now_s, wall_s)
        report = write_report(sender.ssrc, info, self._receiver.report_blocks(now_s), self._cname)
        report += self._extended_report()
        return report + write_clock_message(sender.ssrc, self._clocks.message(now_s))

    def _extended_report(self) -> bytes:
        """An XR packet when one is due, wanted, and has something to say."""
        self._reports_until_extended -= 1
        if self._reports_until_extended > 0:
            return b""
        self._reports_until_extended = EXTENDED_EVERY
        blocks: list[ExtendedReport] = []
        summary = self._receiver.summary() if STATISTICS_SUMMARY in self._extended else None
        if summary is not None:
            blocks.append(summary)
        metrics, self.voip_metrics = self.voip_metrics, None
        if metrics is not None and VOIP_METRICS in self._extended:
            blocks.append(metrics)
        return write_extended_report(self._sender.ssrc, blocks) if blocks else b""

    def received(self, data: bytes, arrival_s: float) -> bool:
        """Take a compound packet of the peer. Returns whether it says goodbye for one of its streams."""
        receiver = self._receiver
        try:
            contents = parse_rtcp(data)
        except WireError:
            receiver.counters.packets_malformed += 1
            return False
        for sender in contents.senders:
            self._sender_reported(sender, arrival_s)
        for block in contents.blocks:
            if block.ssrc == self._sender.ssrc:
                self._reception_reported(block, arrival_s)
        for loss in contents.loss_reports:
            self._on_loss_report(loss)
        for extended in contents.extended_reports:
            if extended.ssrc == self._sender.ssrc:
                self._on_extended_report(extended)
        for request in contents.requests:
            if request.ssrc == self._sender.ssrc:
                self._sender.counters.nack_count += 1
                self._on_request(request.sequence_numbers, arrival_s)
        for clock in contents.clock_messages:
            self._clocks.received(clock, arrival_s)
        return any(ssrc in receiver.streams or ssrc in receiver.announced for ssrc in contents.goodbyes)

    def _sender_reported(self, sender: SenderInfo, arrival_s: float) -> None:
        self._receiver.sender_reported(sender.ssrc, sender.ntp_timestamp, arrival_s)
        self._on_sender_report(in_plain_units(sender, arrival_s))

    def _reception_reported(self, block: BlockOnWire, arrival_s: float) -> None:
        report = self._sent.answered(block, arrival_s)
        if report.rtt_s is not None:
            self.rtt_s = report.rtt_s
        self._on_reception_report(report)
