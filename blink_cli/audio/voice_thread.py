"""The thread under the devices of a session: it does what is due of each, one after the other, and sleeps until the next is due.

    step of the microphone ──┐
                             ├──> each says until when it sleeps, and is left alone until then ──> before_wait ──> sleep until the first of these
    step of the speaker ─────┘

In a session it is what is called the capture thread where the microphone is meant, and the playout thread where the speaker is. Who has but one device gives it a
thread of its own. One for both, because two that are due at the same moment only wait for each other's interpreter lock: every call into libopus or the system gives it away.
"""

import math
import threading
from collections import deque
from collections.abc import Callable
from typing import Final

from blink_cli.audio.thread_priority import Urgency, make_urgent
from blink_cli.runtime.clock import Clock

Step = Callable[[], float | None]
"""One piece of work, at most some 50 ms long. Returns until when it has nothing to do, in monotonic seconds; None to be called again at once."""

SOON_S: Final = 0.02
"""For so long a device may wait for the others' moment."""

_AT_ONCE_S: Final = -math.inf

ENDED: Final = math.inf
"""Returned by a step that is not to be called any more."""


class VoiceThread:
    """Runs while it has steps. Its methods may be called from any thread but its own."""

    def __init__(self, name: str, clock: Clock, *, before_wait: Callable[[], None] | None = None) -> None:
        """Have no thread yet.

        Args:
            name: The thread's.
            clock: What it sleeps by.
            before_wait: Called on the thread each time that nothing is due, before it sleeps; must not wait or raise.

        """
        self._name = name
        self._clock = clock
        self._before_wait = before_wait
        self._steps: tuple[Step, ...] = ()
        self._changing = threading.Lock()
        """Held only to change what the thread does next, never while anybody works or waits."""

        self._awaited: deque[threading.Event] = deque()
        """Set by the thread when a turn is over."""

        self._thread: threading.Thread | None = None
        self._wakes_at: float | None = None
        self.urgency = Urgency.ORDINARY
        """How the system schedules it."""

    def add(self, step: Step) -> None:
        """Call this from now on, again and again, and start the thread if there is none."""
        started: threading.Thread | None = None
        with self._changing:
            # The newest first: that is the microphone mostly, and what it brings goes to others.
            self._steps = (step, *self._steps)
            if self._thread is None:
                started = self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        if started is not None:
            started.start()

    def meeting_s(self, now_s: float) -> float:
        """Return when a device that may start at any moment should: when this thread wakes next anyway, so that one wake-up serves all; now without such a moment."""
        wakes_at = self._wakes_at
        return wakes_at if wakes_at is not None and now_s < wakes_at <= now_s + SOON_S else now_s

    def remove(self, step: Step) -> None:
        """Call it no more; when this returns it does not run. No harm if it is not there. The last one ends the thread."""
        turn_over = threading.Event()
        with self._changing:
            thread = self._thread
            self._steps = left = tuple(other for other in self._steps if other != step)
            if thread is None:
                return
            self._awaited.append(turn_over)
        if left:
            turn_over.wait()
        else:
            thread.join()

    # The thread.

    def _run(self) -> None:
        self.urgency = make_urgent()
        now_s = self._clock.now_s
        known: tuple[Step, ...] = ()
        sleeps_until: dict[Step, float] = {}
        while steps := self._next_steps(known):
            if steps is not known:
                known, sleeps_until = steps, {step: sleeps_until.get(step, _AT_ONCE_S) for step in steps}
            for step in steps:
                if sleeps_until[step] <= now_s():
                    until_s = step()
                    sleeps_until[step] = _AT_ONCE_S if until_s is None else until_s
                    if until_s == ENDED:
                        self._drop(step)
            first_s = min(sleeps_until.values())
            if first_s > now_s():
                if self._before_wait is not None:
                    self._before_wait()
                if first_s != ENDED:
                    self._wakes_at = first_s
                    self._clock.wait_until(first_s)

    def _next_steps(self, known: tuple[Step, ...]) -> tuple[Step, ...]:
        """What to do in the next turn. With nothing left there is no thread any more, for who adds something."""
        if known and self._steps is known and not self._awaited:
            return known
        with self._changing:
            steps = self._steps
            if not steps:
                self._thread = None
            while self._awaited:
                self._awaited.popleft().set()
        return steps

    def _drop(self, step: Step) -> None:
        with self._changing:
            self._steps = tuple(other for other in self._steps if other != step)
