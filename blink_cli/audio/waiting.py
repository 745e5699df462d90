"""Time for the voice threads: reading the monotonic clock and sleeping until a moment of it."""

import time
from typing import Protocol


class Clock(Protocol):
    """What a voice thread needs of time. Tests pass one whose time is virtual."""

    def now_s(self) -> float:
        """Return the monotonic time."""

    def wait_until(self, when_s: float) -> None:
        """Return at `when_s` or shortly after; at once if it has passed."""


class MonotonicClock:
    """The machine's."""

    def now_s(self) -> float:
        """Return `time.monotonic()`, the time in which packets' arrivals are given too."""
        return time.monotonic()

    def wait_until(self, when_s: float) -> None:
        """Sleep. On Linux this wakes within about 0.1 ms when the processor is free."""
        delay_s = when_s - time.monotonic()
        if delay_s > 0.0:
            time.sleep(delay_s)
