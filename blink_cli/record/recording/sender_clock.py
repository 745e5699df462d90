"""Where on this session's clock a sender's RTP time lies.

    packet, or sender report ──> transit = arrival - RTP time ──> least of the last 10 s ──> less half a round trip ──> offset, slowly

A packet is never early: of many, the one that was least late tells how the two clocks stand to each other. The least of a sliding
window follows a clock that runs fast at once, and one that runs slow with the window's length: at 200 ppm 2 ms late. A sender report
tells the RTP time of the moment at which it was sent (RFC 3550, section 6.4.1), so it is one more such observation, and one without the
time that framing and pacing took; it keeps the offset right through DTX and mute, when there are few packets.

Half of the shortest round trip is taken off, so that a track holds what was said when it was said, not when it was heard here.
"""

import sys
from collections import deque
from typing import Final

WINDOW_S: Final = 10.0
"""How long an observation counts: long enough to meet a quiet moment of a bad network, short enough for drift."""

BUCKET_S: Final = 0.5

SETTLING_S: Final = 10.0
"""At first the estimate is rough, and is corrected quickly."""

SETTLING_TIME_CONSTANT_S: Final = 2.0
TIME_CONSTANT_S: Final = 20.0
LEAST_RATE: Final = 4e-4
"""Seconds a second: more than any sound card drifts, so a small error is always caught up with."""


class LeastOfWindow:
    """The least of the values of the last seconds, kept in buckets: of these only those that are less than all behind them, so that the first one is the least."""

    __slots__ = ("_buckets", "_newest", "_window_buckets")

    def __init__(self, window_s: float) -> None:
        self._window_buckets = int(window_s / BUCKET_S)
        self._newest = -sys.maxsize
        self._buckets: deque[tuple[int, float]] = deque()

    def add(self, value: float, at_s: float) -> None:
        """Take one value. `at_s` does not run backwards by more than a bucket."""
        bucket = self._newest = max(int(at_s / BUCKET_S), self._newest)
        buckets = self._buckets
        if buckets and buckets[-1][0] == bucket and buckets[-1][1] <= value:
            return
        while buckets and buckets[-1][1] >= value:
            buckets.pop()
        buckets.append((bucket, value))
        while buckets[0][0] < bucket - self._window_buckets:
            buckets.popleft()

    @property
    def least(self) -> float | None:
        """None before the first value."""
        return self._buckets[0][1] if self._buckets else None


class SenderClock:
    """Follows one stream of RTP times, extended to plain integers by its user. Pure; any one thread."""

    __slots__ = ("_began_s", "_moved_s", "_offset_s", "_transits")

    def __init__(self) -> None:
        self._transits = LeastOfWindow(WINDOW_S)
        self._offset_s: float | None = None
        self._began_s = 0.0
        self._moved_s = 0.0

    def observe(self, transit_s: float, at_s: float) -> None:
        """Take one observation.

        Args:
            transit_s: Monotonic time less RTP time, both in seconds: of a packet's arrival and the end of its frame, or of a sender
                report's arrival and its RTP timestamp.
            at_s: The arrival.

        """
        self._transits.add(transit_s, at_s)

    def follow(self, now_s: float, path_s: float) -> float:
        """Move the offset on to `now_s` and return it: RTP time plus this is monotonic time.

        Args:
            now_s: Monotonic; does not run backwards.
            path_s: How long the fastest packet was under way.

        """
        least = self._transits.least
        assert least is not None, "a clock is asked after its first observation"
        target_s = least - path_s
        if self._offset_s is None:
            self._offset_s, self._began_s, self._moved_s = target_s, now_s, now_s
            return target_s
        passed_s, self._moved_s = now_s - self._moved_s, now_s
        constant_s = SETTLING_TIME_CONSTANT_S if now_s - self._began_s < SETTLING_S else TIME_CONSTANT_S
        error_s = target_s - self._offset_s
        most_s = max(LEAST_RATE, abs(error_s) / constant_s) * max(passed_s, 0.0)
        self._offset_s += min(max(error_s, -most_s), most_s)
        return self._offset_s

    @property
    def least_transit_s(self) -> float | None:
        """The least of the observations that count; None before the first."""
        return self._transits.least

    @property
    def offset_s(self) -> float:
        """The offset as `follow` left it."""
        assert self._offset_s is not None, "followed before"
        return self._offset_s
