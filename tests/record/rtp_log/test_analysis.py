"""From rows to figures: what a known log says."""

import tracemalloc
from pathlib import Path

import msgspec
import pytest

from blink_cli.core.analysis.call_analysis import MAX_STREAMS_IN_ALL
from blink_cli.core.analysis.figures import InboundFigures, OutboundFigures
from blink_cli.core.ids import Did
from blink_cli.core.media.media_tap import PlayoutOutcome
from blink_cli.core.media.rtp import ReceptionReport
from blink_cli.record.rtp_log.analysis import MOST_TIMELINES, LogAnalysis, analyse
from blink_cli.record.rtp_log.format import HEADER, LogEvent, LogRow
from blink_cli.record.rtp_log.reader import RtpLogReader
from blink_cli.record.rtp_log.rows import LogRows, Remark
from tests.record.rtp_log_parts import (
    BOB,
    BOBS_SSRC,
    OWN_SSRC,
    WALL_OFFSET_S,
    example_log,
    heard,
    played,
    sent,
)

pytestmark = pytest.mark.no_clock


def streams(found: LogAnalysis) -> tuple[InboundFigures, OutboundFigures]:
    inbound, outbound = found.call.figures()
    assert inbound.inbound is not None
    assert outbound.outbound is not None
    return inbound.inbound, outbound.outbound


def test_the_figures_of_a_known_log(tmp_path: Path) -> None:
    found = analyse(RtpLogReader(example_log(tmp_path / "log.csv")))
    assert found.call_id == "c0ffee00c0ffee00"
    inbound, outbound = streams(found)
    assert (inbound.ssrc, outbound.ssrc) == (BOBS_SSRC, OWN_SSRC)
    assert (inbound.packets_received, inbound.packets_lost, inbound.packets_duplicated) == (17, 3, 1)
    assert inbound.loss.runs == {"1": 1, "2": 1}
    assert inbound.repair is not None
    assert (inbound.repair.played, inbound.repair.recovered, inbound.repair.late) == (16, 1, 1)
    assert inbound.repair.missing.lost == 3  # two lost for good, one late
    assert inbound.concealed_share == pytest.approx(96 / 9600)
    assert inbound.buffer_delay_ms == pytest.approx(60.0)
    assert inbound.round_trip is not None
    assert inbound.round_trip.mean_ms == pytest.approx(20.6)
    assert inbound.quality is not None
    assert (outbound.packets_sent, outbound.mean_redundancy) == (20, 1.0)
    assert outbound.reported is not None
    assert (outbound.reported.packets_lost, outbound.reported.fraction_lost) == (3, 0.125)
    assert outbound.mean_interval_ms == pytest.approx(20.0)


def rows_of(tmp_path: Path, rows: LogRows) -> RtpLogReader:
    path = tmp_path / "log.csv"
    path.write_bytes("\r\n".join([HEADER, *rows.finished(float("inf")), ""]).encode())
    return RtpLogReader(path)


def test_what_came_again_is_counted_apart(tmp_path: Path) -> None:
    rows = LogRows(WALL_OFFSET_S)
    for index in range(20):
        if index in (5, 9):
            rows.take(BOB, msgspec.structs.replace(heard(index), retransmitted=True))
        else:
            rows.take(BOB, heard(index))
        rows.take(BOB, sent(index))
    inbound, _ = streams(analyse(rows_of(tmp_path, rows)))
    assert inbound.packets_retransmitted == 2
    assert (inbound.packets_received, inbound.packets_lost) == (18, 2)
    assert (inbound.packets_duplicated, inbound.packets_reordered) == (0, 0)


@pytest.mark.parametrize("event", [LogEvent.PAUSED, LogEvent.ROWS_LOST])
def test_what_was_not_logged_is_not_lost(tmp_path: Path, event: LogEvent) -> None:
    rows = LogRows(WALL_OFFSET_S)
    for index in (*range(10), *range(60, 70)):
        if index == 60:
            rows.take(None, Remark(event, 11.1, packets=100))
        rows.take(BOB, heard(index))
        rows.take(BOB, sent(index))
    found = analyse(rows_of(tmp_path, rows))
    inbound, outbound = streams(found)
    assert (inbound.packets_received, inbound.packets_lost) == (20, 0)
    # Twice ten packets, with nine intervals each.
    for stream, payload_bytes in (
        (inbound, 80),
        (outbound, 70),
    ):
        assert stream.duration_s == pytest.approx(18 * 0.02)
        assert stream.bitrate_bps == pytest.approx(8 * 20 * payload_bytes / (18 * 0.02), abs=1)
    assert found.duration_s == pytest.approx(69 * 0.02)
    assert found.rows_lost == (100 if event is LogEvent.ROWS_LOST else 0)
    assert found.pauses == (event is LogEvent.PAUSED)


