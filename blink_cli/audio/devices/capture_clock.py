"""When each frame of a real microphone was captured, told from when its callbacks came. Pure: values in, values out.

    callback: frames so far, arrival, latency ──> observe ──> captured_at(frame), released, break_behind(frame)

A frame is never captured after it came, and usually a fixed time before: of many callbacks, the one that was least late tells how the
device's frames lie on the monotonic clock (arrival less frame number, the "level"). Three things make a level rise:

- a callback comes late, or the sound server stood still and held the sound back: later callbacks catch up, and the level is as before;
- sound is missing: no callback catches up. The difference is the gap, and it lies behind the last frame that came in time;
- the system needs longer than before from microphone to callback: it says so (its latency rises by as much), and nothing is missing.

So after a late callback frames are held until callbacks have caught up, or have caught up no further for a while. The
device's own clock, a few hundred ppm fast or slow, is followed so slowly that it is never taken for a gap.
"""

from collections import deque
from collections.abc import Sequence
from statistics import median
from typing import Final, NamedTuple

ON_TIME_S: Final = 0.01
"""A callback that is no later than this is in time; less than this is never called a gap, and after more frames wait until it is
clear when they were captured."""

SHORTEST_SETTLE_S: Final = 0.02
LONGEST_SETTLE_S: Final = 0.045
"""After a stall callbacks come one behind the other until all that was held back is there. When for twice the usual time between callbacks,
within these limits, none came closer to its time, the rest is missing."""

LEAST_PUNCTUAL: Final = 3
IMPROVED_S: Final = 0.002
WINDOW_S: Final = 0.25
"""Of the callbacks in it, the one that was least late tells the time: longer than the period of any sound server in a call."""

LATENCY_CHANGE_S: Final = 0.008
"""What the system tells of its latency varies by a period; a real change is more."""

VARIES: Final = 0.0002
"""How fast smaller variations are followed, in seconds a second: they are there for a second or two after a stall, and mean nothing."""

LONGEST_LATENCY_S: Final = 60.0
"""A latency beyond this, or below zero, is an error of the driver and counts as unknown."""

RISE: Final = 0.001
"""How fast the estimate follows a rising level, in seconds a second: 1,000 ppm, more than any sound card drifts."""

FALL: Final = 0.04
"""How fast it follows an estimate that was too late: below a millisecond within a frame of the codec."""

FORGET_GAP_S: Final = 10.0
"""For how long sound that was given up may still turn up. Until then every callback that comes `IMPROVED_S` earlier than it could have shows
that so much of the gap was none: under overload small false ones would add up otherwise."""


class _Callback(NamedTuple):
    arrived_at: float
    level_s: float
    held_s: float
    """How much longer than its own length it took from the microphone, by what the system says; 0 if it says nothing."""


