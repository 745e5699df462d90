"""The writer's thread on real files: order, a slow disk, a full disk, the end."""

import errno
import io
import os
import stat
import threading
from pathlib import Path
from typing import Any, cast

import pytest
from typing_extensions import override

from blink_cli.record.rtp_log.format import HEADER, LogEvent
from blink_cli.record.rtp_log.rows import Remark
from blink_cli.record.rtp_log.writer import RtpLogTotals, RtpLogWriter
from tests.record.rtp_log_parts import BOB, heard, played, sent

pytestmark = pytest.mark.no_clock(sockets=True)


class Ended:
    """Waits for the end of one log."""

    def __init__(self) -> None:
        self.totals: RtpLogTotals | None = None
        self._event = threading.Event()

    def __call__(self, totals: RtpLogTotals) -> None:
        self.totals = totals
        self._event.set()

    def wait(self) -> RtpLogTotals:
        assert self._event.wait(10)
        assert self.totals is not None
        return self.totals


def test_everything_is_in_the_file_at_the_end(tmp_path: Path) -> None:
    ended = Ended()
    writer = RtpLogWriter(tmp_path / "log.csv", ended)
    for index in range(1000):
        writer.put(BOB, heard(index))
        writer.put(BOB, sent(index))
        writer.put_outcome(BOB, played(index))
    writer.finish()
    totals = ended.wait()
    writer.join()
    assert stat.S_IMODE((tmp_path / "log.csv").stat().st_mode) == 0o600
    lines = (tmp_path / "log.csv").read_bytes().decode("ascii").split("\r\n")
    assert lines[0] == HEADER
    assert (len(lines) - 2, lines[-1]) == (2000, "")
    assert totals == RtpLogTotals(writer.path, 2000, 0, (tmp_path / "log.csv").stat().st_size, None)


def test_a_file_that_exists_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("mine")
    writer = RtpLogWriter(path, Ended())
    assert isinstance(writer.opened.exception(10), FileExistsError)
    writer.join()
    assert path.read_text() == "mine"


def test_a_disk_that_stands_still_costs_rows_and_says_so(tmp_path: Path) -> None:
    """A pipe that nobody reads is a disk that stands still."""
    ended = Ended()
    reading, writing = os.pipe()
    path = Path(f"/proc/self/fd/{writing}")
    writer = _OpensWhatIsThere(path, ended, queue_entries=500)
    writer.opened.result(10)
    filler = Remark(LogEvent.LINK_ENDED, 1.0, "x" * 1000)
    while writer.totals.rows_lost == 0:  # the pipe's 64 kB are full, and then the queue
        writer.put(BOB, filler)
    text = b""
    writer.finish()
    os.close(writing)
    while chunk := os.read(reading, 65536):
        text += chunk
    os.close(reading)
    totals = ended.wait()
    writer.join()
    rows = text.decode().split("\r\n")[1:-1]
    assert totals.rows == len(rows)
    assert totals.rows_lost > 0
    lost = [row for row in rows if row.startswith("rows_lost")]
    assert sum(int(row.split(",")[21]) for row in lost) == totals.rows_lost


class _OpensWhatIsThere(RtpLogWriter):
    """A log into a pipe, which exists already."""

    @override
    def _open(self) -> io.FileIO:
        return self.path.open("wb", buffering=0)


def test_a_full_disk_ends_the_log(tmp_path: Path) -> None:
    """/dev/full refuses every write as a full disk does."""
    ended = Ended()
    writer = _OpensWhatIsThere(Path("/dev/full"), ended)
    totals = ended.wait()
    writer.join()
    assert totals.failure == os.strerror(28)
    writer.put(BOB, heard(0))
    assert writer.totals.rows_lost == 1


class _SmallDisk(io.FileIO):
    """Takes so much and no more, and the last bite only in part, as a disk does that fills up."""

    ROOM_BYTES = 100_000

    @override
    def write(self, data: Any) -> int:
        room = self.ROOM_BYTES - self.tell()
        if room <= 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().write(bytes(data)[:room])


class _OnSmallDisk(RtpLogWriter):
    @override
    def _open(self) -> io.FileIO:
        return _SmallDisk(self.path, "xb")


def test_a_disk_that_fills_up_loses_no_row_uncounted(tmp_path: Path) -> None:
    ended = Ended()
    writer = _OnSmallDisk(tmp_path / "log.csv", ended)
    writer.opened.result(10)
    for index in range(2000):
        writer.put(BOB, sent(index))
    for index in range(50):
        writer.put(BOB, heard(index))  # their rows wait for an outcome that never comes
    writer.finish()
    totals = ended.wait()
    writer.join()
    content = (tmp_path / "log.csv").read_bytes()
    assert totals.failure == os.strerror(errno.ENOSPC)
    assert content.endswith(b"\r\n"), "half a row stayed"
    assert _SmallDisk.ROOM_BYTES - 300 < len(content) == totals.bytes_written
    assert totals.rows == content.count(b"\r\n") - 1 > 0
    assert totals.rows + totals.rows_lost == 2050


def test_ending_twice_is_harmless(tmp_path: Path) -> None:
    ended = Ended()
    writer = RtpLogWriter(tmp_path / "log.csv", ended)
    writer.finish()
    writer.finish()
    ended.wait()
    writer.join()
    assert (tmp_path / "log.csv").read_bytes().decode() == f"{HEADER}\r\n"


@pytest.mark.parametrize("name", ["no/such/folder/log.csv", "."])
def test_a_path_that_cannot_be_is_told(tmp_path: Path, name: str) -> None:
    writer = RtpLogWriter(tmp_path / name, Ended())
    assert isinstance(writer.opened.exception(10), OSError)
    writer.join()


def test_whatever_fails_the_end_is_told(tmp_path: Path) -> None:
    ended = Ended()
    writer = RtpLogWriter(tmp_path / "log.csv", ended)
    writer.opened.result(10)
    writer.put(None, cast("Remark", "no entry at all"))
    totals = ended.wait()
    writer.join()
    assert totals.failure is not None
    assert totals.failure.startswith("an error in the program")
