"""How much an output device takes at once.

A sound server may ask for 5 ms every 5 ms, or for ten times 5 ms in one go every 50 ms, or change from one to the other when another
program comes. Our queue must hold that much at any time, and more would be delay. So we watch: callbacks that follow each other
within `TOGETHER_S` are one demand, and the largest demand of the last seconds counts.
"""

from dataclasses import dataclass
from typing import Final

TOGETHER_S: Final = 0.004
"""Closer than this, callbacks leave the playout thread no time to mix in between."""

WINDOW_S: Final = 2.0
"""A demand counts for one to two of these windows."""


@dataclass(slots=True)
class Demand:
    """Fed by the device's callback, read by the playout thread: a few numbers, no lock."""

    largest_frames: int = 0
    """The most that was taken together in the present or the last window."""

    _now_frames: int = 0
    _this_window: int = 0
    _last_s: float = -1.0
    _window_end_s: float = 0.0

    def took(self, frames: int, now_s: float) -> None:
        """Note one callback."""
        self._now_frames = self._now_frames + frames if now_s - self._last_s < TOGETHER_S else frames
        self._last_s = now_s
        if now_s >= self._window_end_s:
            self._window_end_s = now_s + WINDOW_S
            self.largest_frames = self._this_window
            self._this_window = 0
        self._this_window = max(self._this_window, self._now_frames)
        self.largest_frames = max(self.largest_frames, self._this_window)
