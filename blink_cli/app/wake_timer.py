"""Wakes a machine of `core` when it asked to be woken."""

import asyncio
import time
from collections.abc import Callable


class WakeTimer:
    """One pending wake-up on the event loop. A machine's `next_wake` changes with every input: set it again after each."""

    def __init__(self, wake: Callable[[], None]) -> None:
        """Prepare; `wake` is called on the event loop, at the time set or a little later."""
        self._wake = wake
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
        delay_s = max(0.0, due_s - time.monotonic())
        self._handle = asyncio.get_running_loop().call_later(delay_s, self._fire)

    def cancel(self) -> None:
        """Do not wake."""
        if self._handle is not None:
            self._handle.cancel()
        self._handle = self._due_s = None

    def _fire(self) -> None:
        self._handle = self._due_s = None
        self._wake()