class CaptureClock:
    """One for each start of a device. Belongs to the capture thread."""

    def __init__(self, sample_rate_hz: int) -> None:
        self._rate_hz = sample_rate_hz
        self._window: deque[_Callback] = deque()
        self._level_s: float | None = None
        self._held_s = 0.0
        self._origin_s = 0.0
        """When frame 0 would have been captured, by what is known of the newest frames."""

        self._breaks: deque[tuple[int, float]] = deque()
        """The first frame behind a place where sound is missing, and how much."""

        self._late: list[_Callback] = []
        self._late_from = 0
        self._best_s = 0.0
        self._best_at = 0.0
        self._end = 0
        self._settle_s = LONGEST_SETTLE_S
        self._given_up: deque[tuple[float, float]] = deque()
        self.released = 0
        """Frames before this one have their time and may be read."""

    def observe(self, end: int, frames: int, arrived_at: float, latency_s: float | None) -> None:
        """Take one callback.

        Args:
            end: Frames since the start, those of this callback included.
            frames: Of this callback.
            arrived_at: When it came, monotonic.
            latency_s: From the capture of its first frame to the callback, by what the system says; None if it says nothing.

        """
        believed = latency_s is not None and 0.0 <= latency_s <= LONGEST_LATENCY_S
        held_s = max(0.0, latency_s - frames / self._rate_hz) if believed and latency_s is not None else 0.0
        callback = _Callback(arrived_at, arrived_at - end / self._rate_hz, held_s)
        on_time_before, self._end = self._end, end
        if self._level_s is not None and callback.level_s - self._level_s <= ON_TIME_S:
            self._in_time(callback, frames)
            self.released = end
            return
        self._note_late(callback, on_time_before)
        if arrived_at - self._best_at >= self._settle_s:
            self._settle()

    def captured_at(self, frame: int) -> float:
        """Return when `frame` was captured, monotonic. Only once it is released."""
        missing_s = sum(gap_s for first, gap_s in self._breaks if first > frame)
        return self._origin_s + frame / self._rate_hz - missing_s

    def break_behind(self, frame: int) -> int | None:
        """Return the first frame behind the next place where sound is missing, if that lies behind `frame`.

        What lies before is forgotten: `frame` never runs backwards.
        """
        while self._breaks and self._breaks[0][0] <= frame:
            self._breaks.popleft()
        return self._breaks[0][0] if self._breaks else None

    def _in_time(self, callback: _Callback, frames: int) -> None:
        assert self._level_s is not None, "there is a level to be in time with"
        fall_s = self._level_s - callback.level_s
        if fall_s > (IMPROVED_S if self._young_gap(callback.arrived_at) else ON_TIME_S):
            self._turned_up(callback, fall_s)
        self._late.clear()
        window = self._window
        window.append(callback)
        while window[0].arrived_at < callback.arrived_at - WINDOW_S:
            window.popleft()
        if len(window) > 1:
            usual_s = (callback.arrived_at - window[0].arrived_at) / (len(window) - 1)
            self._settle_s = min(max(2 * usual_s, SHORTEST_SETTLE_S), LONGEST_SETTLE_S)
        passed_s = frames / self._rate_hz
        least_s = min(known.level_s for known in window)
        self._level_s = min(least_s, self._level_s + RISE * passed_s)
        # In the middle: the system's word varies from one callback to the next. Those that came late were held, too.
        punctual = [known for known in window if known.level_s < least_s + IMPROVED_S]
        if len(punctual) >= LEAST_PUNCTUAL:
            change_s = _held(punctual) - self._held_s
            if abs(change_s) < LATENCY_CHANGE_S:
                most_s = VARIES * passed_s
                change_s = min(max(change_s, -most_s), most_s)
            self._held_s += change_s
        error_s = self._level_s - self._held_s - self._origin_s
        self._origin_s += min(max(error_s, -FALL * passed_s), RISE * passed_s)

    def _turned_up(self, callback: _Callback, fall_s: float) -> None:
        """Sound came earlier than it could have by what was known: what was called missing was only late, or latency fell."""
        told_s = self._held_s - callback.held_s
        if told_s > LATENCY_CHANGE_S:
            fall_s -= told_s
            # At once: the next callback may be late again, before three were punctual.
            self._held_s = callback.held_s
        # What is told of the latency varies: never place sound before the time that this callback itself proves.
        fall_s = min(fall_s, self._origin_s - (callback.level_s - self._held_s))
        while fall_s > 0.0 and self._young_gap(callback.arrived_at):
            at_s, gap_s = self._given_up.pop()
            self._origin_s -= min(gap_s, fall_s)
            if gap_s > fall_s:
                # The rest may be as false, and turn up when callbacks come better still.
                self._given_up.append((at_s, gap_s - fall_s))
            fall_s -= gap_s
        self._window.clear()

    def _young_gap(self, now_s: float) -> bool:
        return bool(self._given_up) and now_s - self._given_up[-1][0] < FORGET_GAP_S

    def _note_late(self, callback: _Callback, on_time_before: int) -> None:
        if not self._late:
            self._late_from = on_time_before
            self._best_s, self._best_at = callback.level_s, callback.arrived_at
        elif callback.level_s < self._best_s - IMPROVED_S:
            self._best_at = callback.arrived_at
        self._best_s = min(self._best_s, callback.level_s)
        self._late = [known for known in self._late if known.level_s < self._best_s + 2 * IMPROVED_S]
        self._late.append(callback)

    def _settle(self) -> None:
        """Nothing more catches up: the rest is missing, unless the system says that the sound only takes longer now."""
        best = deque(known for known in self._late if known.level_s < self._best_s + 2 * IMPROVED_S)
        held_s = _held(best)
        if self._level_s is None:
            self._origin_s = self._best_s - held_s
        else:
            risen_s = self._best_s - self._level_s
            longer_s = held_s - self._held_s
            gap_s = risen_s - longer_s if longer_s > LATENCY_CHANGE_S else risen_s
            if gap_s > ON_TIME_S:
                self._breaks.append((self._late_from, gap_s))
                self._origin_s += gap_s
                now_s = self._late[-1].arrived_at
                while self._given_up and now_s - self._given_up[0][0] > FORGET_GAP_S:
                    self._given_up.popleft()
                self._given_up.append((now_s, gap_s))
        self._level_s, self._held_s = self._best_s, held_s
        self._window = best
        self._late = []
        self.released = self._end


def _held(callbacks: Sequence[_Callback]) -> float:
    return median(callback.held_s for callback in callbacks)
