"""One end of the link between two sessions in virtual time: what `MediaLink` and `ParticipantMedia` do, without ICE, DTLS, SRTP and the event loop.

frame --> RedundancyPolicy --> RtpSender --> line          line --> RtpReceiver --> SinkTrack, TalkingDetector
                 ^--- reports --- RtcpExchange <-- line        LossReporter --> line
"""

import random
from collections.abc import Callable
from typing import Final

from blink_cli.app.media.participant_media import PLAN_LASTS_S
from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.core.media.codec_settings import CodecSettings
from blink_cli.core.media.extended_report import STATISTICS_SUMMARY, ExtendedReport
from blink_cli.core.media.loss_report import LossReport
from blink_cli.core.media.loss_reporter import LossReporter
from blink_cli.core.media.media_format import MediaFormat
from blink_cli.core.media.one_way_delay import ClockExchange, MachineClock
from blink_cli.core.media.redundancy_policy import RedundancyPlan, RedundancyPolicy
from blink_cli.core.media.retransmission_asker import RetransmissionAsker
from blink_cli.core.media.rtcp import write_loss_report
from blink_cli.core.media.rtcp_exchange import RtcpExchange
from blink_cli.core.media.rtp import EncodedFrame, ReceptionReport, RtpPacket, SenderReport
from blink_cli.core.media.rtp_receiver import RtpReceiver
from blink_cli.core.media.rtp_sender import RetransmissionStream, RtpSender
from blink_cli.core.media.side_health import WELL, SideHealth
from blink_cli.core.media.voice_sent import VoiceSent
from blink_cli.lab.virtual.line import VirtualLine
from blink_cli.net.ice.stun_socket import COPIES_AFTER_S
from blink_cli.net.link_settings import LinkSettings

MEDIA: Final = MediaFormat(opus=96, red=63, audio_level_id=1, nack=True, rtx=62)

WALL_S: Final = 1_767_225_600.0
"""Seconds since 1970 at the scenario's beginning: the first moment of 2026, UTC."""

_REPORTS: Final = LinkSettings(addresses=())


