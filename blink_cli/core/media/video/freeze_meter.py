"""When the pictures of a stream stood still (W3C webrtc-stats, freezeCount and totalFreezesDuration)."""

from collections import deque
from typing import Final

FRAMES: Final = 30
"""Of the last so many the mean time between two counts."""

LONGER_BY_S: Final = 0.15
TIMES: Final = 3.0


class FreezeMeter:
    """Of one stream. Pure."""

    def __init__(self) -> None:
        """Have seen nothing."""
        self.freeze_count = 0
        self.total_freezes_s = 0.0
        self.total_between_s = 0.0
        """Sum of the times between two pictures (totalInterFrameDelay)."""

        self.frames = 0
        self._between: deque[float] = deque(maxlen=FRAMES)
        self._shown_at: float | None = None

    def shown(self, now_s: float) -> None:
        """A picture takes the place of the one before it."""
        before = self._shown_at
        self._shown_at = now_s
        self.frames += 1
        if before is None:
            return
        between_s = now_s - before
        if self._between:
            mean_s = sum(self._between) / len(self._between)
            if between_s > max(TIMES * mean_s, mean_s + LONGER_BY_S):
                self.freeze_count += 1
                self.total_freezes_s += between_s
        self._between.append(between_s)
        self.total_between_s += between_s

    def stopped(self) -> None:
        """No picture is sent any more: what comes later is no freeze."""
        self._shown_at = None
        self._between.clear()

    @property
    def frames_per_second(self) -> float | None:
        """By the last pictures; None before there are some."""
        total_s = sum(self._between)
        return len(self._between) / total_s if total_s > 0 else None
