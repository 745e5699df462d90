"""Which packets of a stream of pictures are asked for again, and when (RFC 4585, section 6.2.1).

A packet is missed when a later one has come, and asked for once reordering is unlikely; then once a round trip, until it comes or nobody needs it.
Pure: time comes in. Belongs to the event loop.
"""

import math
from dataclasses import dataclass
from typing import Final

UNKNOWN_RTT_S: Final = 0.05
"""Assumed before the first measurement."""

MARGIN_S: Final = 0.01
"""Beyond a round trip, before a packet is asked for once more."""

LEAST_WAIT_S: Final = 0.002
MOST_WAIT_S: Final = 0.05
"""For a packet that may only be late."""

WAIT_FADES: Final = 0.98
"""With each packet in order: how late others came is forgotten in some seconds."""

GIVEN_UP_S: Final = 1.0
"""The sender keeps packets as long."""

MOST_MISSING: Final = 256
"""More is no loss but a gap: a key frame mends it."""

MOST_REQUESTS: Final = 10
"""For one packet."""


@dataclass(slots=True)
class _Missing:
    noticed_at: float
    ask_at: float
    asked: int = 0


class MissingPackets:
    """Of one stream."""

    def __init__(self) -> None:
        """Miss nothing."""
        self.rtt_s: float | None = None
        """The round trip, as the owner knows it."""

        self._missing: dict[int, _Missing] = {}
        self._highest: int | None = None
        self._wait_s = LEAST_WAIT_S

    def received(self, sequence: int, now_s: float, *, again: bool) -> None:
        """A packet came, by itself or because it was asked for.

        Args:
            sequence: Extended.
            now_s: Its monotonic arrival.
            again: It was asked for.

        """
        was_missing = self._missing.pop(sequence, None)
        if was_missing is not None and not again:
            self._wait_s = min(max(self._wait_s, now_s - was_missing.noticed_at), MOST_WAIT_S)
        highest = self._highest
        if highest is None or again:
            if highest is None:
                self._highest = sequence
            return
        if sequence <= highest:
            return
        if sequence == highest + 1:
            self._wait_s = max(self._wait_s * WAIT_FADES, LEAST_WAIT_S)
        elif sequence - highest > MOST_MISSING:
            self._missing.clear()
        else:
            for number in range(highest + 1, sequence):
                self._missing[number] = _Missing(now_s, now_s + self._wait_s)
            while len(self._missing) > MOST_MISSING:
                del self._missing[next(iter(self._missing))]
        self._highest = sequence

    def forget_before(self, sequence: int) -> None:
        """Nobody needs what is before this number any more."""
        for number in [number for number in self._missing if number < sequence]:
            del self._missing[number]

    def oldest_s(self, now_s: float) -> float:
        """For how long the oldest one is missed; 0 when nothing is."""
        return max((now_s - one.noticed_at for one in self._missing.values()), default=0.0)

    def next_at(self) -> float:
        """When `due` has something to say next; infinite when nothing is missed."""
        return min((one.ask_at for one in self._missing.values()), default=math.inf)

    def due(self, now_s: float) -> tuple[int, ...]:
        """The extended numbers to ask for now, in their order; they count as asked."""
        again_s = (UNKNOWN_RTT_S if self.rtt_s is None else self.rtt_s) + MARGIN_S
        asked = []
        for number, one in list(self._missing.items()):
            if now_s - one.noticed_at > GIVEN_UP_S or one.asked >= MOST_REQUESTS:
                del self._missing[number]
            elif one.ask_at <= now_s:
                one.ask_at = now_s + again_s
                one.asked += 1
                asked.append(number)
        return tuple(sorted(asked))
