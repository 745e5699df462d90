"""Rows: their columns, and how packets and their outcomes meet."""

import csv

import msgspec
import pytest

from blink_cli.core.ids import Did
from blink_cli.core.media.media_tap import PlayoutOutcome
from blink_cli.core.media.red import pack
from blink_cli.record.rtp_log.format import COLUMNS, LogEvent
from blink_cli.record.rtp_log.rows import MOST_STREAMS, OUTCOME_PATIENCE_S, LinkBegan, LogRows, Remark
from tests.record.rtp_log_parts import BOB, WALL_OFFSET_S, copy, example_rows, heard, played, sent

pytestmark = pytest.mark.no_clock

ANN = Did("did:key:z6MkannAnnAnn")


def finished(rows: LogRows, now_s: float) -> list[str]:
    """What a round writes in which nothing new has come."""
    rows.settle()
    return rows.finished(now_s)


def cells(rows: list[str]) -> list[dict[str, str]]:
    return list(csv.DictReader(rows, fieldnames=COLUMNS))


def test_every_row_has_every_column() -> None:
    for row in csv.reader(example_rows()):
        assert len(row) == len(COLUMNS), row


def test_a_received_packet_has_its_row() -> None:
    rows = LogRows(WALL_OFFSET_S)
    rows.take(BOB, heard(7))
    rows.take(BOB, played(7))
    (row,) = cells(finished(rows, 10.2))
    assert {name: value for name, value in row.items() if value} == {
        "event": "packet",
        "time_s": "10.140000",
        "wall_time": "2023-11-14T22:13:30.390000Z",
        "peer": BOB,
        "direction": "received",
        "ssrc": str(0xBBBB0002),
        "sequence": "1",
        "timestamp": "6720",
        "marker": "0",
        "payload_type": "111",
        "payload_bytes": "80",
        "level_dbov": "-31",
        "voice": "1",
        "redundancy": "0",
        "outcome": "played",
        "buffer_ms": "60.000",
    }


def test_payloads_are_kept_up_to_a_number_of_bytes_and_the_end_is_said() -> None:
    rows = LogRows(WALL_OFFSET_S, payload_bytes=200)
    for index in range(4):
        rows.take(BOB, heard(index, payload=b"\xfb" + bytes(79)))  # base64 of it begins as a formula would
    found = cells(finished(rows, 100.0))
    assert [(row["event"], row["payload"][:3], row["octets"]) for row in found] == [
        ("packet", "'+w", ""),
        ("packet", "'+w", ""),
        ("packet", "", ""),
        ("payloads_end", "", "160"),
        ("packet", "", ""),
    ]


def test_rows_are_in_the_order_of_their_times() -> None:
    rows = LogRows(WALL_OFFSET_S)
    rows.take(BOB, sent(50))
    for index in (5, 6, 7):
        rows.take(BOB, heard(index))  # read first, from one socket
        rows.take(BOB, played(index))
    rows.settle()
    for index in (0, 1, 2):
        rows.take(ANN, heard(index))  # and then from another
        rows.take(ANN, played(index))
    assert rows.finished(11.1) == [], "what came since the last round may be earlier"
    found = [(row["peer"], row["direction"]) for row in cells(finished(rows, 11.1))]
    assert found == [(ANN, "received")] * 3 + [(BOB, "received")] * 3 + [(BOB, "sent")]


def test_what_came_before_the_log_began_is_no_part_of_it() -> None:
    rows = LogRows(WALL_OFFSET_S)
    rows.take(None, Remark(LogEvent.CALL_BEGAN, 10.05, "c0ffee00"))
    for index in range(5):
        rows.take(BOB, heard(index))
        rows.take(BOB, played(index))
    assert [row["event"] for row in cells(finished(rows, 11.0))] == ["call_began", "packet", "packet"]


def test_an_outcome_that_overtook_its_packet_is_kept_for_it() -> None:
    rows = LogRows(WALL_OFFSET_S)
    for index in range(1000):  # of packets that came in a pause, say
        rows.take(BOB, played(5000 + index, PlayoutOutcome.LATE))
    rows.take(BOB, played(0))
    rows.take(BOB, heard(0))
    (row,) = cells(finished(rows, 10.0))
    assert (row["outcome"], row["buffer_ms"]) == ("played", "60.000")
    assert len(rows._early) < 1000


def test_sequence_numbers_count_on_across_the_wrap_in_both_directions() -> None:
    rows = LogRows(WALL_OFFSET_S)
    for place, index in enumerate((0, 5, 6, 8, 7)):
        rows.take(BOB, heard(index, arrival_s=10.0 + place))
        rows.take(BOB, msgspec.structs.replace(sent(index), sent_s=10.5 + place))
    numbers = [int(row["sequence"]) for row in cells(finished(rows, 99.0))]
    assert numbers == [n for index in (0, 5, 6, 8, 7) for n in [65_530 + index] * 2]


