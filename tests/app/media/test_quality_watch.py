"""The watch on a call's media: what a user hears of a bad line, of silence and of a loud microphone."""

import time
from dataclasses import dataclass, field

import pytest
from msgspec.structs import replace

from blink_cli.app.media.media_readings import PeerReading, SourceReading
from blink_cli.app.media.quality_watch import CLIPPING_AFTER_S, NO_AUDIO_AFTER_S, QualityWatch
from blink_cli.core.analysis.culprit import Culprit
from blink_cli.core.api.events import (
    AudioDegraded,
    AudioDisturbed,
    AudioRecovered,
    Event,
    StreamDirection,
    StreamFailed,
    StreamProblem,
    StreamRestored,
)
from blink_cli.core.ids import CallId, Did
from blink_cli.core.media.media_tap import FramePlayed, PlayoutOutcome
from blink_cli.core.media.reception_statistics import ReceptionStatistics
from blink_cli.core.media.rtp import ReceptionReport, RepeatedPacket, RtpPacket
from blink_cli.core.media.side_health import SideHealth

pytestmark = pytest.mark.no_clock

OWN, BOB = Did("did:key:own"), Did("did:key:bob")
GOOD = PeerReading(BOB, 0, 0, 0, 0, 60.0, None, 0.02)


@dataclass
class Line:
    """A call with bob, a second at a time."""

    told: list[Event] = field(default_factory=list)
    second: int = 0
    sequence: int = 0
    reading: PeerReading = GOOD
    source: SourceReading = field(default_factory=lambda: SourceReading(0, 0))

    def __post_init__(self) -> None:
        self.streams = {(BOB, 7): ReceptionStatistics()}
        self.watch = QualityWatch(OWN, self.told.append, lambda peer, ssrc: self.streams.get((peer, ssrc)))
        self.watch.media_began(CallId("c0ffee"))
        self.watch.link_connected(BOB, 111, 63)

    def run(
        self,
        seconds: int,
        *,
        lost_every: int = 0,
        concealed: float = 0.0,
        received: bool = True,
        stands: bool = True,
        sent: bool = True,
        clipped: int = 0,
        remote: ReceptionReport | None = None,
    ) -> list[Event]:
        """What was told while so many seconds went by."""
        before = len(self.told)
        for _ in range(seconds):
            for index in range(50 if received else 0):
                self.sequence += 1
                if lost_every and index % lost_every == 0:
                    continue
                self.packet(self.sequence, self.second + index * 0.02)
            self.second += 1
            self.reading = replace(
                self.reading,
                packets_sent=self.reading.packets_sent + (50 if sent else 0),
                concealed_samples=self.reading.concealed_samples + int(48_000 * concealed),
                total_samples=self.reading.total_samples + 48_000,
                remote=remote,
            )
            self.source = SourceReading(self.source.frames + 50, self.source.clipped_frames + clipped)
            self.watch.look((self.reading,) if stands else (), self.source, float(self.second))
        return self.told[before:]

    def packet(self, sequence: int, arrival_s: float) -> None:
        packet = RtpPacket(
            7, sequence & 0xFFFF, sequence * 960, 111, marker=False, payload=bytes(80), arrival_s=arrival_s
        )
        self.streams[BOB, 7].received(
            packet.sequence_number, packet.timestamp, arrival_s, len(packet.payload)
        )
        self.watch.packet_received(BOB, packet)
        self.watch.played(FramePlayed(BOB, 7, sequence * 960, PlayoutOutcome.PLAYED))


def test_a_good_line_is_no_news() -> None:
    assert Line().run(60) == []


