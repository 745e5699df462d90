"""Keeps one trouble that comes and goes from filling a screen."""

from collections import deque
from typing import Final

WINDOW_S: Final = 60.0
MOST_TOLD: Final = 2
"""In a window, each with its end. More lines say nothing new."""

LASTING_S: Final = 5.0
"""One that lasts is told in any case: nobody would know why there is no sound."""


class RepeatedTrouble:
    """One kind of trouble. Fed when it begins, while it lasts, and when it ends."""

    def __init__(self) -> None:
        self._told_at: deque[float] = deque()
        self._begun_at: float | None = None
        self._told = False
        self._untold = 0

    def begins(self, now_s: float) -> int | None:
        """Return how many were kept back before, if this one is to be told now; None if not."""
        self._begun_at = now_s
        while self._told_at and now_s - self._told_at[0] > WINDOW_S:
            self._told_at.popleft()
        if len(self._told_at) >= MOST_TOLD:
            self._untold += 1
            self._told = False
            return None
        return self._tell(now_s)

    def lasts(self, now_s: float) -> int | None:
        """As `begins`, for one that was kept back and does not end."""
        if self._begun_at is None or self._told or now_s - self._begun_at < LASTING_S:
            return None
        self._untold -= 1
        return self._tell(now_s)

    def ends(self) -> bool:
        """Return whether its end is to be told: its beginning was."""
        told, self._told, self._begun_at = self._told, False, None
        return told

    def _tell(self, now_s: float) -> int:
        self._told = True
        self._told_at.append(now_s)
        untold, self._untold = self._untold, 0
        return untold
