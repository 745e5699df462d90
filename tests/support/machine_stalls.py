"""Whether the machine that runs the tests stood still: its host, or other processes, kept everything here from running.

A virtual machine's processors can be taken away for tenths of a second. No program hides that from a call, and a test that listens to one fails.
"""

import threading
import time
from dataclasses import dataclass
from typing import Final

from benches.machine_noise import stolen_percent, stolen_s

LOOK_S: Final = 0.01
STALL_S: Final = 0.05
"""A thread that does nothing but wait comes so late only if nothing ran in time. Playout hides less than that."""

STOLEN_PERCENT: Final = 5.0


@dataclass(frozen=True, slots=True)
class Disturbance:
    """What a machine went through in a stretch of time."""

    longest_s: float
    """By how much a waiting thread woke too late, at most."""

    stolen_percent: float
    """Of all processors' time."""

    @property
    def stalled(self) -> bool:
        """Whether a test that depends on time proves nothing."""
        return self.longest_s > STALL_S or self.stolen_percent > STOLEN_PERCENT

    def __str__(self) -> str:
        """Tell it to the reader of a failure."""
        return f"a waiting thread woke up to {1000 * self.longest_s:.0f} ms late; the host took {self.stolen_percent:.1f} % of the processors"


class StallWitness:
    """A thread that waits, and measures how late it wakes. Costs 0.3 % of a core."""

    def __init__(self) -> None:
        """Watch nothing yet."""
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, name="stall witness", daemon=True)
        self._longest_s = 0.0
        self._since_s = time.monotonic()
        self._stolen_s = stolen_s()

    def start(self) -> None:
        """Watch from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Watch no more."""
        self._over.set()
        self._thread.join()

    def begin(self) -> None:
        """Forget what was: another stretch begins."""
        self._longest_s = 0.0
        self._since_s = time.monotonic()
        self._stolen_s = stolen_s()

    def seen(self) -> Disturbance:
        """What has been since `begin`."""
        elapsed_s = max(time.monotonic() - self._since_s, LOOK_S)
        return Disturbance(self._longest_s, stolen_percent(self._stolen_s, elapsed_s))

    def _look(self) -> None:
        before_s = time.monotonic()
        while not self._over.wait(LOOK_S):
            now_s = time.monotonic()
            self._longest_s = max(self._longest_s, now_s - before_s - LOOK_S)
            before_s = now_s
