"""Refuses what was said before: a window of wall-clock time, and the ids seen in it.

Clocks of peers may differ by some minutes, so a message is believed when its time is at most `window_ms` away from
ours. Within the window its id must be new. Memory is bounded without opening a hole: when an id must be forgotten, the
sender's floor rises to its time, and nothing at or below the floor is believed any more.
"""

from dataclasses import dataclass, field
from enum import Enum
from heapq import heappop, heappush
from typing import Final

DEFAULT_WINDOW_MS: Final = 300_000

DEFAULT_IDS_PER_SENDER: Final = 512
"""Above what one sender says in the window (an announce a second, and some descriptions)."""

DEFAULT_SENDERS: Final = 1_024


class Freshness(Enum):
    """What the window says of one message."""

    FRESH = "fresh"
    SEEN = "seen"
    """Its id was accepted before."""

    STALE = "stale"
    """Its time is out of the window, or at or below what has been forgotten."""


@dataclass(slots=True)
class _Sender:
    floor_ms: int = -1
    """Messages at or below this time are refused, whatever their id."""

    newest_ms: int = -1
    ids: set[bytes] = field(default_factory=set)
    by_time: list[tuple[int, bytes]] = field(default_factory=list)
    """A heap: the oldest time first."""


class ReplayWindow:
    """Of one receiver, for all senders. Changed only by messages whose signature has been checked."""

    def __init__(
        self,
        *,
        window_ms: int = DEFAULT_WINDOW_MS,
        ids_per_sender: int = DEFAULT_IDS_PER_SENDER,
        senders: int = DEFAULT_SENDERS,
    ) -> None:
        """Make a window that has seen nothing."""
        self._window_ms = window_ms
        self._ids_per_sender = ids_per_sender
        self._max_senders = senders
        self._senders: dict[bytes, _Sender] = {}
        self._unknown_floor_ms = -1
        """The highest floor of any sender that was forgotten: what a sender not in the table starts from."""

    def __len__(self) -> int:
        return len(self._senders)

    def accept(self, sender: bytes, message_id: bytes, sent_ms: int, wall_ms: int) -> Freshness:
        """Say whether this message is new, and remember it if it is.

        A message that is accepted is refused ever after, for as long as the process lives and whatever the wall clock
        does. A hostile sender costs itself its own floor; many hostile senders raise the floor of those who are not in
        the table, never of those who are.
        """
        if abs(wall_ms - sent_ms) > self._window_ms:
            return Freshness.STALE
        known = self._senders.get(sender)
        if known is None:
            if sent_ms <= self._unknown_floor_ms:
                return Freshness.STALE
            known = self._admit(sender)
        if sent_ms <= known.floor_ms:
            return Freshness.STALE
        if message_id in known.ids:
            return Freshness.SEEN
        known.ids.add(message_id)
        heappush(known.by_time, (sent_ms, message_id))
        known.newest_ms = max(known.newest_ms, sent_ms)
        self._forget_old(known, wall_ms)
        return Freshness.FRESH

    def _forget_old(self, sender: _Sender, wall_ms: int) -> None:
        too_old_ms = wall_ms - self._window_ms
        while sender.by_time and (
            len(sender.ids) > self._ids_per_sender or sender.by_time[0][0] < too_old_ms
        ):
            sent_ms, message_id = heappop(sender.by_time)
            sender.ids.discard(message_id)
            sender.floor_ms = max(sender.floor_ms, sent_ms)

    def _admit(self, sender: bytes) -> _Sender:
        if len(self._senders) >= self._max_senders:
            self._evict_one()
        admitted = self._senders[sender] = _Sender(floor_ms=self._unknown_floor_ms)
        return admitted

    def _evict_one(self) -> None:
        # The one whose newest message is the oldest raises the floor for others the least. Dates in the future, which
        # only a liar or a wrong clock has, stay longest and so cannot lift the floor over honest clocks.
        oldest = min(self._senders, key=lambda key: self._senders[key].newest_ms)
        forgotten = self._senders.pop(oldest)
        self._unknown_floor_ms = max(self._unknown_floor_ms, forgotten.newest_ms, forgotten.floor_ms)
