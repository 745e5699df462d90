"""How loud the room behind a voice is, so that its pauses are found where it is never quiet."""

from collections import deque
from typing import Final

_BLOCKS: Final = 20
"""Of 0.25 s: five seconds, in which who talks takes a breath."""

_BLOCK_TICKS: Final = 25

_ABOVE_ROOM: Final = 10 ** (5 / 10)
"""Noise of 10 ms is seldom louder than its quietest by more; a voice is, but for its fading ends."""

_BELOW_VOICE: Final = 10 ** (-12 / 10)
"""Of the loudest: what does not get softer by that is a tone or music, and has no pauses."""

_NOTHING: Final = 10 ** (-80 / 10)
"""What is softer is no room: a microphone that was muted, or a pause that was not sent."""


class RoomNoise:
    """The least and the largest power of the last five seconds. One call a tick."""

    def __init__(self) -> None:
        self._least: deque[float] = deque(maxlen=_BLOCKS)
        self._most: deque[float] = deque(maxlen=_BLOCKS)
        self._least_now = float("inf")
        self._most_now = 0.0
        self._ticks = 0
        self._room = 0.0

    def is_all(self, power: float) -> bool:
        """Whether sound of this mean square is the room alone; False until it is known."""
        if power > _NOTHING:
            self._least_now = min(self._least_now, power)
        self._most_now = max(self._most_now, power)
        self._ticks += 1
        if self._ticks == _BLOCK_TICKS:
            self._least.append(self._least_now)
            self._most.append(self._most_now)
            self._least_now, self._most_now, self._ticks = float("inf"), 0.0, 0
            room = min(self._least) * _ABOVE_ROOM
            self._room = room if room < max(self._most) * _BELOW_VOICE else 0.0
        return power < self._room
