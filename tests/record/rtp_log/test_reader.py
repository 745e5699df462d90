"""Reading logs: what was written comes back, and what is no log is told so."""

import contextlib
import csv
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blink_cli.app.files.rtp_log_files import export_capture
from blink_cli.core.errors import BlinkError, NotFoundError, UsageError
from blink_cli.core.media.media_tap import PlayoutOutcome
from blink_cli.record.rtp_log.format import HEADER, ZEROS, LogEvent, LogRow
from blink_cli.record.rtp_log.reader import RtpLogReader
from tests.record.rtp_log_parts import BOB, BOBS_SSRC, example_log, example_rows

pytestmark = pytest.mark.no_clock


def read(path: Path) -> tuple[list[LogRow], RtpLogReader]:
    reader = RtpLogReader(path)
    return list(reader), reader


def test_what_was_written_comes_back(tmp_path: Path) -> None:
    rows, reader = read(example_log(tmp_path / "log.csv"))
    assert reader.rows_unreadable == 0
    assert reader.rows_read == len(rows) == len(example_rows())
    assert rows[0] == LogRow(LogEvent.CALL_BEGAN, 9.9, "2023-11-14T22:13:30.150000Z", note="c0ffee00c0ffee00")
    packet = next(row for row in rows if row.event is LogEvent.PACKET and row.direction == "received")
    assert (packet.peer, packet.ssrc, packet.sequence, packet.timestamp) == (BOB, BOBS_SSRC, 65_530, 0)
    assert (packet.marker, packet.level_dbov, packet.voice) == (True, -31, True)
    assert (packet.outcome, packet.buffer_ms) == (PlayoutOutcome.PLAYED, 60.0)
    report = next(row for row in rows if row.event is LogEvent.RECEPTION_REPORT)
    assert (report.rtt_ms, report.fraction_lost, report.packets_lost, report.jitter_ms) == (20.6, 0.125, 3, 4)


def test_a_log_that_a_crash_cut_off_lacks_its_last_line(tmp_path: Path) -> None:
    path = example_log(tmp_path / "log.csv")
    whole = path.read_bytes()
    rows, _ = read(path)
    path.write_bytes(whole[: len(whole) - 60])
    shorter, reader = read(path)
    assert reader.rows_unreadable == 1
    assert shorter == rows[: len(shorter)]
    assert len(rows) - len(shorter) <= 2


def test_a_spreadsheet_may_have_saved_it_again(tmp_path: Path) -> None:
    """Byte order mark, other line ends, every cell quoted, columns moved and added."""
    path = example_log(tmp_path / "log.csv")
    rows, _ = read(path)
    table = [line.split(",") for line in path.read_bytes().decode().split("\r\n") if line]
    again = [[*reversed(cells), "mine"] for cells in table]
    again[0][-1] = "remark"
    text = "\n".join(",".join(f'"{cell}"' for cell in cells) for cells in again)
    path.write_text("\ufeff" + text + "\n", encoding="utf-8")
    assert read(path)[0] == rows


def saved_again(
    path: Path,
    *,
    delimiter: str = ",",
    ends: str = "\r\n",
    encoding: str = "utf-8",
    empty: str = "",
    whole: str = "{}",
    point: str = ".",
) -> None:
    """As another program writes the table: its own delimiter, line ends, encoding, words for nothing, whole numbers and decimal point."""
    rows = list(csv.reader(path.read_text().splitlines()))
    header, *body = rows
    numbers = {n for n, name in enumerate(header) if name in ZEROS or name == "time_s"}

    def cell(place: int, text: str) -> str:
        if not text:
            return empty
        if place not in numbers:
            return text
        return whole.format(text) if "." not in text else text.replace(".", point)

    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file, delimiter=delimiter, lineterminator=ends)
        writer.writerow(header)
        writer.writerows([cell(place, text) for place, text in enumerate(row)] for row in body)


@pytest.mark.parametrize(
    "manner",
    [
        {"whole": "{}.0", "empty": "nan", "ends": "\n"},
        {"delimiter": ";", "point": ",", "encoding": "utf-8-sig"},
        {"delimiter": "\t", "encoding": "utf-16"},
        {"empty": "NA", "ends": "\r"},
        {"empty": "null", "whole": "{}E+00"},
        {"point": ","},
    ],
)
def test_other_programs_write_numbers_and_nothing_in_their_own_ways(
    tmp_path: Path, manner: dict[str, str]
) -> None:
    path = example_log(tmp_path / "log.csv")
    rows, _ = read(path)
    saved_again(path, **manner)
    again, reader = read(path)
    assert reader.rows_unreadable == 0
    assert again == rows


