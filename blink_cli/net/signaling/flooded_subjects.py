"""Which subjects of a broker bring more than any call needs: they are left alone for a moment, so that the others, and the audio, are not.

Whoever has a broker's key may publish on whatever he saw somebody else publish on. A datagram of UDP that is not read costs nothing, since the
kernel drops it; what a server sends must be read, or everything behind it waits. So the server is told not to send it. Pure; monotonic `now_s`.
"""

from collections import Counter
from typing import Final

PER_S: Final = 3_000.0
"""Messages a second of all subjects. Thirty-two who accept at once make some hundreds; these cost 6 % of a processor."""

BURST: Final = 600
"""Messages at once: a hundred contacts who come back together with the server make two hundred."""

LEFT_ALONE_S: Final = 1.0
"""Signals are repeated for longer."""

_MESSAGE_BYTES: Final = 1_200


class FloodedSubjects:
    """Of one connection."""

    def __init__(self) -> None:
        """Nothing has come yet."""
        self._came: Counter[str] = Counter()
        self._total = 0
        self._began_s = float("-inf")
        self._until_s: dict[str, float] = {}

    def take(self, subject: str, size: int, now_s: float) -> bool:
        """Count a message of `size` bytes. Returns whether `left_alone` has grown by it."""
        if not self._total:
            self._began_s = now_s
        cost = 1 + size // _MESSAGE_BYTES
        self._came[subject] += cost
        self._total += cost
        if self._total < BURST:
            return False
        flooded = now_s - self._began_s < self._total / PER_S
        left = self._total
        for busy, count in self._came.most_common() if flooded else ():
            if left <= BURST // 4:
                break
            self._until_s[busy] = now_s + LEFT_ALONE_S
            left -= count
        self._came.clear()
        self._total = 0
        return flooded

    def left_alone(self, now_s: float) -> frozenset[str]:
        """Not to be listened to now."""
        self._until_s = {subject: until_s for subject, until_s in self._until_s.items() if until_s > now_s}
        return frozenset(self._until_s)

    def next_end_s(self) -> float | None:
        """When one of them is to be listened to again; None: none is left alone."""
        return min(self._until_s.values(), default=None)
