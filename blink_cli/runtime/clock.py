"""Time: reading the monotonic clock and sleeping until a moment of it."""

import time
from typing import Protocol


class Clock(Protocol):
    """What the program needs of time. Tests pass one whose time is virtual."""

    def now_s(self) -> float:
        """Return the monotonic time."""

    def wait_until(self, when_s: float) -> None:
        """Return at `when_s` or shortly after; at once if it has passed. Blocks: for threads, never on an event loop."""


class MonotonicClock:
    """The machine's."""

    now_s = staticmethod(time.monotonic)
    """The time in which packets' arrivals are given too."""

    def wait_until(self, when_s: float) -> None:
        """Sleep. On Linux this wakes within about 0.1 ms when the processor is free."""
        delay_s = when_s - time.monotonic()
        if delay_s > 0.0:
            time.sleep(delay_s)
