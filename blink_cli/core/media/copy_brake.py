"""Takes redundant copies away where they are what fills a narrow line.

    loss --> copies --> the line's queue fills --> more loss --> more copies          what must not go on for good

             a queue stands while copies are sent              the queue has gone
    watching ------------------------------------> trying -----------------------> holding, without copies
        ^     ^                          without copies |                             |
        |     '--- it stands all the same: not ours ----'                             |
        '------------------ after a while, each time a longer one: one copy ----------'

A queue shows in round trips: all of the last ones are far above the least that was seen, and by more than jitter explains. Where a queue stands
since the call began, nothing shorter was seen: so what takes longer than `LONG_WAY_S` is not taken for the way until it was seen without copies. A short queue that is
full shows in much loss as well, which comes more regularly than by chance: then no way at all is believed before it was seen without copies. Whether copies are the cause is tried and not guessed: a queue of one's own
loses nothing from the moment on at which they stop, and is empty a second or two later.
"""

import math
from collections import deque
from typing import Final, Literal

RedLevels = Literal[0, 1, 2, 3, 4]
"""How many earlier frames each packet repeats (RFC 2198)."""

MOST_COPIES: Final[RedLevels] = 4
"""Of 20 ms: a copy that comes 80 ms later is the last that a conversation waits for."""

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

MUCH_LOSS: Final = 0.15
"""Share lost from which a full queue is thought of after two reports, and before the way is known."""

LOSS_GONE: Final = 1 / 3
"""What must be left of such loss at most for it to have been ours: half is in reach of chance, of the fifty packets of a report."""

SHORT_QUEUE_S: Final = 0.04
"""Two packets of voice: with so much loss, and above a way that is known, this is a queue."""

SHORTEST_HOLD_S: Final = 10.0
LONGEST_HOLD_S: Final = 80.0
"""How long no copies are sent behind a queue that was ours; doubled each time, so that a line that stays narrow is probed seldom."""

SUSPICION_RESTS_S: Final = 30.0
"""After a trial in vain: it cost some seconds without copies."""

FORGOTTEN_AFTER_S: Final = 60.0
"""Copies that were sent for so long without a queue show that the line is wide again."""

REGULAR_CHANCE: Final = 0.003
"""Losses are regular that chance would have put so far apart less often than this. A trial costs a voice on a bad line seconds without copies."""

REGULAR_REPORTS: Final = 2


def is_regular(lost: float, mean_burst_packets: float, packets: float) -> bool:
    """Whether losses are further apart than by chance: a full queue drops one packet in so many, and seldom two in a row.

    By chance each loss is followed by another as often as any packet is lost, so how many are is distributed binomially.

    Args:
        lost: Share of the packets, 0 to 1.
        mean_burst_packets: Of runs of lost packets.
        packets: How many these figures tell of.

    """
    losses = round(lost * packets)
    if not losses or lost >= 1 or mean_burst_packets < 1:
        return False
    following = round(losses - losses / mean_burst_packets)
    chance = sum(
        math.comb(losses, number) * lost**number * (1 - lost) ** (losses - number)
        for number in range(following + 1)
    )
    return chance <= REGULAR_CHANCE


