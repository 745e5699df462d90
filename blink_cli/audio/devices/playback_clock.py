"""When each frame given to a real speaker is heard, told from its callbacks. Pure: values in, values out.

    callback: frames before it, its time, latency ──> observe ──> heard_at(frame)

Each callback says when its first frame will be heard: now and the system's latency. Less the frame's number this is the moment at which
frame 0 would have been heard, the "origin", the same in every callback as long as the device plays on. What systems say of their latency
varies by milliseconds from one callback to the next; a canceller of echo needs to know it to a fraction of one, and steadily. So the
origin is the middle one of many, and follows them slower than any echo path's filter adapts. Only where it moved for good by more than
devices vary (a server that stood still, a stream that was moved to another device) it jumps.
"""

from collections import deque
from dataclasses import dataclass, field
from statistics import median
from typing import Final

MOST_CALLBACKS: Final = 101
"""A second and more of ordinary callbacks: the middle one of these varies by a tenth of what single ones vary by."""

LEAST_CALLBACKS: Final = 5
"""Before so many were seen the origin is simply the middle one."""

FOLLOWS: Final = 0.0005
"""How fast the origin follows, in seconds a second: 500 ppm, more than sound cards drift."""

JUMP_S: Final = 0.008
"""A difference that is more than variation: a real change of latency."""

SURE_CALLBACKS: Final = 8
"""So many callbacks one after the other, all beyond `JUMP_S` on one side, are no variation."""


@dataclass(slots=True)
class PlaybackClock:
    """One for each start of a device. `observe` belongs to the sound system's thread, `heard_at` to any: it reads one number."""

    sample_rate_hz: int
    _origin_s: float | None = None
    _recent: deque[float] = field(default_factory=lambda: deque(maxlen=MOST_CALLBACKS))
    _strayed: deque[float] = field(default_factory=lambda: deque(maxlen=SURE_CALLBACKS))
    _last_s: float = 0.0

    def observe(self, frames_before: int, called_at: float, latency_s: float) -> None:
        """Take one callback.

        Args:
            frames_before: Frames that the device took before this callback.
            called_at: When it came, monotonic.
            latency_s: Until its first frame is heard, by what the system says.

        """
        told_s = called_at + latency_s - frames_before / self.sample_rate_hz
        if self._origin_s is None:
            self._begin([told_s], called_at)
            return
        if abs(told_s - self._origin_s) > JUMP_S:
            if self._strayed and (self._strayed[0] > self._origin_s) != (told_s > self._origin_s):
                self._strayed.clear()
            self._strayed.append(told_s)
            if len(self._strayed) == SURE_CALLBACKS:
                self._begin(list(self._strayed), called_at)
            return
        self._strayed.clear()
        self._recent.append(told_s)
        middle_s = median(self._recent)
        if len(self._recent) < LEAST_CALLBACKS:
            self._origin_s = middle_s
        else:
            most_s = FOLLOWS * max(0.0, called_at - self._last_s)
            self._origin_s += min(max(middle_s - self._origin_s, -most_s), most_s)
        self._last_s = called_at

    def heard_at(self, frame: int) -> float | None:
        """Return when `frame` will be, or was, heard, monotonic; None before the first callback."""
        origin_s = self._origin_s
        return None if origin_s is None else origin_s + frame / self.sample_rate_hz

    def _begin(self, told: list[float], called_at: float) -> None:
        self._strayed.clear()
        self._recent.clear()
        self._recent.extend(told)
        self._origin_s = median(told)
        self._last_s = called_at
