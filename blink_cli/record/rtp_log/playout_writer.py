"""Writes the decision log and the replay log of one call from a thread of its own.

    [playout thread] put ──> bounded queue ──> [thread "blink-playout-log"] lines ──> NAME.playout.jsonl, NAME.replay.jsonl, four times a second

When the queue is full the new tick is dropped and counted, and a line of the replay log says so where it is missing. A file that fails ends alone.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Final

import msgspec

from blink_cli.core.media.mix_tick import MixTick
from blink_cli.record.rtp_log import decision_lines, replay_lines
from blink_cli.record.rtp_log.decision_lines import DecisionLines
from blink_cli.record.rtp_log.line_file import LineFile
from blink_cli.record.rtp_log.replay_lines import End, Head, Lost, ReplayLines

QUEUE_TICKS: Final = 2_000
"""20 s: a disk that sleeps wakes up in less."""

WRITE_EVERY_S: Final = 0.25
_BATCH_TICKS: Final = 100
"""Between two batches of a long queue the other threads get their turn."""

_log = logging.getLogger(__name__)


class LineFileTotals(msgspec.Struct, frozen=True):
    """What one file holds."""

    path: Path
    lines: int
    bytes_written: int
    failure: str | None
    """Why it ended before the log did, as the end of a sentence."""


class PlayoutLogTotals(msgspec.Struct, frozen=True):
    """What is beside a log."""

    decisions: LineFileTotals | None
    """None: not asked for."""

    replay: LineFileTotals | None
    ticks_lost: int


class PlayoutLogWriter:
    """One call's. `put` belongs to the playout thread, and only appends; `pause` and `resume` to the event loop."""

    def __init__(
        self,
        log: Path,
        *,
        decisions: bool,
        replay: Head | None,
        opened: Future[None],
        on_failure: Callable[[str], None],
        queue_ticks: int = QUEUE_TICKS,
    ) -> None:
        """Write beside this log.

        Args:
            log: The RTP log's path.
            decisions: Whether the decision log is wanted.
            replay: What the replay log begins with; None: it is not wanted.
            opened: The RTP log's: when that cannot be made, nothing is.
            on_failure: Told on this thread, once for each file that is not written any more.
            queue_ticks: How many may wait.

        """
        self._decisions = LineFile(_beside(log, decision_lines.SUFFIX)) if decisions else None
        self._replay = None if replay is None else LineFile(_beside(log, replay_lines.SUFFIX))
        self._files = tuple(file for file in (self._decisions, self._replay) if file is not None)
        self._told_failed: list[LineFile] = []
        self._head = replay
        self._opened = opened
        self._on_failure = on_failure
        self._capacity = queue_ticks
        self._queue: deque[MixTick | Lost] = deque()
        self._refused = 0
        self._told_lost = 0
        self._paused = False
        self._missed_in_pause = 0
        self._finishing = threading.Event()
        self._ends_when_quiet = False
        self._thread = threading.Thread(target=self._run, name="blink-playout-log", daemon=True)
        self._thread.start()

    def put(self, tick: MixTick) -> None:
        """Log a tick."""
        if self._paused:
            self._missed_in_pause += 1
        elif self._missed_in_pause:
            self._queue.append(Lost(self._missed_in_pause + 1))
            self._missed_in_pause = 0
        elif len(self._queue) < self._capacity:
            self._queue.append(tick)
        else:
            self._refused += 1

    def set_paused(self, paused: bool) -> None:  # noqa: FBT001 - the state, as it comes
        """Leave ticks out from now on, or do not any more."""
        self._paused = paused

    @property
    def totals(self) -> PlayoutLogTotals:
        """What is in the files now. Any thread."""
        return PlayoutLogTotals(_totals(self._decisions), _totals(self._replay), self._refused)

    def finish(self) -> None:
        """Write what waits and close the files, in the background; harmless when it was told before."""
        self._finishing.set()

    def finish_when_quiet(self) -> None:
        """The same as soon as no tick comes any more: the playout thread ends a moment after its call, and what it played until then was heard."""
        self._ends_when_quiet = True

    def join(self) -> None:
        """Wait until the files are closed, after `finish`. Blocks: not for the event loop."""
        self._thread.join()

    # ---- the thread

    def _run(self) -> None:
        if self._opened.exception() is not None:
            return
        try:
            self._write_all()
        except Exception as failure:  # noqa: BLE001 - whatever it is, somebody waits for the end
            _log.exception("the playout log failed")
            for file in self._files:
                file.failure = f"an error in the program: {failure!r}"
        for file in self._files:
            file.close()
        self._tell_failures()

    def _tell_failures(self) -> None:
        for file in self._files:
            if file.failure is not None and file not in self._told_failed:
                self._told_failed.append(file)
                self._on_failure(f"{file.path}: {file.failure}")

    def _write_all(self) -> None:
        decisions, replay = DecisionLines(), ReplayLines()
        if self._replay is not None:
            self._replay.write([msgspec.json.encode(self._head)])
        if self._decisions is not None:
            self._decisions.make()
        last_round = False
        while not last_round:
            ends_when_quiet = self._ends_when_quiet  # before the wait: a whole round must bring nothing
            last_round = self._finishing.wait(WRITE_EVERY_S)
            waiting = len(self._queue)
            last_round |= ends_when_quiet and not waiting
            while waiting > 0:
                batch = [self._queue.popleft() for _ in range(min(waiting, _BATCH_TICKS))]
                waiting -= len(batch)
                self._write(batch, decisions, replay)
            lost = self._refused
            if lost > self._told_lost:
                self._write([Lost(lost - self._told_lost)], decisions, replay)
                self._told_lost = lost
            self._tell_failures()
            if len(self._told_failed) == len(self._files):
                self._capacity = 0
                self._queue.clear()
                return
        if self._decisions is not None:
            self._decisions.write(decisions.finish())
        if self._replay is not None:
            self._replay.write([msgspec.json.encode(End())])

    def _write(self, batch: list[MixTick | Lost], decisions: DecisionLines, replay: ReplayLines) -> None:
        if self._decisions is not None:
            self._decisions.write(
                [line for tick in batch if isinstance(tick, MixTick) for line in decisions.take(tick)]
            )
        if self._replay is not None:
            self._replay.write(
                [
                    line
                    for tick in batch
                    for line in (
                        replay.take(tick) if isinstance(tick, MixTick) else [msgspec.json.encode(tick)]
                    )
                ]
            )


def _beside(log: Path, suffix: str) -> Path:
    return log.with_name(f"{log.stem}{suffix}")


def _totals(file: LineFile | None) -> LineFileTotals | None:
    return None if file is None else LineFileTotals(file.path, file.lines, file.bytes_written, file.failure)