class LinkEnd:
    """Made when a link comes to stand, and left when it goes."""

    def __init__(
        self,
        codec: CodecSettings,
        line: VirtualLine,
        rng: random.Random,
        now_s: float,
        *,
        checked_rtt_s: float,
        on_report: Callable[[SenderReport | ReceptionReport], None],
    ) -> None:
        """Begin a stream.

        Args:
            codec: Of the voice that is sent.
            line: Takes what is sent.
            rng: Draws SSRC, first sequence number and the spread of reports.
            now_s: When the link stands.
            checked_rtt_s: The round trip as ICE's checks found it.
            on_report: Told what the peer says of its clock, and of our stream.

        """
        self.line = line
        self._rng = rng
        self._policy = RedundancyPolicy(codec)
        ssrc, first = rng.randrange(1, 1 << 32), rng.randrange(1 << 15)
        self._sender = RtpSender(
            ssrc, first, MEDIA, retransmissions=RetransmissionStream(ssrc ^ 1, first ^ 1)
        )
        self._policy.peer_asks()
        # A longer one is not known: the answer may be that to a check which was said again.
        self._checked_rtt_s = checked_rtt_s if checked_rtt_s < COPIES_AFTER_S[0] else None
        if self._checked_rtt_s is not None:
            self._policy.round_trip(self._checked_rtt_s)
        self.receiver = RtpReceiver(MEDIA, ())
        self._asker = RetransmissionAsker(ssrc, self.receiver, MEDIA)
        self._exchange = RtcpExchange(
            self._sender,
            self.receiver,
            f"{rng.randrange(1 << 32):08x}",
            ClockExchange(lambda: MachineClock(0.0, None)),
            on_sender_report=on_report,
            on_reception_report=self._told,
            on_loss_report=self._told,
            on_extended_report=_nothing,
            extended=frozenset({STATISTICS_SUMMARY}),
            on_request=self._asked_for,
        )
        self._on_report = on_report
        self._loss_reporter = LossReporter()
        self.plan: RedundancyPlan = self._policy.plan(now_s)
        self._planned_s = float("-inf")
        self._report_at = now_s + _REPORTS.first_report_s
        self._now_s = now_s
        self._last: tuple[float, int, float] | None = None
        """When the newest packet left, its bytes, and how much sound it holds."""

        self.other_health: SideHealth = WELL
        """The last word of the other side."""

    @property
    def rtt_s(self) -> float | None:
        """The round trip of the last report."""
        return self._exchange.rtt_s

    @property
    def jitter_s(self) -> float | None:
        """Of what comes; None before the first packet."""
        current = self.receiver.current
        return None if current is None else current.jitter_s

    def send(self, frame: EncodedFrame, now_s: float) -> None:
        """Send one frame, with the copies that the line needs."""
        if now_s - self._planned_s >= PLAN_LASTS_S:
            self._planned_s = now_s
            self.plan = self._policy.plan(now_s)
            self._sender.redundancy, self._sender.full_copies = self.plan.red_levels, self.plan.full_copies
            self._sender.sent_twice = self.plan.sent_twice
        made = self._sender.packet(frame, now_s)
        if made is None:  # too long; counted by the sender
            return
        data, told = made
        self._sender.went_out(frame, told)
        self._last = (now_s, len(data), frame.duration_samples / SAMPLE_RATE_HZ)
        self.line.send_rtp(data, told.payload_bytes, now_s)
        for again in self._sender.unasked():
            self.line.send_again(again, now_s)

    @property
    def voice_sent(self) -> VoiceSent | None:
        """What went out by now, as pictures need to know; None before the first frame."""
        if self._last is None:
            return None
        last_at, last_bytes, every_s = self._last
        counters = self._sender.counters
        return VoiceSent(
            last_at,
            last_bytes,
            every_s,
            counters.packets_sent + counters.retransmitted_packets_sent,
            counters.bytes_sent + counters.header_bytes_sent + counters.retransmitted_bytes_sent,
        )

    @property
    def known_rtt_s(self) -> float | None:
        """The round trip of the last report; that of ICE's checks before the first."""
        return self._checked_rtt_s if self.rtt_s is None else self.rtt_s

    def report(self, now_s: float) -> None:
        """Send the RTCP report that is due, if one is."""
        if now_s >= self._report_at:
            self.line.send_rtcp(self._exchange.report(now_s, WALL_S + now_s), now_s)
            self._report_at = now_s + _REPORTS.report_interval_s * self._rng.uniform(0.75, 1.25)

    def report_losses(self, report: LossReport, now_s: float) -> None:
        """Tell how the peer's stream is lost, when that is due."""
        if self.receiver.current is not None and self._loss_reporter.due(report, now_s):
            self.line.send_rtcp(write_loss_report(self._sender.ssrc, report), now_s)

    def received(self, data: bytes, arrival_s: float) -> RtpPacket | None:
        """Take a packet of the peer's voice; None if it is not to be heard."""
        packet = self.receiver.received(data, arrival_s)
        if packet is not None:
            self._asker.packet(packet)
        return packet

    @property
    def ask_at(self) -> float:
        """When there is something to ask for again next; infinite while nothing is missing."""
        return self._asker.next_at

    def ask(self, now_s: float) -> None:
        """Ask for what is missing now."""
        request = self._asker.request(now_s, self.known_rtt_s)
        if request is not None:
            self.line.send_rtcp(request, now_s)

    def reported(self, data: bytes, arrival_s: float) -> None:
        """Take a report of the peer."""
        self._now_s = arrival_s
        self._exchange.received(data, arrival_s)

    def _asked_for(self, sequence_numbers: tuple[int, ...], now_s: float) -> None:
        if not self._policy.answers(now_s):
            return
        for packet in self._sender.asked_for(sequence_numbers, now_s):
            self._policy.sent_again(now_s)
            self.line.send_again(packet, now_s)

    def _told(self, report: LossReport | ReceptionReport) -> None:
        self._planned_s = float("-inf")  # a new plan before the next frame
        if isinstance(report, LossReport):
            self.other_health = report.health
            self._policy.on_loss_report(report, self._now_s)
        else:
            self._policy.on_reception_report(report, self._now_s)
            self._on_report(report)


def _nothing(_report: ExtendedReport) -> None:
    """No scenario asks how the peer says that it hears."""
