"""Reading logs: what was written comes back, and what is no log is told so."""

import contextlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blink_cli.core.errors import BlinkError, NotFoundError, UsageError
from blink_cli.core.media_tap import PlayoutOutcome
from blink_cli.record.rtp_log_format import HEADER, LogEvent, LogRow
from blink_cli.record.rtp_log_reader import RtpLogReader
from tests.record.rtp_log_parts import BOB, BOBS_SSRC, example_log, example_rows


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
