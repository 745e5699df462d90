"""A log is bounded, its user's alone, and survives a full disk; of many the last are kept."""

import logging
import resource
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from blink_cli.app.log.log_files import LogFile, forget_old_logs, log_paths, new_log_path, newest_log
from blink_cli.app.log.log_lines import LogFormatter, LogLine, ShortFormatter, read_lines
from blink_cli.core.text.veil import Veil

pytestmark = pytest.mark.no_clock


def record(message: str, level: int = logging.INFO, name: str = "blink_cli.net.x") -> logging.LogRecord:
    made = logging.LogRecord(name, level, __file__, 1, message, None, None)
    made.created = 1_764_400_000.123
    return made


def log_file(path: Path, **bounds: float) -> LogFile:
    made = LogFile(path, **bounds)  # type: ignore[arg-type]
    made.setFormatter(LogFormatter(Veil(["open sesame"])))
    return made


@contextmanager
def no_file_longer_than(size: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_lines_are_read_as_they_were_written(tmp_path: Path) -> None:
    log = log_file(tmp_path / "log")
    log.handle(record("one line"))
    log.handle(record("two\nlines, with \x1b[31mred\x1b[0m and open sesame", logging.ERROR, "aioice.ice"))
    log.close()
    text = (tmp_path / "log").read_text()
    assert text.splitlines()[0] == "2025-11-29T07:06:40.123Z INFO net.x: one line"
    assert list(read_lines(["from another time", "    and more", *text.splitlines()])) == [
        LogLine("2025-11-29T07:06:40.123Z", "INFO", "net.x", "one line"),
        LogLine(
            "2025-11-29T07:06:40.123Z", "ERROR", "aioice.ice", "two\nlines, with ?[31mred?[0m and veiled"
        ),
    ]


def test_a_failure_is_written_with_its_traceback_and_told_without() -> None:
    try:
        raise ZeroDivisionError("by open sesame")
    except ZeroDivisionError as failure:
        made = record("it failed")
        made.exc_info = (type(failure), failure, failure.__traceback__)
    veil = Veil(["open sesame"])
    (line,) = read_lines(LogFormatter(veil).format(made).splitlines())
    assert line.message.startswith("it failed\nTraceback")
    assert line.message.endswith("ZeroDivisionError: by veiled")
    assert ShortFormatter(veil).format(made) == "it failed"


def test_it_is_private_and_bounded(tmp_path: Path) -> None:
    path = tmp_path / "log"
    log = log_file(path, most_bytes=1_000)
    for number in range(100):
        log.handle(record(f"number {number:03}"))
    log.close()
    before = tmp_path / "log.1"
    assert sorted(tmp_path.iterdir()) == [path, before]
    for file in (path, before):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert file.stat().st_size <= 1_000
    numbers = [line.message for file in (before, path) for line in read_lines(file.read_text().splitlines())]
    assert numbers[-1] == "number 099"
    assert numbers == [f"number {number:03}" for number in range(100 - len(numbers), 100)], (
        "nothing is lost between"
    )


def test_a_link_in_its_place_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "other").write_text("precious")
    (tmp_path / "log").symlink_to(tmp_path / "other")
    with pytest.raises(FileExistsError):
        LogFile(tmp_path / "log")
    assert (tmp_path / "other").read_text() == "precious"


def test_a_disk_that_takes_nothing_costs_lines_and_is_told(tmp_path: Path) -> None:
    log = log_file(tmp_path / "log", retry_s=0.0)
    log.handle(record("before"))
    with no_file_longer_than(10):
        log.handle(record("lost"))
        log.handle(record("lost too"))
    log.handle(record("behind"))
    log.close()
    lines = (tmp_path / "log").read_text().splitlines()
    assert lines[0].endswith("before")
    assert lines[1:] == [
        "    (2 records are missing here: the disk did not take them)",
        "2025-11-29T07:06:40.123Z INFO net.x: behind",
    ]


def test_the_last_sessions_are_kept_whole_and_nothing_else_is_touched(tmp_path: Path) -> None:
    assert log_paths(tmp_path / "missing") == []
    for number in range(5):
        path = new_log_path(tmp_path, wall_s=1_764_400_000.0 + number, pid=100 - number)
        path.touch()
        path.with_name(f"{path.name}.1").touch()
    (tmp_path / "session-notes.log").touch()
    forget_old_logs(tmp_path, kept=2)
    names = [path.name for path in log_paths(tmp_path)]
    assert names == [
        "session-20251129T070643Z-97.log.1",
        "session-20251129T070643Z-97.log",
        "session-20251129T070644Z-96.log.1",
        "session-20251129T070644Z-96.log",
    ]
    assert newest_log(tmp_path) == tmp_path / names[-1]
    assert (tmp_path / "session-notes.log").exists()
    forget_old_logs(tmp_path, kept=0)
    assert log_paths(tmp_path) == []
