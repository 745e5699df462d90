"""The file beside an RTP log: once a second what the filters of the microphone do, one JSON object a line (docs/analysis.md).

    [event loop] put ──> bounded deque ──> [the log's thread] write ──> NAME.processing.jsonl

It is made with its first line, so a log of a call without filters has none. What goes wrong here ends this file alone: the log goes on.
"""

import io
import logging
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from blink_cli.files.writing import create
from blink_cli.record.failure_text import failure_text

MOST_WAITING: Final = 600
"""Ten minutes; the oldest goes first."""

SUFFIX: Final = ".processing.jsonl"
"""No `.csv`: who reads all logs of a folder by that ending finds logs."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ProcessingTotals:
    """What the file holds."""

    path: Path
    lines: int
    failure: str | None
    """Why it ended before the log did, as the end of a sentence."""


class ProcessingLines:
    """One file. `put` belongs to the event loop, `write` and `close` to the log's thread, `totals` to any."""

    def __init__(self, log: Path) -> None:
        """Belong to this log; nothing is made yet."""
        self._path = log.with_name(f"{log.stem}{SUFFIX}")
        self._waiting: deque[bytes] = deque(maxlen=MOST_WAITING)
        self._file: io.FileIO | None = None
        self._lines = 0
        self._failure: str | None = None

    @property
    def totals(self) -> ProcessingTotals | None:
        """None before the first line."""
        if not self._lines and self._failure is None:
            return None
        return ProcessingTotals(self._path, self._lines, self._failure)

    def put(self, line: bytes) -> None:
        """Have a line written, its end not included."""
        if self._failure is None:
            self._waiting.append(line)

    def write(self) -> None:
        """Write what waits."""
        if not self._waiting:
            return
        lines = [self._waiting.popleft() for _ in range(len(self._waiting))]
        try:
            if self._file is None:
                # Without a buffer: what was refused must not be tried again when it is closed.
                self._file = io.FileIO(create(self._path), "wb")
            data = b"".join(line + b"\n" for line in lines)
            written = 0
            while written < len(data):
                written += self._file.write(data[written:])
        except OSError as failure:
            self._failure = failure_text(failure)
            self._waiting.clear()
            _log.warning("%s is not written any more: %s", self._path, self._failure)
        else:
            self._lines += len(lines)

    def close(self) -> None:
        """Close it."""
        if self._file is not None:
            self._file.close()
            self._file = None
