"""RTCP between two ends of a link, in given time: reports come across, round trips are measured, nonsense is counted."""

from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from blink_cli.core.media.extended_report import (
    STATISTICS_SUMMARY,
    VOIP_METRICS,
    ExtendedReport,
    StatisticsSummary,
    VoipMetrics,
)
from blink_cli.core.media.loss_report import LossReport
from blink_cli.core.media.media_format import MediaFormat
from blink_cli.core.media.one_way_delay import ClockExchange, MachineClock
from blink_cli.core.media.rtcp import write_goodbye
from blink_cli.core.media.rtcp_exchange import EXTENDED_EVERY, RtcpExchange
from blink_cli.core.media.rtp import EncodedFrame, ReceptionReport, SenderReport
from blink_cli.core.media.rtp_receiver import RtpReceiver
from blink_cli.core.media.rtp_sender import RtpSender
from blink_cli.core.media.sent_reports import MAX_REMEMBERED_REPORTS

pytestmark = pytest.mark.no_clock

MEDIA = MediaFormat(opus=111, red=63, audio_level_id=1)
WALL_S = 1_700_000_000.0


@dataclass
class End:
    """One end, without a network."""

    ssrc: int
    heard: list[SenderReport] = field(default_factory=list)
    told: list[ReceptionReport] = field(default_factory=list)
    losses: list[LossReport] = field(default_factory=list)
    extended: list[ExtendedReport] = field(default_factory=list)
    asked: list[tuple[int, ...]] = field(default_factory=list)
    wanted_of_it: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        self.sender = RtpSender(self.ssrc, 100, MEDIA)
        self.receiver = RtpReceiver(MEDIA, ())
        self.reports = RtcpExchange(
            self.sender,
            self.receiver,
            "name",
            ClockExchange(lambda: MachineClock(WALL_S, None)),
            on_sender_report=self.heard.append,
            on_reception_report=self.told.append,
            on_loss_report=self.losses.append,
            on_extended_report=self.extended.append,
            on_request=lambda numbers, _at_s: self.asked.append(numbers),
            extended=self.wanted_of_it,
        )

    def speak(self, frames: int, to: "End", now_s: float) -> None:
        for index in range(frames):
            frame = EncodedFrame(bytes(40), 960 * index, 960)
            made = self.sender.packet(frame, now_s + 0.02 * index)
            assert made is not None
            self.sender.went_out(frame, made[1])
            to.receiver.received(made[0], now_s + 0.02 * index + 0.03)


def test_what_was_sent_is_reported_and_its_answer_measures_the_round_trip() -> None:
    a, b = End(1), End(2)
    a.speak(50, b, 10.0)
    assert not b.reports.received(a.reports.report(11.0, WALL_S), 11.04)
    (report,) = b.heard
    assert (report.ssrc, report.packet_count, report.octet_count) == (1, 50, 2000)
    assert report.ntp_s == pytest.approx(WALL_S + 2_208_988_800, abs=1e-6)
    a.reports.received(b.reports.report(11.54, WALL_S + 99), 11.60)  # the wall clocks need not agree
    (answer,) = a.told
    assert (answer.ssrc, answer.packets_lost, answer.fraction_lost) == (1, 0, 0.0)
    assert answer.rtt_s == pytest.approx(0.1, abs=0.001)
    assert a.reports.rtt_s == answer.rtt_s
    assert b.reports.rtt_s is None


def test_an_end_that_has_said_nothing_reports_only_what_it_heard() -> None:
    a, b = End(1), End(2)
    a.speak(3, b, 10.0)
    a.reports.received(b.reports.report(11.0, WALL_S), 11.0)
    assert a.heard == []
    assert [report.rtt_s for report in a.told] == [None]


def test_an_answer_to_a_report_that_is_forgotten_measures_nothing() -> None:
    a, b = End(1), End(2)
    a.speak(3, b, 10.0)
    b.reports.received(a.reports.report(11.0, WALL_S), 11.0)
    for second in range(1, MAX_REMEMBERED_REPORTS + 1):
        a.reports.report(11.0 + second, WALL_S + second)
    a.reports.received(b.reports.report(40.0, WALL_S), 40.0)
    assert a.told[-1].rtt_s is None


def test_only_the_goodbye_of_a_known_stream_counts() -> None:
    a, b = End(1), End(2)
    a.speak(3, b, 10.0)
    assert not b.reports.received(write_goodbye(77), 11.0)
    assert b.reports.received(write_goodbye(1), 11.0)


def test_nonsense_is_counted() -> None:
    a = End(1)
    assert not a.reports.received(b"\x80\xc8\xff", 1.0)
    assert a.receiver.counters.packets_malformed == 1


HEARD = VoipMetrics(
    ssrc=1,
    loss_rate=0.0,
    discard_rate=0.25,
    burst_density=0.0,
    gap_density=0.0,
    burst_duration_ms=0,
    gap_duration_ms=20,
    gmin_packets=16,
)


def test_extended_reports_go_to_who_asked_for_them_and_seldom() -> None:
    a, b = End(1), End(2, wanted_of_it=frozenset({VOIP_METRICS, STATISTICS_SUMMARY}))
    a.speak(50, b, 10.0)
    sizes = []
    for second in range(2 * EXTENDED_EVERY):
        if second == 0:
            b.reports.voip_metrics = HEARD
        data = b.reports.report(11.0 + second, WALL_S)
        sizes.append(len(data))
        a.reports.received(data, 11.0 + second)
    summary, heard = a.extended  # the second time there is nothing new to say
    assert heard == HEARD
    assert summary == StatisticsSummary(1, 100, 150, 0, 0, 0, 0, 0, 0)
    assert max(sizes) - min(sizes) == 8 + 40 + 36
    assert 8 * sum(sizes) / len(sizes) < 0.05 * 48_000  # bits a second, of a voice with its headers
    b.reports.voip_metrics = VoipMetrics(**{**_fields(HEARD), "ssrc": 3})
    for second in range(EXTENDED_EVERY):
        a.reports.received(b.reports.report(31.0 + second, WALL_S), 31.0 + second)
    assert len(a.extended) == 2  # of another stream than ours


def test_who_asked_for_no_extended_reports_gets_none() -> None:
    a, b = End(1), End(2)
    a.speak(50, b, 10.0)
    b.reports.voip_metrics = HEARD
    sizes = {len(b.reports.report(11.0 + second, WALL_S)) for second in range(2 * EXTENDED_EVERY)}
    assert len(sizes) == 1


def _fields(metrics: VoipMetrics) -> dict[str, Any]:
    return msgspec.structs.asdict(metrics)