def test_the_timeline_adds_up(tmp_path: Path) -> None:
    rows = LogRows(WALL_OFFSET_S)
    for index in range(500):
        if index % 10:
            rows.take(BOB, heard(index))
            rows.take(BOB, played(index))
        elif index % 20 and index > 20:
            rows.take(BOB, played(index, PlayoutOutcome.RECOVERED))
    found = analyse(rows_of(tmp_path, rows), timelines=True)
    (timeline,) = found.timelines.values()
    moments = [moment for moment in timeline.moments if moment is not None]
    assert len(moments) == len(timeline.moments) == 9
    assert sum(moment.expected for moment in moments) == pytest.approx(450, abs=2)
    assert sum(moment.lost for moment in moments) == pytest.approx(45, abs=2)
    assert sum(moment.recovered for moment in moments) == pytest.approx(21, abs=2)
    assert all(moment.buffer_delay_ms == pytest.approx(60.0, abs=0.01) for moment in moments)
    assert all(moment.level_dbov == -31 for moment in moments)


def test_a_log_that_was_paused_for_a_day_has_one_break(tmp_path: Path) -> None:
    rows = LogRows(WALL_OFFSET_S)
    for index in range(200):
        rows.take(BOB, heard(index, arrival_s=10 + index * 0.02 + (86_400 if index >= 100 else 0)))
    found = analyse(rows_of(tmp_path, rows), timelines=True)
    assert found.duration_s == pytest.approx(86_403.98)
    (timeline,) = found.timelines.values()
    assert [None if moment is None else round(moment.time_s) for moment in timeline.moments] == [
        1,
        2,
        None,
        86_403,
    ]


def test_a_time_that_was_damaged_is_an_unreadable_line(tmp_path: Path) -> None:
    path = example_log(tmp_path / "log.csv")
    good = analyse(RtpLogReader(path))
    path.write_bytes(path.read_bytes().replace(b"\npacket,10.1", b"\npacket,999910.1", 1))
    reader = RtpLogReader(path)
    found = analyse(reader, timelines=True)
    assert reader.rows_unreadable == 1
    assert found.duration_s == good.duration_s


def test_a_report_about_nothing_is_harmless(tmp_path: Path) -> None:
    rows = LogRows(WALL_OFFSET_S)
    rows.take(BOB, ReceptionReport(1, 0.0, 0, 0, 0.0, 1.0, None))
    rows.take(BOB, played(0, PlayoutOutcome.RECOVERED))
    assert analyse(rows_of(tmp_path, rows)).call.figures() == ()


def test_a_log_of_thousands_of_streams_is_told_in_part(tmp_path: Path) -> None:
    rows = (
        LogRow(
            LogEvent.PACKET, 1 + number / 1000, "", Did(f"did:key:z{number % 500}"), direction,
            ssrc=number, sequence=1, payload_bytes=80,
        )
        for number in range(3_000)
        for direction in ("received", "sent")
    )  # fmt: skip
    tracemalloc.start()
    try:
        found = analyse(rows, timelines=True)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    told = len(found.call.figures())
    assert told <= MAX_STREAMS_IN_ALL
    assert told + found.call.streams_forgotten == 6_000
    assert len(found.timelines) == MOST_TIMELINES
    assert peak < 25 << 20


def test_streams_of_one_peer_make_room_for_each_other() -> None:
    found = analyse(
        LogRow(LogEvent.PACKET, 1.0, "", BOB, "received", ssrc=number, sequence=1) for number in range(100)
    )
    assert [one.inbound.ssrc for one in found.call.figures() if one.inbound] == list(range(36, 100))
    assert found.call.streams_forgotten == 36
