"""Analyse, plot and export a log, and what is said when that cannot be."""

import struct
from pathlib import Path

import pytest

from blink_cli.app.rtp_log_files import analyse_log, export_capture
from blink_cli.core.errors import BlinkError, NotFoundError, StateError, UsageError
from blink_cli.record.rtp_log_format import HEADER
from blink_cli.record.rtp_log_rows import LogRows
from tests.record.rtp_log_parts import BOB, WALL_OFFSET_S, example_log, heard, played


def long_log(path: Path) -> Path:
    rows = LogRows(WALL_OFFSET_S)
    for index in range(300):
        if index % 9:
            rows.take(BOB, heard(index))
            rows.take(BOB, played(index))
    path.write_bytes("\r\n".join([HEADER, *rows.finished(float("inf")), ""]).encode())
    return path


def test_a_log_is_analysed(tmp_path: Path) -> None:
    found = analyse_log(example_log(tmp_path / "log.csv"))
    assert (found.rows, found.rows_unreadable, found.rows_lost, found.pauses) == (46, 0, 0, 0)
    assert [stream.direction for stream in found.streams] == ["received", "sent"]
    assert found.begun == "2023-11-14T22:13:30.150000Z"


def test_a_plot_is_a_picture(tmp_path: Path) -> None:
    out = tmp_path / "call.png"
    analyse_log(long_log(tmp_path / "log.csv"), out)
    data = out.read_bytes()
    assert data.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", data[16:24])
    assert width > 800
    assert height > 600


def test_a_plot_that_cannot_be_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no second"):
        analyse_log(example_log(tmp_path / "log.csv"), tmp_path / "call.png")
    with pytest.raises(BlinkError, match="cannot be written"):
        analyse_log(long_log(tmp_path / "long.csv"), tmp_path / "no" / "call.png")


def test_progress_is_told_and_can_end_the_work(tmp_path: Path) -> None:
    told: list[float] = []
    log = long_log(tmp_path / "log.csv")
    analyse_log(log, progress=told.append)
    assert told
    assert all(0 <= part <= 1 for part in told)

    def enough(part: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export_capture(log, tmp_path / "log.pcap", enough)
    assert not (tmp_path / "log.pcap").exists()


def test_a_capture_is_exported_once(tmp_path: Path) -> None:
    log, out = example_log(tmp_path / "log.csv"), tmp_path / "log.pcap"
    assert export_capture(log, out) == 38
    with pytest.raises(StateError, match="exists"):
        export_capture(log, out)


def test_an_export_of_nothing_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        export_capture(tmp_path / "gone.csv", tmp_path / "gone.pcap")
    foreign = tmp_path / "foreign.csv"
    foreign.write_text("a,b\n1,2\n")
    with pytest.raises(UsageError):
        export_capture(foreign, tmp_path / "foreign.pcap")
    with pytest.raises(BlinkError, match="cannot be written"):
        export_capture(example_log(tmp_path / "log.csv"), tmp_path / "no" / "log.pcap")
    assert not list(tmp_path.glob("*.pcap"))