def test_a_line_that_loses_what_nothing_repairs_is_told_once_and_recovers_once() -> None:
    line = Line()
    disturbed, degraded = line.run(20, lost_every=8, concealed=0.12)
    # Who did it is known before it has lasted.
    assert isinstance(disturbed, AudioDisturbed)
    assert (disturbed.did, disturbed.culprit) == (BOB, Culprit.NETWORK_IN)
    assert line.watch.disturbance(BOB) is not None
    assert isinstance(degraded, AudioDegraded)
    assert (degraded.did, degraded.direction) == (BOB, StreamDirection.INBOUND)
    assert degraded.culprit is Culprit.NETWORK_IN
    assert "12% of the sound is concealed" in degraded.reason
    (recovered,) = line.run(20)
    assert isinstance(recovered, AudioRecovered)
    assert recovered.direction is StreamDirection.INBOUND
    assert recovered.lasted_s is not None


def test_what_the_peer_reports_is_told_of_the_other_direction() -> None:
    report = ReceptionReport(1, 0.3, 100, 1000, 0.005, 0.0)
    line = Line()
    (degraded,) = line.run(10, remote=report)
    assert isinstance(degraded, AudioDegraded)
    assert degraded.direction is StreamDirection.OUTBOUND
    assert "30% of your packets are lost" in degraded.reason
    assert degraded.culprit is Culprit.NETWORK_OUT


def test_whose_own_machine_stands_still_does_not_blame_the_network_for_what_the_peer_reports() -> None:
    line = Line()
    line.reading = replace(line.reading, own_health=SideHealth(machine_late_ms=400))
    (degraded,) = line.run(10, remote=ReceptionReport(1, 0.3, 100, 1000, 0.005, 0.0))
    assert isinstance(degraded, AudioDegraded)
    assert degraded.culprit is Culprit.SENDER_MACHINE


def test_a_peer_that_is_silent_is_told_once_and_when_it_is_back() -> None:
    line = Line()
    line.run(2)
    (failed,) = line.run(int(3 * NO_AUDIO_AFTER_S), received=False)
    assert isinstance(failed, StreamFailed)
    assert (failed.did, failed.problem) == (BOB, StreamProblem.NOTHING_RECEIVED)
    (restored,) = line.run(5)
    assert restored == StreamRestored(did=BOB, problem=StreamProblem.NOTHING_RECEIVED)


def test_a_stream_whose_numbers_jump_is_told_once_and_when_it_is_whole() -> None:
    line = Line()
    line.run(3)
    told: list[Event] = []
    for _ in range(200):
        line.sequence += 1_000
        packet = RtpPacket(
            7, line.sequence & 0xFFFF, line.sequence * 960 & 0xFFFFFFFF, 111, marker=False, payload=bytes(40),
            arrival_s=float(line.second),
        )  # fmt: skip
        line.streams[BOB, 7].received(packet.sequence_number, packet.timestamp, packet.arrival_s, 40)
        line.watch.packet_received(BOB, packet)
        if line.sequence % 20_000 < 1_000:
            told += line.run(1)
    broken = [one for one in told if isinstance(one, StreamFailed)]
    assert [(one.did, one.problem) for one in broken] == [(BOB, StreamProblem.BROKEN_STREAM)]
    assert broken[0].reason.startswith("broken stream")
    assert StreamRestored(did=BOB, problem=StreamProblem.BROKEN_STREAM) in line.run(8)


def test_a_line_that_is_lost_is_not_judged() -> None:
    line = Line()
    line.run(5)
    assert line.run(20, received=False, stands=False, concealed=1.0) == []
    assert line.run(5) == []
    (failed,) = line.run(8, received=False)
    assert isinstance(failed, StreamFailed)


def test_a_microphone_that_sends_nothing_is_told_once() -> None:
    line = Line()
    line.run(2)
    (failed,) = line.run(int(3 * NO_AUDIO_AFTER_S), sent=False)
    assert isinstance(failed, StreamFailed)
    assert (failed.did, failed.problem) == (OWN, StreamProblem.NOTHING_SENT)
    assert line.run(3) == [StreamRestored(did=OWN, problem=StreamProblem.NOTHING_SENT)]


