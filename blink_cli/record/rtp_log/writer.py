"""Writes one RTP log from a thread of its own, so that the call never waits for a disk.

    [event loop] put ──┐
                       ├──> bounded queue ──> [thread "blink-rtp-log"] rows ──> file, four times a second
    [playout] put_outcome ┘

When the queue is full the new entry is dropped and counted, and a row says so where it is missing. The first write that fails ends the log.
"""

import io
import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from blink_cli.core.ids import Did
from blink_cli.files.writing import create
from blink_cli.record.rtp_log.format import HEADER, LogEvent
from blink_cli.record.rtp_log.processing_lines import ProcessingLines, ProcessingTotals
from blink_cli.record.rtp_log.rows import Entry, FramePlayed, LogRows, Remark

QUEUE_ENTRIES: Final = 20_000
"""Of eight participants, who make 1,200 entries a second, as much as 16 s: a disk that sleeps wakes up in less."""

WRITE_EVERY_S: Final = 0.25
"""What a crash may cost beside the rows that wait for their outcome; and each round holds the interpreter for a few milliseconds only."""

_BATCH_ENTRIES: Final = 400
"""Between two batches of a long queue the other threads get their turn."""

_LINE_END: Final = "\r\n"

_log = logging.getLogger(__name__)


class RtpLogTotals(msgspec.Struct, frozen=True):
    """What a log holds."""

    path: Path
    rows: int
    """Written, without the header."""

    rows_lost: int
    """Entries that did not fit into the queue, and all that the disk had not taken when it failed."""

    bytes_written: int
    failure: str | None
    """Why it ended before it was told to; None while all is well."""

    processing: ProcessingTotals | None = None
    """The file beside it; None while the filters of the microphone did nothing."""

    payload_bytes: int | None = None
    """Of what packets carried, kept in it; None: not asked for."""


class RtpLogWriter:
    """One file. `put` belongs to the event loop, `put_outcome` to the playout thread; both only append, and never raise."""

    def __init__(
        self,
        path: Path,
        on_end: Callable[[RtpLogTotals], None],
        *,
        queue_entries: int = QUEUE_ENTRIES,
        payload_bytes: int | None = None,
    ) -> None:
        """Begin to make the file; it must not exist.

        Args:
            path: Its folder exists.
            on_end: Called once, on the writer's thread, when the file is closed, whatever the reason.
            queue_entries: How many may wait.
            payload_bytes: So much of what packets carry may be kept in it; None: nothing of it.

        """
        self.path = path
        self.opened: Future[None] = Future()
        """Done when the file is there; holds the OSError when it cannot be made, and then nothing is written and `on_end` is not called."""

        self.processing = ProcessingLines(path)
        """The file beside it."""

        self._on_end = on_end
        self._most_payload_bytes = payload_bytes
        self._payload_bytes = 0
        self._capacity = queue_entries
        self._queue: deque[tuple[Did | None, Entry]] = deque()
        self._refused = 0
        self._outcomes_refused = 0
        self._unwritten = 0
        self._told_lost = 0
        self._rows = 0
        self._bytes = 0
        self._failure: str | None = None
        self._finishing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="blink-rtp-log", daemon=True)
        self._thread.start()

    def put(self, peer: Did | None, entry: Entry) -> None:
        """Log something that the event loop saw."""
        if len(self._queue) < self._capacity:
            self._queue.append((peer, entry))
        else:
            self._refused += 1

    def put_outcome(self, peer: Did, entry: FramePlayed) -> None:
        """Log something that the playout thread did."""
        if len(self._queue) < self._capacity:
            self._queue.append((peer, entry))
        else:
            self._outcomes_refused += 1

    @property
    def totals(self) -> RtpLogTotals:
        """What is in the file now. Any thread."""
        lost = self._refused + self._outcomes_refused + self._unwritten
        return RtpLogTotals(
            self.path,
            self._rows,
            lost,
            self._bytes,
            self._failure,
            self.processing.totals,
            None if self._most_payload_bytes is None else self._payload_bytes,
        )

    def finish(self) -> None:
        """Write what waits and close the file, in the background; harmless when it was told before."""
        self._finishing.set()

    def join(self) -> None:
        """Wait until the file is closed, after `finish`. Blocks: not for the event loop."""
        self._thread.join()

    # ---- the thread

    def _run(self) -> None:
        try:
            file = self._open()
        except OSError as failure:
            self.opened.set_exception(failure)
            return
        self.opened.set_result(None)
        rows = LogRows(time.time() - time.monotonic(), payload_bytes=self._most_payload_bytes or 0)
        try:
            with file:
                self._write_all(file, rows)
        except OSError as failure:
            self._give_up(failure.strerror or str(failure), rows)
        except Exception as failure:  # noqa: BLE001 - whatever it is, somebody waits for the end
            _log.exception("the RTP log failed")
            self._give_up(f"an error in the program: {failure!r}", rows)
        self.processing.close()
        self._on_end(self.totals)

    def _open(self) -> io.FileIO:
        """Make the file, its owner's alone: it tells who spoke when. Nothing is overwritten. Without a buffer: what was refused must not be tried again when it is closed."""
        return io.FileIO(create(self.path), "wb")

    def _give_up(self, reason: str, rows: LogRows) -> None:
        self._failure = reason
        self._capacity = 0
        self._unwritten += len(self._queue) + len(rows)
        self._queue.clear()

    def _write_all(self, file: io.FileIO, rows: LogRows) -> None:
        self._write(file, [HEADER], counted=0)
        while True:
            last_round = self._finishing.wait(WRITE_EVERY_S)
            rows.wall_offset_s = time.time() - time.monotonic()
            rows.settle()
            waiting = len(self._queue)
            while waiting > 0:
                for _ in range(min(waiting, _BATCH_ENTRIES)):
                    rows.take(*self._queue.popleft())
                waiting -= _BATCH_ENTRIES
                self._write_finished(file, rows, time.monotonic())
            self._payload_bytes = rows.payload_bytes
            lost = self._refused + self._outcomes_refused
            if lost > self._told_lost:
                rows.take(
                    None,
                    Remark(LogEvent.ROWS_LOST, time.monotonic(), packets=lost - self._told_lost),
                )
                self._told_lost = lost
            self._write_finished(file, rows, float("inf") if last_round else time.monotonic())
            self.processing.write()
            if last_round:
                return

    def _write_finished(self, file: io.FileIO, rows: LogRows, now_s: float) -> None:
        texts = rows.finished(now_s)
        if texts:
            self._write(file, texts, counted=len(texts))

    def _write(self, file: io.FileIO, lines: list[str], *, counted: int) -> None:
        data = (_LINE_END.join([*lines, ""])).encode("ascii", "backslashreplace")
        written = 0
        try:
            while written < len(data):
                written += file.write(data[written:])
        except OSError:
            before, end, _ = data[:written].rpartition(_LINE_END.encode())
            rows = min(counted, before.count(end) + 1) if end else 0
            self._count(len(before) + len(end), rows)
            self._unwritten += counted - rows
            with suppress(OSError):  # a device or a pipe, or a disk that takes nothing at all any more
                file.truncate(self._bytes)
            raise
        self._count(len(data), counted)

    def _count(self, size_bytes: int, rows: int) -> None:
        self._bytes += size_bytes
        self._rows += rows
