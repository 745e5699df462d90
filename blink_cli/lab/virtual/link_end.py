"""One end of the link between two sessions in virtual time: what `MediaLink` and `ParticipantMedia` do, without ICE, DTLS, SRTP and the event loop.

frame --> RedundancyPolicy --> RtpSender --> line          line --> RtpReceiver --> SinkTrack, TalkingDetector
                 ^--- reports --- RtcpExchange <-- line        LossReporter --> line
"""

import random
from typing import Final

from blink_cli.app.media.participant_media import PLAN_LASTS_S
from blink_cli.core.media.codec_settings import CodecSettings
from blink_cli.core.media.extended_report import ExtendedReport
from blink_cli.core.media.loss_report import LossReport
from blink_cli.core.media.loss_reporter import LossReporter
from blink_cli.core.media.media_format import MediaFormat
from blink_cli.core.media.one_way_delay import ClockExchange, MachineClock
from blink_cli.core.media.redundancy_policy import RedundancyPlan, RedundancyPolicy
from blink_cli.core.media.rtcp import write_loss_report
from blink_cli.core.media.rtcp_exchange import RtcpExchange
from blink_cli.core.media.rtp import EncodedFrame, ReceptionReport, RtpPacket, SenderReport
from blink_cli.core.media.rtp_receiver import RtpReceiver
from blink_cli.core.media.rtp_sender import RtpSender
from blink_cli.core.media.side_health import WELL, SideHealth
from blink_cli.lab.virtual.line import VirtualLine
from blink_cli.net.link_settings import LinkSettings

MEDIA: Final = MediaFormat(opus=96, red=63, audio_level_id=1)

_WALL_S: Final = 3.9e9
"""NTP time at the scenario's beginning: some moment."""

_REPORTS: Final = LinkSettings(addresses=())


class LinkEnd:
    """Made when a link comes to stand, and left when it goes."""

    def __init__(self, codec: CodecSettings, line: VirtualLine, rng: random.Random, now_s: float) -> None:
        """Begin a stream.

        Args:
            codec: Of the voice that is sent.
            line: Takes what is sent.
            rng: Draws SSRC, first sequence number and the spread of reports.
            now_s: When the link stands.

        """
        self.line = line
        self._rng = rng
        self._policy = RedundancyPolicy(codec.redundancy, fec=codec.fec)
        self._sender = RtpSender(rng.randrange(1, 1 << 32), rng.randrange(1 << 15), MEDIA)
        self.receiver = RtpReceiver(MEDIA, ())
        self._exchange = RtcpExchange(
            self._sender,
            self.receiver,
            "lab",
            ClockExchange(lambda: MachineClock(0.0, None)),
            on_sender_report=_nothing,
            on_reception_report=self._told,
            on_loss_report=self._told,
            on_extended_report=_nothing,
        )
        self._loss_reporter = LossReporter()
        self.plan: RedundancyPlan = self._policy.plan(now_s)
        self._planned_s = float("-inf")
        self._report_at = now_s + _REPORTS.first_report_s
        self._now_s = now_s
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
            self._sender.redundancy = self.plan.red_levels
        made = self._sender.packet(frame, now_s)
        if made is None:  # too long; counted by the sender
            return
        data, told = made
        self._sender.went_out(frame, told)
        self.line.send_rtp(data, told.payload_bytes, now_s)

    def report(self, now_s: float) -> None:
        """Send the RTCP report that is due, if one is."""
        if now_s >= self._report_at:
            self.line.send_rtcp(self._exchange.report(now_s, _WALL_S + now_s), now_s)
            self._report_at = now_s + _REPORTS.report_interval_s * self._rng.uniform(0.75, 1.25)

    def report_losses(self, report: LossReport, now_s: float) -> None:
        """Tell how the peer's stream is lost, when that is due."""
        if self._loss_reporter.due(report, now_s):
            self.line.send_rtcp(write_loss_report(self._sender.ssrc, report), now_s)

    def received(self, data: bytes, arrival_s: float) -> RtpPacket | None:
        """Take a packet of the peer's voice; None if it is not to be heard."""
        return self.receiver.received(data, arrival_s)

    def reported(self, data: bytes, arrival_s: float) -> None:
        """Take a report of the peer."""
        self._now_s = arrival_s
        self._exchange.received(data, arrival_s)

    def _told(self, report: LossReport | ReceptionReport) -> None:
        self._planned_s = float("-inf")  # a new plan before the next frame
        if isinstance(report, LossReport):
            self.other_health = report.health
            self._policy.on_loss_report(report, self._now_s)
        else:
            self._policy.on_reception_report(report, self._now_s)


def _nothing(_report: SenderReport | ExtendedReport) -> None:
    """Only recordings want to know the peer's clock, and no scenario asks how the peer says that it hears."""