def test_a_microphone_that_clips_for_long_is_told_once() -> None:
    line = Line()
    line.run(2)
    assert line.run(2, clipped=20) == []
    line.run(5)
    (failed,) = line.run(int(3 * CLIPPING_AFTER_S), clipped=20)
    assert isinstance(failed, StreamFailed)
    assert (failed.did, failed.problem) == (OWN, StreamProblem.CLIPPING)
    assert line.run(6) == [StreamRestored(did=OWN, problem=StreamProblem.CLIPPING)]


def test_the_end_of_a_link_ends_its_problems_without_a_word() -> None:
    line = Line()
    line.run(20, lost_every=8, concealed=0.12)
    line.watch.link_ended(BOB)
    line.watch.look((), None, 30.0)
    assert len(line.told) == 2
    line.watch.link_connected(BOB, 111, 63)
    assert line.run(20) == []


def test_figures_are_those_of_the_analyser() -> None:
    line = Line()
    line.run(4, lost_every=10)
    line.streams[BOB, 7].duplicated(190, 190 * 960, 4.0)
    line.watch.reported(BOB, ReceptionReport(9, 0.0, 0, 0, 0.001, time.monotonic(), 0.03))
    figures = line.watch.analysis(BOB)
    assert figures is not None
    assert figures.packets_received == 180
    assert figures.packets_lost == 19  # the very first one was never known
    assert figures.packets_duplicated == 1
    assert figures.repair is not None
    assert figures.repair.missing.lost == 19
    assert figures.round_trip is not None
    assert figures.round_trip.mean_ms == 30.0
    assert line.watch.analysis(Did("did:key:nobody")) is None


def test_a_new_link_is_counted_anew_though_its_stream_has_the_same_name() -> None:
    line = Line()
    line.run(4, lost_every=10)
    line.watch.link_ended(BOB)
    line.packet(line.sequence + 1, 4.0)  # nobody listens any more
    line.streams[BOB, 7] = ReceptionStatistics()
    line.watch.link_connected(BOB, 111, 63)
    assert line.watch.analysis(BOB) is None
    line.run(2)
    figures = line.watch.analysis(BOB)
    assert figures is not None
    assert (figures.packets_received, figures.packets_lost) == (100, 0)


def test_a_packet_of_a_link_that_was_replaced_is_no_figure() -> None:
    line = Line()
    line.run(2)
    line.watch.link_connected(BOB, 111, 63)
    del line.streams[BOB, 7]
    line.watch.packet_received(BOB, RtpPacket(7, 1, 960, 111, marker=False, payload=b"", arrival_s=2.0))
    assert line.watch.analysis(BOB) is None


def test_a_new_call_begins_anew() -> None:
    line = Line()
    line.run(4)
    line.watch.media_ended()
    assert line.watch.analysis(BOB) is None


def test_an_analysis_from_now_on_counts_from_zero_and_judges_on() -> None:
    line = Line()
    _, degraded = line.run(20, lost_every=8, concealed=0.12)
    assert isinstance(degraded, AudioDegraded)

    line.watch.begin_anew()
    assert line.watch.analysis(BOB) is None
    assert line.run(5, lost_every=8, concealed=0.12) == [], "what lasts is told once"
    figures = line.watch.analysis(BOB)
    assert figures is not None
    assert figures.duration_s == pytest.approx(5, abs=0.1)
    assert (figures.packets_received, figures.packets_lost) == (5 * 43, 5 * 7 - 1)
    assert line.streams[BOB, 7].packets_received == 25 * 43, "what the peer is told counts on"

    copy = RepeatedPacket(
        7, line.sequence & 0xFFFF, line.sequence * 960, 111, marker=False, payload_bytes=80, arrival_s=24.99
    )
    line.watch.packet_repeated(BOB, copy)
    figures = line.watch.analysis(BOB)
    assert figures is not None
    assert figures.packets_duplicated == 1
