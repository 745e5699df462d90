"""When a receiver asks for a key frame, and when a sender makes one (RFC 4585, section 6.3.1).

A key frame costs as much as ten others: it is asked for when nothing else helps, again only after it had the time to come, and one is made for all
who ask within a moment. Pure.
"""

import math
from typing import Final

FIRST_AGAIN_S: Final = 0.3
"""Beyond the round trip, before a key frame is asked for once more: it is encoded, spread and may lose a packet."""

MOST_AGAIN_S: Final = 3.0
"""Who never gets one asks so often in the end."""

BETWEEN_KEYS_S: Final = 0.5
"""A sender makes no more of them, whoever asks: each wish is remembered meanwhile."""


class KeyFrameWish:
    """Of a receiver, for one stream."""

    def __init__(self) -> None:
        """Wish for nothing."""
        self._ask_at = math.inf
        self._again_s = FIRST_AGAIN_S
        self._asked = False

    @property
    def is_open(self) -> bool:
        """Whether one is wished for."""
        return self._ask_at < math.inf

    @property
    def next_at(self) -> float:
        """When to ask; infinite while nothing is wished for."""
        return self._ask_at

    def wish(self, at_s: float) -> None:
        """Nothing can be shown without one: ask for it then, or sooner if that was wished for before. Once it was asked for, this changes nothing."""
        if not self._asked:
            self._ask_at = min(self._ask_at, at_s)

    def asks(self, now_s: float, rtt_s: float | None) -> bool:
        """Whether to ask now."""
        if now_s < self._ask_at:
            return False
        self._asked = True
        self._ask_at = now_s + (rtt_s or 0.0) + self._again_s
        self._again_s = min(2 * self._again_s, MOST_AGAIN_S)
        return True

    def granted(self) -> None:
        """Pictures come again."""
        self._ask_at, self._again_s, self._asked = math.inf, FIRST_AGAIN_S, False


class KeyFrameRule:
    """Of a sender, for all who receive its stream."""

    def __init__(self) -> None:
        """Begin with a key frame, as every encoder does."""
        self._wanted = False
        self._made_at = -math.inf

    def wanted(self) -> None:
        """Somebody cannot go on, or has just come."""
        self._wanted = True

    def due(self, now_s: float) -> bool:
        """Whether the next picture is to be a key frame."""
        return self._wanted and now_s - self._made_at >= BETWEEN_KEYS_S

    def made(self, now_s: float) -> None:
        """One was made, for whatever reason."""
        self._wanted, self._made_at = False, now_s
