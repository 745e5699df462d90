"""Analyse, plot and export a log, and what is said when that cannot be."""

import struct
from pathlib import Path

import pytest

from blink_cli.app.files.rtp_log_files import analyse_log, export_capture
from blink_cli.core.errors import BlinkError, NotFoundError, StateError, UsageError
from blink_cli.record.rtp_log.format import HEADER
from blink_cli.record.rtp_log.pcap import CaptureTotals
from blink_cli.record.rtp_log.rows import LogRows
from tests.record.rtp_log_parts import BOB, WALL_OFFSET_S, example_log, heard, played

pytestmark = pytest.mark.no_clock


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


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("log.csv", "does not end in .png"),
        ("call.svg", "does not end in .png"),
        ("notes.png", "is no PNG"),
        ("folder.png", "is a folder"),
        ("link.png", "is the log itself"),
    ],
)
def test_a_plot_replaces_nothing_but_a_picture(tmp_path: Path, name: str, reason: str) -> None:
    log = long_log(tmp_path / "log.csv")
    (tmp_path / "notes.png").write_text("mine")
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "link.png").symlink_to(log)
    before = log.read_bytes()
    told: list[float] = []
    with pytest.raises(UsageError, match=reason):
        analyse_log(log, tmp_path / name, told.append)
    assert not told, "the log was read"
    assert log.read_bytes() == before
    assert (tmp_path / "notes.png").read_text() == "mine"
    assert not (tmp_path / "call.svg").exists()


def test_a_plot_replaces_an_earlier_one(tmp_path: Path) -> None:
    log, out = long_log(tmp_path / "log.csv"), tmp_path / "call.PNG"
    out.write_bytes(b"\x89PNG\r\n\x1a\n")
    analyse_log(log, out)
    assert out.stat().st_size > 1000


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
    assert export_capture(log, out) == CaptureTotals(38, pauses=0, rows_lost=0)
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
    (tmp_path / "header.csv").write_text(HEADER + "\r\n")
    with pytest.raises(UsageError, match="holds no packets"):
        export_capture(tmp_path / "header.csv", tmp_path / "header.pcap")
    assert not list(tmp_path.glob("*.pcap"))
