"""The log files of a profile: one for each session, bounded, the last ones kept, its user's alone.

logs/session-20261129T072105Z-4711.log       written now
logs/session-20261129T072105Z-4711.log.1     what was before it, of the same session
"""

import contextlib
import io
import logging
import os
import re
import time
from pathlib import Path
from typing import Final

from typing_extensions import override

from blink_cli.app.log.no_lock import NoLock
from blink_cli.files.private_folder import make_private
from blink_cli.files.writing import create

MOST_BYTES: Final = 4_000_000
"""Of one file; a session has two of them at most. A quiet session writes some kB a day, one in a flood or with a broken device more."""

KEPT: Final = 10
"""Sessions whose logs are kept, the present one included: 80 MB at the very most."""

RETRY_S: Final = 10.0
"""How often it is tried again to write when a disk is full."""

INTERRUPTED: Final = "    ({} records are missing here: the disk did not take them)"

_NAME: Final = re.compile(r"session-(\d{8}T\d{6}Z)-(\d+)\.log(?:\.1)?")


def new_log_path(folder: Path, *, wall_s: float, pid: int) -> Path:
    """Return the name of a session's log."""
    began = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(wall_s))
    return folder / f"session-{began}-{pid}.log"


def log_paths(folder: Path) -> list[Path]:
    """Return the logs of a folder, those of the newest session last, each session's older part before its newer. Empty where there is no folder.

    Raises:
        OSError: The folder cannot be read.

    """
    try:
        found = [path for path in folder.iterdir() if _NAME.fullmatch(path.name)]
    except FileNotFoundError:
        return []
    return sorted(found, key=lambda path: (_session_of(path), path.suffix != ".1"))


def newest_log(folder: Path) -> Path | None:
    """Return the log of the newest session; None where there is none.

    Raises:
        OSError: As `log_paths`.

    """
    paths = log_paths(folder)
    return paths[-1] if paths else None


def forget_old_logs(folder: Path, *, kept: int) -> None:
    """Remove the logs of all sessions but the newest `kept`. What cannot be removed stays."""
    paths = log_paths(folder)
    sessions = list(dict.fromkeys(_session_of(path) for path in paths))
    going = set(sessions[: max(0, len(sessions) - kept)])
    for path in paths:
        if _session_of(path) in going:
            with contextlib.suppress(OSError):
                path.unlink()


def _session_of(path: Path) -> tuple[str, int]:
    found = _NAME.fullmatch(path.name)
    assert found is not None, "only logs are asked"
    return found[1], int(found[2])


class LogFile(logging.Handler):
    """Writes one session's log; belongs to one thread. A disk that is full, or gone, costs lines and nothing else: how many is written later."""

    def __init__(self, path: Path, *, most_bytes: int = MOST_BYTES, retry_s: float = RETRY_S) -> None:
        """Make the file.

        Args:
            path: Of a file that is not there yet, in a private folder.
            most_bytes: Of this file, and of the one before it.
            retry_s: How often it is tried again when it cannot be written.

        Raises:
            OSError: It cannot be made.

        """
        super().__init__()
        self.path = path
        self._most_bytes = most_bytes
        self._retry_s = retry_s
        self._file: io.FileIO | None = _new(path)
        self._written = 0
        self._lost = 0
        self._cut_short = False
        """Whether the disk took the beginning of a line only."""

        self._retry_at = 0.0

    @classmethod
    def of_session(cls, folder: Path, *, kept: int = KEPT) -> "LogFile":
        """Begin the log of a session, in a private folder that is made, and forget the oldest.

        Raises:
            OSError: It cannot be made.
            BlinkError: The folder cannot be made, or is not this user's.

        """
        make_private(folder)
        forget_old_logs(folder, kept=kept - 1)
        return cls(new_log_path(folder, wall_s=time.time(), pid=os.getpid()))

    @property
    def descriptor(self) -> int:
        """Of the open file. To be asked before the first record."""
        assert self._file is not None, "it is open until it is full"
        return self._file.fileno()

    @override
    def createLock(self) -> None:
        """Have none: it belongs to one thread."""
        self.lock = NoLock()  # type: ignore[assignment]  # it acts as one

    @override
    def emit(self, record: logging.LogRecord) -> None:
        """Write a record."""
        line = (self.format(record) + "\n").encode(errors="backslashreplace")
        now_s = time.monotonic()
        if self._lost and now_s < self._retry_at:
            self._lost += 1
            return
        if self._lost:
            line = f"{INTERRUPTED.format(self._lost)}\n".encode() + line
        if self._cut_short:
            line = b"\n" + line
        try:
            self._write(line)
        except OSError:
            self._lost += 1
            self._retry_at = now_s + self._retry_s
        else:
            self._lost = 0

    @override
    def close(self) -> None:
        """Let go of the file. Safe to call twice."""
        super().close()
        if self._file is not None:
            self._file.close()
            self._file = None

    def _write(self, line: bytes) -> None:
        if self._written and self._written + len(line) > self._most_bytes:
            self._rotate()
        if self._file is None:
            self._file = _new(self.path)
            self._written = 0
        left = memoryview(line)
        while left:
            count = self._file.write(left) or 0
            self._written += count
            left = left[count:]
            self._cut_short = bool(left)

    def _rotate(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
        self.path.replace(self.path.with_name(f"{self.path.name}.1"))


def _new(path: Path) -> io.FileIO:
    return io.FileIO(create(path), "a")
