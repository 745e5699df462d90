"""Wakes a machine of `core` when it asked to be woken."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

LEAST_DELAY_S: Final = 0.001
"""uvloop counts in whole milliseconds, rounded to the nearest: a shorter delay would be none."""


def next_beat_s(now_s: float, period_s: float) -> float:
    """The next of the moments at which everything with this period happens, so that one wake-up serves all; one that has just been, or is a quarter of a period off, is over."""
    return period_s * (int(now_s / period_s + 0.25) + 1)


class WakeTimer:
    """One pending wake-up on the event loop. A machine's `next_timeout` changes with every input: set it again after each."""

    def __init__(self, wake: Callable[[], None], *, slack_s: float = 0.0) -> None:
        """Prepare.

        Args:
            wake: Called on the event loop, at the time set or a little later.
            slack_s: How much later is as good: with `LEAST_DELAY_S` there is one wake-up, where otherwise half of them come early and wait once more.

        """
        self._wake = wake
        self._slack_s = slack_s
        self._handle: asyncio.TimerHandle | None = None
        self._due_s: float | None = None

    def set(self, due_s: float | None) -> None:
        """Wake at this monotonic second, and not at the one set before; None: not at all."""
        if due_s == self._due_s and self._handle is not None:
            return
        self.cancel()
        if due_s is None:
            return
        self._due_s = due_s
        delay_s = max(0.0, due_s - time.monotonic()) + self._slack_s
        self._handle = asyncio.get_running_loop().call_later(delay_s, self._fire)

    def cancel(self) -> None:
        """Do not wake."""
        if self._handle is not None:
            self._handle.cancel()
        self._handle = self._due_s = None

    def _fire(self) -> None:
        # Half of uvloop's timers come up to a millisecond early. A machine has nothing to do then, and would ask again and again until it is time.
        left_s = 0.0 if self._due_s is None else self._due_s - time.monotonic()
        if left_s > 0:
            delay_s = max(left_s, LEAST_DELAY_S)
            self._handle = asyncio.get_running_loop().call_later(delay_s, self._fire)
            return
        self._handle = self._due_s = None
        self._wake()
