"""The thread that measures how loud everybody in a call is. It stands behind the voice and cannot disturb it.

    voice threads ──> LoudnessFeed of each voice ──> [thread "blink-loudness"] once a second ──> LiveLoudness
                                                 └─> whoever asks for a reading, for what waits then

What waits is bounded, and nobody waits for this thread. To measure a second at once takes half the time that ten wake-ups take.
"""

import threading
from collections.abc import Callable
from typing import Final

from blink_cli.audio.loudness.live_loudness import LiveLoudness
from blink_cli.audio.thread_priority import make_urgent

EVERY_S: Final = 1.0


class LoudnessThread:
    """Runs between `start` and `stop`. Its methods may be called from any thread but its own."""

    def __init__(self, *, meter: Callable[[], LiveLoudness] = LiveLoudness) -> None:
        """Measure nobody yet.

        Args:
            meter: Makes the meter of one voice.

        """
        self._new_meter = meter
        self._meters: tuple[LiveLoudness, ...] = ()
        self._changing = threading.Lock()
        """Between those who add. The thread reads one tuple at a time."""

        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start measuring. Once."""
        assert self._thread is None, "started once"
        self._thread = threading.Thread(target=self._run, name="blink-loudness", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Measure no more, and wait for that: a few ms. Safe to call twice and without a start."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def add(self) -> LiveLoudness:
        """Measure one more voice until the thread ends."""
        added = self._new_meter()
        with self._changing:
            self._meters = (*self._meters, added)
        return added

    def _run(self) -> None:
        # While it holds the interpreter's lock, another program that takes the processor from it takes it from the voice threads as well.
        make_urgent()
        while not self._stopping.wait(EVERY_S):
            for one in self._meters:
                one.keep_up()