def test_empty_cells_at_the_end_and_rows_of_nothing_may_be_left_out(tmp_path: Path) -> None:
    path = example_log(tmp_path / "log.csv")
    rows, _ = read(path)
    header, *body = path.read_text().split("\n")
    lines = ["sep=,", header.upper(), *(line.strip("\r").rstrip(",") for line in body), ",,,,,", ""]
    path.write_text("\n".join(lines))
    again, reader = read(path)
    assert reader.rows_unreadable == 0
    assert again == rows


def test_the_first_row_tells_what_the_columns_are_of(tmp_path: Path) -> None:
    with example_log(tmp_path / "log.csv").open(newline="") as file:
        header, first = (row for row, _ in zip(csv.reader(file), range(2), strict=False))
    cells = dict(zip(header, first, strict=True))
    assert cells["event"] == "call_began"
    for column in header:
        if column not in {"event", "wall_time", "peer", "direction", "outcome", "note", "payload"}:
            assert float(cells[column]) == (9.9 if column == "time_s" else 0)
    for column in ("time_s", "buffer_ms", "rtt_ms", "fraction_lost", "jitter_ms", "ntp_s"):
        assert "." in cells[column]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"a,b,c\n1,2,3\n", "no column event"),
        (b"event;time_s;peer\n", "not separated by commas"),
        (b"\x89PNG\r\n\x1a\n\xff\xfe", "no text"),
        (b"RIFF\0\0\0\0WAVE", "no lines of text"),
        (b"x" * 100_000, "no lines of text"),
        (HEADER.encode() + b"\nnonsense\nmore\n", "none of its lines"),
        (HEADER.encode() + b"\n" + b"y" * 100_000, "no lines of text"),
    ],
)
def test_what_is_no_log_is_told_with_a_hint(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "log.csv"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=reason) as told:
        read(path)
    assert told.value.hint


def test_missing_files_and_folders_are_told(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        read(tmp_path / "gone.csv")
    with pytest.raises(UsageError, match="folder"):
        read(tmp_path)


def test_an_empty_log_has_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text(HEADER + "\n")
    assert read(path)[0] == []


@settings(max_examples=150, deadline=None)
@given(content=st.binary(max_size=400), headed=st.booleans())
def test_any_bytes_are_a_log_or_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, *, headed: bool
) -> None:
    path = tmp_path_factory.mktemp("any") / "log.csv"
    path.write_bytes((HEADER.encode() + b"\n" if headed else b"") + content)
    with contextlib.suppress(BlinkError):
        read(path)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("time_s", "nan"),
        ("time_s", "inf"),
        ("sequence", ""),
        ("timestamp", "4294967296"),
        ("ssrc", "-1"),
        ("direction", "sideways"),
        ("payload_type", "128"),
        ("event", "unheard-of"),
        ("outcome", "lost"),
        ("peer", ""),
        ("peer", "p" * 201),
        ("wall_time", "9" * 5_000),
        ("level_dbov", "300"),
        ("buffer_ms", "1e16"),
        ("buffer_ms", "-1e999"),
        ("rtt_ms", "1e308"),
        ("fraction_lost", "2"),
        ("packets", "9" * 4_200),
        ("packets_lost", "-" + "9" * 17),
        ("octets", "1e400"),
    ],
)
def test_impossible_cells_cost_their_row_only(tmp_path: Path, column: str, value: str) -> None:
    path = example_log(tmp_path / "log.csv")
    lines = path.read_bytes().decode().split("\r\n")
    place = HEADER.split(",").index(column)
    at = next(n for n, line in enumerate(lines) if line.startswith("packet") and "received" in line)
    cells = lines[at].split(",")
    cells[place] = value
    lines[at] = ",".join(cells)
    path.write_bytes("\r\n".join(lines).encode())
    rows, reader = read(path)
    assert reader.rows_unreadable == 1
    assert len(rows) == len(example_rows()) - 1


def test_a_row_without_an_end_does_not_fill_the_memory(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text(HEADER + "\n" + 'packet,"a\n' + 'b","a\n' * 1_000_000)
    with pytest.raises(UsageError, match="row 1 has no end"):
        read(path)


def test_a_moment_of_no_calendar_is_not_compared(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    cells = f"{BOB},received,1,1,1,0,111,80" + "," * 14
    rows = [f"packet,{at},0001-01-01T00:00:00{zone},{cells}" for at, zone in ((1, "+23:59"), (900, "-23:59"))]
    path.write_text("\n".join((HEADER, *rows, "")))
    read(path)
    with contextlib.suppress(BlinkError):
        export_capture(path, tmp_path / "log.pcap")
