"""Takes redundant copies away where they are what fills a narrow line.

    loss --> copies --> the line's queue fills --> more loss --> more copies          what must not go on for good

             a queue stands while copies are sent              the queue has gone
    watching ------------------------------------> trying -----------------------> holding, without copies
        ^     ^                          without copies |                             |
        |     '--- it stands all the same: not ours ----'                             |
        '------------------------ after a while, each time a longer one --------------'

A queue shows in round trips: all of the last ones are far above the least that was seen, and by more than jitter explains. Where a queue stands
since the call began, nothing shorter was seen: so what takes longer than `LONG_WAY_S` is not taken for the way until it was seen without copies. Whether copies are
the cause is tried and not guessed: a queue of one's own is empty a second or two after they stop.
"""

from collections import deque
from typing import Final

RECENT_ROUND_TRIPS: Final = 3
"""The least of so many, about a second apart, is what a packet that has luck takes: one late report shows no queue."""

STANDING_QUEUE_S: Final = 0.08
"""More than one of a healthy line has: four packets of voice."""

LONG_WAY_S: Final = 0.2
"""There and back to another continent. More than that may be a queue that stood before the first round trip."""

STANDING_JITTERS: Final = 4.0
"""And so much more for each second of jitter (RFC 3550): round trips by chance are apart by this, both ways together."""

TRIAL_S: Final = 3.5
"""Without copies, until it is judged: a queue of 300 ms is empty after one, and then the last round trips have to be new."""

DRAINED: Final = 0.5
"""What must be left of the queue at most for it to have been ours."""

SHORTEST_HOLD_S: Final = 10.0
LONGEST_HOLD_S: Final = 80.0
"""How long no copies are sent behind a queue that was ours; doubled each time, so that a line that stays narrow is probed seldom."""

SUSPICION_RESTS_S: Final = 30.0
"""After a trial in vain: it cost some seconds without copies."""

FORGOTTEN_AFTER_S: Final = 60.0
"""Copies that were sent for so long without a queue show that the line is wide again."""


class CopyBrake:
    """Of one line. Pure: the caller says what time it is."""

    __slots__ = (
        "_base_s",
        "_copies",
        "_excess_s",
        "_free_at",
        "_hold_s",
        "_recent",
        "_rests_until",
        "_trying_since",
    )

    def __init__(self) -> None:
        self._recent: deque[float] = deque(maxlen=RECENT_ROUND_TRIPS)
        """Round trips, all with copies or all without."""

        self._copies = False
        self._base_s = LONG_WAY_S
        self._excess_s = 0.0
        self._trying_since: float | None = None
        self._rests_until = float("-inf")
        self._free_at = float("-inf")
        self._hold_s = SHORTEST_HOLD_S

    def round_trip(self, rtt_s: float, jitter_s: float, now_s: float, *, copies: bool) -> None:
        """Take a round trip.

        Args:
            rtt_s: As the last report measured it.
            jitter_s: As the receiver of the stream tells it.
            now_s: When it came.
            copies: Whether the line is sent copies at present.

        """
        if copies != self._copies:
            self._copies = copies
            self._recent.clear()
        self._recent.append(rtt_s)
        self._base_s = min(self._base_s, rtt_s)
        if self._trying_since is not None:
            self._judge(now_s)
        elif not copies and len(self._recent) == RECENT_ROUND_TRIPS:
            self._base_s = min(self._recent)  # nobody's queue, or somebody else's
        elif copies and now_s >= self._rests_until and len(self._recent) == RECENT_ROUND_TRIPS:
            if now_s - self._free_at > FORGOTTEN_AFTER_S:
                self._hold_s = SHORTEST_HOLD_S
            excess_s = self._standing_s
            if excess_s > STANDING_QUEUE_S + STANDING_JITTERS * jitter_s:
                self._trying_since, self._excess_s = now_s, excess_s

    def bars(self, now_s: float) -> bool:
        """Whether no copies should be sent now."""
        return self._trying_since is not None or now_s < self._free_at

    @property
    def _standing_s(self) -> float:
        return min(self._recent) - self._base_s

    def _judge(self, now_s: float) -> None:
        assert self._trying_since is not None
        latest_s = self._recent[-1] - self._base_s
        if latest_s <= DRAINED * self._excess_s:
            self._free_at = now_s + self._hold_s
            self._hold_s = min(2 * self._hold_s, LONGEST_HOLD_S)
        elif now_s - self._trying_since < TRIAL_S:
            return
        else:
            self._rests_until = now_s + SUSPICION_RESTS_S
            self._base_s = min(self._recent)  # this is how long the way is now
        self._trying_since = None
        self._recent.clear()
