"""Virtual time for voice threads: they run as fast as they can, up to the moment that the test allows."""

import threading


class ManualClock:
    """A `Clock` whose time moves only as far as the test says. One voice thread and one test use it."""

    def __init__(self, now_s: float = 1000.0) -> None:
        self._now_s = now_s
        self._limit_s = now_s
        self._released = False
        self._parked = False
        self._changed = threading.Condition()

    def now_s(self) -> float:
        """Return the virtual time."""
        return self._now_s

    def wait_until(self, when_s: float) -> None:
        """Jump there, or park until the test lets time pass."""
        with self._changed:
            while when_s > self._limit_s and not self._released:
                self._now_s = max(self._now_s, self._limit_s)
                self._parked = True
                self._changed.notify_all()
                self._changed.wait(10)
            self._parked = False
            self._now_s = max(self._now_s, when_s)

    def advance(self, seconds: float) -> None:
        """Let the thread live through the next `seconds`, and return when it has."""
        with self._changed:
            self._limit_s += seconds
            self._parked = False
            self._changed.notify_all()
            assert self._changed.wait_for(lambda: self._parked, timeout=20), "the thread did not come to rest"

    def freeze_process(self, seconds: float) -> None:
        """Let time pass without the thread, as when the process is stopped; it wakes late."""
        with self._changed:
            self._limit_s += seconds
            self._now_s += seconds
            self._parked = False
            self._changed.notify_all()
            assert self._changed.wait_for(lambda: self._parked, timeout=20), "the thread did not come to rest"

    def let_pass(self, seconds: float) -> None:
        """Let time pass at once. The thread wakes; nobody waits until it rests."""
        with self._changed:
            self._limit_s += seconds
            self._now_s = self._limit_s
            self._changed.notify_all()

    def release(self) -> None:
        """Let the thread run to its end."""
        with self._changed:
            self._released = True
            self._changed.notify_all()
