"""The file beside an RTP log: once a second what the filters of the microphone do, one JSON object a line (docs/analysis.md).

    [event loop] put ──> bounded deque ──> [the log's thread] write ──> NAME.processing.jsonl

It is made with its first line, so a log of a call without filters has none. What goes wrong here ends this file alone: the log goes on.
"""

from collections import deque
from pathlib import Path
from typing import Final

import msgspec

from blink_cli.record.rtp_log.line_file import LineFile

MOST_WAITING: Final = 600
"""Ten minutes; the oldest goes first."""

SUFFIX: Final = ".processing.jsonl"
"""No `.csv`: who reads all logs of a folder by that ending finds logs."""


class ProcessingTotals(msgspec.Struct, frozen=True):
    """What the file holds."""

    path: Path
    lines: int
    failure: str | None
    """Why it ended before the log did, as the end of a sentence."""


class ProcessingLines:
    """One file. `put` belongs to the event loop, `write` and `close` to the log's thread, `totals` to any."""

    def __init__(self, log: Path) -> None:
        """Belong to this log; nothing is made yet."""
        self._file = LineFile(log.with_name(f"{log.stem}{SUFFIX}"))
        self._waiting: deque[bytes] = deque(maxlen=MOST_WAITING)

    @property
    def totals(self) -> ProcessingTotals | None:
        """None before the first line."""
        file = self._file
        if not file.lines and file.failure is None:
            return None
        return ProcessingTotals(file.path, file.lines, file.failure)

    def put(self, line: bytes) -> None:
        """Have a line written, its end not included."""
        if self._file.failure is None:
            self._waiting.append(line)

    def write(self) -> None:
        """Write what waits."""
        if not self._waiting:
            return
        lines = [self._waiting.popleft() for _ in range(len(self._waiting))]
        self._file.write(lines)
        if self._file.failure is not None:
            self._waiting.clear()

    def close(self) -> None:
        """Close it."""
        self._file.close()
