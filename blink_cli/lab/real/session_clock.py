"""Whose monotonic seconds are meant: a session on another machine counts its own, and tells moments by them.

Its clock is compared as NTP does (RFC 5905, section 8): asked between two moments here, it answered at the middle of them, give or take half the time
between. Of many answers the quickest of the first and of the last ones count; a straight line through both is the clock, its drift included.
"""

import math
from dataclasses import dataclass
from typing import Final, Protocol

_KEPT: Final = 10_000
"""A look each half second of an hour."""


class SessionClock(Protocol):
    """Turns a session's moments into ours."""

    def here(self, there_s: float) -> float:
        """Return which monotonic second it was here."""


class SameClock:
    """Of a session on this machine: monotonic seconds are the machine's."""

    def here(self, there_s: float) -> float:
        """See `SessionClock`."""
        return there_s


@dataclass(frozen=True, slots=True)
class _Look:
    there_s: float
    ahead_s: float
    error_s: float


class ComparedClock:
    """Of a session elsewhere. Not known before the first look."""

    def __init__(self) -> None:
        self._looks: list[_Look] = []

    def learn(self, asked_s: float, there_s: float, answered_s: float) -> None:
        """Take one look: what it said, and when it was asked and had answered, by this machine's clock."""
        if len(self._looks) < _KEPT:
            half_s = (answered_s - asked_s) / 2
            self._looks.append(_Look(there_s, there_s - (asked_s + half_s), half_s))

    @property
    def error_ms(self) -> float:
        """By how much it may be wrong at most, if its drift is even; infinite before the first look."""
        return max((1000 * look.error_s for look in self._best()), default=math.inf)

    def here(self, there_s: float) -> float:
        """See `SessionClock`."""
        first, last = self._best()
        span_s = last.there_s - first.there_s
        drift = (last.ahead_s - first.ahead_s) / span_s if span_s > 0 else 0.0
        return there_s - (first.ahead_s + drift * (there_s - first.there_s))

    def _best(self) -> tuple[_Look, ...]:
        third = math.ceil(len(self._looks) / 3)
        parts = (self._looks[:third], self._looks[-third:]) if third else ()
        return tuple(min(part, key=lambda look: look.error_s) for part in parts)