class CopyBrake:
    """Of one line. Pure: the caller says what time it is."""

    __slots__ = (
        "_base_s",
        "_copies",
        "_excess_s",
        "_free_at",
        "_hold_s",
        "_known_s",
        "_loss",
        "_lost_before",
        "_recent",
        "_regular",
        "_reported_at",
        "_rests_until",
        "_trying_since",
        "_way_s",
    )

    def __init__(self) -> None:
        self._recent: deque[float] = deque(maxlen=RECENT_ROUND_TRIPS)
        """Round trips, all with copies or all without."""

        self._copies = False
        self._base_s = LONG_WAY_S
        self._known_s: float | None = None
        """How long the way is without copies; None until it was seen so."""

        self._way_s = self._excess_s = self._loss = 0.0
        """As the trial began: the way, the queue on it, and what was lost."""

        self._regular = 0
        """How many reports in a row found losses regular: one may by chance."""

        self._lost_before = 0.0
        """By the report before."""

        self._reported_at = float("-inf")
        self._trying_since: float | None = None
        self._rests_until = float("-inf")
        self._free_at = float("-inf")
        self._hold_s = SHORTEST_HOLD_S

    def round_trip(
        self,
        rtt_s: float,
        jitter_s: float,
        now_s: float,
        *,
        copies: bool,
        lost: float = 0.0,
        regularly: bool = False,
    ) -> None:
        """Take a round trip.

        Args:
            rtt_s: As the last report measured it.
            jitter_s: As the receiver of the stream tells it.
            now_s: When it came.
            copies: Whether the line is sent copies at present.
            lost: Share of the packets since the report before, 0 to 1.
            regularly: Whether they are lost as a queue that is full loses them (`is_regular`).

        """
        if copies != self._copies:
            self._copies = copies
            self._recent.clear()
        before_at, self._reported_at = self._reported_at, now_s
        self._regular = self._regular + 1 if regularly else 0
        self._recent.append(rtt_s)
        self._base_s = min(self._base_s, rtt_s)
        if self._known_s is not None:
            self._known_s = min(self._known_s, rtt_s)
        if self._trying_since is not None:
            self._judge(now_s, lost, before_at)
        elif not copies and len(self._recent) == RECENT_ROUND_TRIPS:
            self._base_s = self._known_s = min(self._recent)  # nobody's queue, or somebody else's
        elif copies and now_s >= self._rests_until:
            lost_regularly = lost if self._regular >= REGULAR_REPORTS else 0.0
            way_s = self._way_below_queue_s(jitter_s, lost_regularly)
            if way_s is not None:
                self._try(way_s, min(self._recent) - way_s, lost, now_s)
            elif lost_regularly >= MUCH_LOSS and now_s - self._free_at <= FORGOTTEN_AFTER_S:
                # It was narrow a moment ago, and its queue may stand without copies too, just below where it overflows: then the loss alone tells.
                self._try(min(self._recent), -math.inf, lost, now_s)
        self._lost_before = lost

    def _try(self, way_s: float, excess_s: float, lost: float, now_s: float) -> None:
        if now_s - self._free_at > FORGOTTEN_AFTER_S:
            self._hold_s = SHORTEST_HOLD_S
        self._trying_since, self._way_s, self._excess_s = now_s, way_s, excess_s
        self._loss = max(lost, self._lost_before)

    def _way_below_queue_s(self, jitter_s: float, lost: float) -> float | None:
        """How long the way is, at least, if a queue seems to stand on it; None where none is to be seen."""
        spread_s = STANDING_JITTERS * jitter_s
        least_s = min(self._recent)
        if len(self._recent) == RECENT_ROUND_TRIPS and least_s > self._base_s + STANDING_QUEUE_S + spread_s:
            return self._base_s
        if lost < MUCH_LOSS:
            return None
        way_s = self._known_s or 0.0
        queue_s = STANDING_QUEUE_S if self._known_s is None else SHORT_QUEUE_S
        return way_s if least_s > way_s + queue_s + spread_s else None

    def most_copies(self, now_s: float) -> RedLevels:
        """How many copies may be sent now: behind a queue that was ours one at first, since the line is narrow for more."""
        if self._trying_since is not None or now_s < self._free_at:
            return 0
        return 1 if now_s - self._free_at <= FORGOTTEN_AFTER_S else MOST_COPIES

    def holds(self, now_s: float) -> bool:
        """Whether a queue has just been found to be ours: what was lost then was lost to copies."""
        return now_s < self._free_at

    def _judge(self, now_s: float, lost: float, before_at: float) -> None:
        assert self._trying_since is not None
        # A report tells of our packets since the one before it: that one had to see the first without copies arrive. Where this one tells of earlier packets too,
        # that so little is lost says as much; that much is lost says nothing.
        lost_much = self._loss >= MUCH_LOSS
        loses = lost_much and before_at >= self._trying_since + self._recent[-1]
        is_gone = lost_much and lost <= LOSS_GONE * self._loss
        if is_gone or self._recent[-1] - self._way_s <= DRAINED * self._excess_s:
            self._free_at = now_s + self._hold_s
            self._hold_s = min(2 * self._hold_s, LONGEST_HOLD_S)
        elif not loses and now_s - self._trying_since < TRIAL_S:
            return
        else:
            self._rests_until = now_s + SUSPICION_RESTS_S
            self._base_s = self._known_s = min(self._recent)  # this is how long the way is now
        self._trying_since = None
        self._recent.clear()