def test_a_row_waits_for_its_outcome_and_the_rows_behind_it_wait_too() -> None:
    rows = LogRows(WALL_OFFSET_S)
    rows.take(BOB, heard(0))
    rows.take(BOB, sent(0))
    assert finished(rows, 10.1) == []
    rows.take(BOB, played(0))
    assert [row["direction"] for row in cells(finished(rows, 10.1))] == ["received", "sent"]


def test_an_outcome_that_never_comes_is_left_out() -> None:
    rows = LogRows(WALL_OFFSET_S)
    rows.take(BOB, heard(0))
    assert finished(rows, 10 + OUTCOME_PATIENCE_S - 0.01) == []
    (row,) = cells(finished(rows, 10 + OUTCOME_PATIENCE_S + 0.01))
    assert (row["outcome"], row["buffer_ms"]) == ("", "")
    rows.take(BOB, played(0))  # too late to be written
    assert finished(rows, 99.0) == []


@pytest.mark.parametrize("outcome", [PlayoutOutcome.LATE, PlayoutOutcome.DISCARDED, PlayoutOutcome.DUPLICATE])
def test_an_unplayed_packet_has_no_time_in_the_buffer(outcome: PlayoutOutcome) -> None:
    rows = LogRows(WALL_OFFSET_S)
    rows.take(BOB, heard(0))
    rows.take(BOB, played(0, outcome))
    (row,) = cells(finished(rows, 10.2))
    assert (row["outcome"], row["buffer_ms"]) == (outcome.value, "")


def test_a_recovered_frame_has_a_row_of_its_own_with_its_number() -> None:
    rows = LogRows(WALL_OFFSET_S)
    for index in (0, 1, 3, 5):
        rows.take(BOB, heard(index))
    rows.take(BOB, played(2, PlayoutOutcome.RECOVERED))
    rows.take(BOB, played(4, PlayoutOutcome.RECOVERED))
    recovered = [row for row in cells(finished(rows, 99.0)) if row["event"] == "recovered"]
    assert [(row["sequence"], row["timestamp"]) for row in recovered] == [
        ("65532", "1920"),
        ("65534", "3840"),
    ]
    assert {row["outcome"] for row in recovered} == {"recovered"}


def test_a_packet_whose_frame_was_recovered_before_it_came_is_late() -> None:
    rows = LogRows(WALL_OFFSET_S)
    rows.take(BOB, heard(1))
    rows.take(BOB, heard(0, arrival_s=10.3))  # the loop has it, the playout has not
    rows.take(BOB, played(0, PlayoutOutcome.RECOVERED, delay_s=0.31))
    rows.take(BOB, played(0, PlayoutOutcome.LATE))
    rows.take(BOB, played(1))
    found = cells(finished(rows, 10.4))
    assert [(row["event"], row["outcome"]) for row in found] == [
        ("packet", "played"),
        ("packet", "late"),
        ("recovered", "recovered"),
    ]


def test_a_copy_is_a_duplicate_and_finishes_no_row() -> None:
    rows = LogRows(WALL_OFFSET_S)
    rows.take(BOB, heard(0))
    rows.take(BOB, copy(0))
    rows.take(BOB, played(0))
    assert [row["outcome"] for row in cells(finished(rows, 10.6))] == ["played", "duplicate"]


def test_redundant_copies_are_counted_in_red_packets_only() -> None:
    rows = LogRows(WALL_OFFSET_S)
    red = pack(bytes(60), 1920, [(0, bytes(50)), (960, bytes(55))], 111)
    rows.take(BOB, heard(1, payload=red))
    rows.take(BOB, LinkBegan(111, 63, 10.0))
    rows.take(BOB, heard(2, payload=red))
    rows.take(BOB, heard(3, payload=b"\x6f" + bytes(60)))
    packets = [row for row in cells(finished(rows, 99.0)) if row["event"] == "packet"]
    assert [row["redundancy"] for row in packets] == ["0", "2", "0"]


def test_remarks_may_hold_anything() -> None:
    rows = LogRows(WALL_OFFSET_S)
    rows.take(None, Remark(LogEvent.ROWS_LOST, 10.0, 'a, "b"', 17))
    (row,) = cells(finished(rows, 0.0))
    assert (row["event"], row["note"], row["packets"], row["peer"]) == ("rows_lost", 'a, "b"', "17", "")


def test_packets_without_outcomes_take_no_memory() -> None:
    rows = LogRows(WALL_OFFSET_S)
    for index in range(20_000):
        rows.take(BOB, heard(index))
        finished(rows, 10 + index * 0.02)
    assert len(rows) < 200
    assert len(rows._unfinished) < 2000


def test_streams_without_end_are_numbered_in_bounded_space() -> None:
    rows = LogRows(WALL_OFFSET_S)
    for ssrc in range(2_000):
        rows.take(BOB, msgspec.structs.replace(heard(0), ssrc=ssrc))
        rows.take(BOB, msgspec.structs.replace(sent(0), ssrc=ssrc))
    assert len(rows._received) == len(rows._sent) == MOST_STREAMS
