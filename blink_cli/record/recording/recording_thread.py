"""The thread that writes a recording, and the bounded queue that leads to it.

    [event loop] tap ──put──> deque ──five times a second──> [thread "blink-record"] Recording ──> disk

The call never waits: `put` appends and returns. When the disk is so slow that the queue is full, what comes is dropped and counted, and
the tracks say `overload` there; when it stands still altogether, `stalled_s` grows, and the owner gives the recording up.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Final

import msgspec

from blink_cli.record.failure_text import failure_text
from blink_cli.record.recording.recording import Recording, RecordingPlan
from blink_cli.record.recording.sidecar import Sidecar

STEP_S: Final = 0.2
"""Between two looks: a tenth of the wakings that a packet each would cost."""

MOST_QUEUED: Final = 12_000
"""Half a minute of eight participants; some ten megabytes."""

_log = logging.getLogger(__name__)


class RecordingOutcome(msgspec.Struct, frozen=True):
    """How a recording ended."""

    reason: str
    sidecar: Sidecar | None
    """What was written; None when the disk failed: then the unfinished file is what there is."""

    failed: bool
    """It ended against everybody's will."""


class RecordingThread:
    """Owns the thread from `start` until its `on_ended`. Its methods but `put` belong to the event loop's thread."""

    def __init__(
        self,
        plan: RecordingPlan,
        *,
        on_begun: Callable[[Recording], None],
        on_ended: Callable[[RecordingOutcome], None],
    ) -> None:
        """Prepare; nothing is touched yet.

        Args:
            plan: What to record.
            on_begun: Called on the thread when the file is on the disk and can be read by others.
            on_ended: Called on the thread as its last word, exactly once.

        """
        self._plan = plan
        self._on_begun = on_begun
        self._on_ended = on_ended
        self._queue: deque[tuple[Callable[..., None], tuple[Any, ...]]] = deque()
        self._putting = threading.Lock()
        """Voices are put by the event loop, pictures by the thread that encodes them."""

        self._wake = threading.Event()
        self._stop_reason: str | None = None
        self._stop_s = 0.0
        self._failed = False
        self._dropping_since_s: float | None = None
        self._dropping = 0
        self._alive_s = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="blink-record", daemon=True)
        self.dropped = 0
        """Packets that never came to the thread."""

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def put(self, call: Callable[..., None], *arguments: Any) -> None:
        """Have a method of `Recording`, unbound, called with it and these arguments, on the thread. Any thread; returns at once.

        Behind `stop` it is nothing. When the queue is full it is dropped, and the recording is told so as soon as there is room.
        """
        if self._stop_reason is not None:
            return  # what comes now belongs to another call
        queue = self._queue
        with self._putting:
            if len(queue) >= MOST_QUEUED:
                if self._dropping_since_s is None:
                    self._dropping_since_s = time.monotonic()
                self._dropping += 1
                self.dropped += 1
                return
            self._tell_dropped()
            queue.append((call, arguments))

    def stop(self, reason: str, now_s: float) -> None:
        """End the recording at `now_s`. Returns at once; safe to call twice, the first reason holds."""
        if self._stop_reason is None:
            with self._putting:
                self._tell_dropped()
            self._stop_s = now_s
            self._stop_reason = reason
            self._wake.set()

    def fail(self, reason: str, now_s: float) -> None:
        """End the recording at `now_s`, as `stop`, because something is wrong: its outcome will say so."""
        if self._stop_reason is None:
            self._failed = True
        self.stop(reason, now_s)

    def stalled_s(self, now_s: float) -> float:
        """How long the thread has been at one and the same step: at the disk."""
        return now_s - self._alive_s if self._thread.is_alive() else 0.0

    def join(self, timeout_s: float) -> bool:
        """Wait for its end; whether it has ended."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _tell_dropped(self) -> None:
        """Say what was dropped, in its place among the packets."""
        if self._dropping_since_s is not None:
            told = (self._dropping, self._dropping_since_s, time.monotonic())
            self._queue.append((Recording.dropped, told))
            self._dropping, self._dropping_since_s = 0, None

    # the thread

    def _run(self) -> None:
        try:
            recording = Recording.create(self._plan)
        except OSError as failure:
            self._on_ended(RecordingOutcome(failure_text(failure), None, failed=True))
            return
        except Exception as failure:  # noqa: BLE001 - whatever it is, somebody waits for the end
            _log.exception("the recording could not begin")
            self._on_ended(RecordingOutcome(f"an error in the program: {failure!r}", None, failed=True))
            return
        try:
            sidecar = self._record(recording)
            assert self._stop_reason is not None, "it records until it is told to stop"
            outcome = RecordingOutcome(self._stop_reason, sidecar, failed=self._failed)
        except OSError as failure:
            outcome = RecordingOutcome(failure_text(failure), None, failed=True)
            self._give_up(recording, outcome.reason)
        except Exception as failure:  # noqa: BLE001 - as above
            _log.exception("the recording failed")
            outcome = RecordingOutcome(f"an error in the program: {failure!r}", None, failed=True)
            self._give_up(recording, outcome.reason)
        self._on_ended(outcome)

    def _record(self, recording: Recording) -> Sidecar:
        begun = False
        while True:
            self._wake.wait(STEP_S)
            # First the wish to stop, then the queue: what was put before it is recorded.
            stopping = self._stop_reason
            now_s = time.monotonic()
            self._alive_s = now_s
            self._drain(recording)
            if stopping is not None:
                return recording.finish(self._stop_s, stopping)
            recording.advance(now_s)
            if not begun and recording.on_disk:
                begun = True
                self._on_begun(recording)

    def _drain(self, recording: Recording) -> None:
        # Not more than is there now: the loop goes on filling it.
        for _ in range(len(self._queue)):
            call, arguments = self._queue.popleft()
            call(recording, *arguments)

    def _give_up(self, recording: Recording, reason: str) -> None:
        try:
            recording.give_up(reason)
        except OSError as failure:
            _log.warning("the sidecar of the recording could not be written: %s", failure_text(failure))
        except Exception:  # noqa: BLE001 - as above
            _log.exception("the failed recording could not be closed")
