"""Refuses what was said before, by dates and by the ids seen around them, whatever the clocks do.

    on a timeline that its sender has proved        judged by that timeline's own dates, which never run back
    any other message                               judged by our clock: at most `window_ms` away, on either side

A proof is an answer to a question of ours (core/gossip/clocks.py): it was signed after we asked, so its date was its sender's clock
just now, however far from ours. What cannot be judged, because it is out of the window or below the floor, is `STALE`: its sender
may be asked. Memory is bounded without opening a hole: when an id must be forgotten, a floor rises to its time, and nothing at or
below the floor is believed any more; a timeline that is proved later begins above whatever may have been forgotten of it.

What a session has seen is handed to the next one (`ReplayMemory`). One that was handed nothing believes no date of anybody who has not proved
its clock, until every date that could have been heard before it began is out of the window; and of a timeline that it did not know, nothing
that was said before it began.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from heapq import heappop, heappush
from typing import Final

from blink_cli.core.signaling.replay_memory import MAX_IDS, ReplayMemory, SeenId, SenderMemory, TimelineMemory
from blink_cli.core.signaling.timeline import is_on

DEFAULT_WINDOW_MS: Final = 300_000

DEFAULT_IDS_PER_SENDER: Final = 512
"""Above what one sender says in the window (an announce a second, and some descriptions)."""

DEFAULT_SENDERS: Final = 1_024

MAX_TIMELINES: Final = 4
"""Of one sender: its sessions, and those before them."""


class Freshness(Enum):
    """What the window says of one message."""

    FRESH = "fresh"
    SEEN = "seen"
    """Its id was accepted before."""

    STALE = "stale"
    """Its time proves nothing here: out of the window, or at or below what has been forgotten. Its sender may prove its clock."""

    FORGOTTEN = "forgotten"
    """On a timeline that is known, at or below what has been forgotten of it: not believed any more."""


@dataclass(slots=True)
class _Ids:
    """What was accepted, and up to which time it is forgotten."""

    floor_ms: int
    """Messages at or below this time are refused, whatever their id."""

    newest_ms: int = -1
    known: set[bytes] = field(default_factory=set)
    by_time: list[tuple[int, bytes]] = field(default_factory=list)
    """A heap: the oldest time first."""

    def add(self, message_id: bytes, sent_ms: int) -> None:
        self.known.add(message_id)
        heappush(self.by_time, (sent_ms, message_id))
        self.newest_ms = max(self.newest_ms, sent_ms)

    def forget(self, *, before_ms: int, beyond: int) -> bool:
        """Forget what is older, and the oldest of what is too many; returns whether there was any."""
        forgot = False
        while self.by_time and (len(self.known) > beyond or self.by_time[0][0] < before_ms):
            sent_ms, message_id = heappop(self.by_time)
            self.known.discard(message_id)
            self.floor_ms = max(self.floor_ms, sent_ms)
            forgot = True
        return forgot

    def forgotten_ms(self) -> int:
        """The floor that is needed when all of it is forgotten."""
        return max(self.floor_ms, self.newest_ms)


@dataclass(slots=True)
class _Timeline:
    ids: _Ids
    offset_ms: int | None
    """Its dates minus our monotonic time, when it was proved last; None: by an earlier session, which proves nothing of who speaks now."""


@dataclass(slots=True)
class _Sender:
    ids: _Ids
    """Of messages that are on no known timeline."""

    forgot_at_ms: int
    """Monotonic time at which anything was last forgotten that may have been this sender's."""

    timelines: dict[bytes, _Timeline] = field(default_factory=dict)
    """By key; the one proved last comes last."""


class ReplayWindow:
    """Of one receiver, for all senders. Changed only by messages whose signature has been checked.

    `wall_ms` is a clock of ours that agrees with that of the world, if it can; `now_ms` is monotonic.
    """

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
        """The one whose message was accepted last comes last."""

        self._kept: dict[bytes, _Sender] = {}
        """Those who are never forgotten to make room."""

        self._began_ms: int | None = None
        """Monotonic time before which others may have been heard by an earlier session."""

        self._unknown_floor_ms = -1
        """The highest time of any sender that was forgotten: what a sender not in the table starts from."""

        self._forgot_at_ms = -1

    def __len__(self) -> int:
        return len(self._senders) + len(self._kept)

    def begin(self, memory: ReplayMemory | None, wall_ms: int, now_ms: int) -> None:
        """Begin where an earlier session of this identity ended; with None nothing is known of it, nor whether there was one.

        Before anything is accepted.
        """
        kept, self._kept = frozenset(self._kept), {}
        # What was said in this very millisecond no earlier session has heard.
        self._began_ms = self._forgot_at_ms = now_ms - 1
        self._unknown_floor_ms = wall_ms + self._window_ms if memory is None else memory.floor_ms
        for of_sender in () if memory is None else memory.senders:
            self._senders[of_sender.sender] = _Sender(
                _restored(of_sender.floor_ms, of_sender.ids),
                now_ms,
                {
                    timeline.key: _Timeline(_restored(timeline.floor_ms, timeline.ids), None)
                    for timeline in of_sender.timelines[-MAX_TIMELINES:]
                },
            )
        self.keep(kept)

    def memory(self) -> ReplayMemory:
        """What the next session must know. Bounded: of those who spoke longest ago a common floor is left."""
        floor_ms, room, remembered = self._unknown_floor_ms, MAX_IDS, []
        for key, sender in (*self._kept.items(), *reversed(self._senders.items())):
            room -= sum(len(ids.known) for ids in _all_ids(sender)) + 1
            if room >= 0:
                remembered.append(_memory_of(key, sender))
            else:
                floor_ms = max(floor_ms, *(ids.forgotten_ms() for ids in _all_ids(sender)))
        return ReplayMemory(floor_ms, tuple(reversed(remembered)))

    def keep(self, senders: frozenset[bytes]) -> None:
        """Have places for these alone from now on: however many others speak, they are not forgotten, nor does their floor rise."""
        for gone in self._kept.keys() - senders:
            self._senders[gone] = self._kept.pop(gone)
        for sender in senders - self._kept.keys():
            known = self._senders.pop(sender, None)
            self._kept[sender] = known or _Sender(_Ids(self._unknown_floor_ms), self._forgot_at_ms)

    def accept(
        self,
        sender: bytes,
        message_id: bytes,
        sent_ms: int,
        wall_ms: int,
        now_ms: int = 0,
        *,
        lasts_ms: int | None = None,
    ) -> Freshness:
        """Say whether this message is new, and remember it if it is; `lasts_ms` is its own window, within that of all.

        A message that is accepted is refused ever after, for as long as the process lives and whatever the clocks do. A hostile sender
        costs itself its own floor; many hostile senders raise the floor of those who are not in the table, never of those who are.
        """
        known = self._find(sender)
        timeline = None if known is None else _timeline_of(known, message_id)
        verdict = self.foresee(sender, message_id, sent_ms, wall_ms, now_ms, lasts_ms=lasts_ms)
        if verdict is Freshness.FRESH and known is None:
            known = self._admit(sender, now_ms)
        if verdict is not Freshness.FRESH:
            return verdict
        assert known is not None, "whoever says something new is in the table"
        if sender in self._senders:
            self._senders[sender] = self._senders.pop(sender)
        if timeline is not None and timeline.offset_ms is not None:
            timeline.ids.add(message_id, sent_ms)
            self._forget_old(timeline.ids, now_ms + timeline.offset_ms)
        else:
            known.ids.add(message_id, sent_ms)
            if self._forget_old(known.ids, wall_ms):
                known.forgot_at_ms = now_ms
        return verdict

    def foresee(
        self,
        sender: bytes,
        message_id: bytes,
        sent_ms: int,
        wall_ms: int,
        now_ms: int = 0,
        *,
        lasts_ms: int | None = None,
    ) -> Freshness:
        """What `accept` would say, of a message whose signature has not been checked. Nothing changes."""
        known = self._find(sender)
        timeline = None if known is None else _timeline_of(known, message_id)
        if timeline is not None:
            clock_ms = None if timeline.offset_ms is None else now_ms + timeline.offset_ms
            ids, below_floor = timeline.ids, Freshness.FORGOTTEN
        else:
            ids, below_floor = _Ids(self._unknown_floor_ms) if known is None else known.ids, Freshness.STALE
            clock_ms = wall_ms
        if message_id in ids.known:
            return Freshness.SEEN
        if sent_ms <= ids.floor_ms:
            return below_floor
        window_ms = self._window_ms if lasts_ms is None else min(lasts_ms, self._window_ms)
        return Freshness.STALE if clock_ms is None or abs(clock_ms - sent_ms) > window_ms else Freshness.FRESH

    def is_proved(self, sender: bytes, message_id: bytes) -> bool:
        """Whether this message is on a timeline that was proved."""
        known = self._find(sender)
        timeline = None if known is None else _timeline_of(known, message_id)
        return timeline is not None and timeline.offset_ms is not None

    def prove(
        self, sender: bytes, timeline_key: bytes, date_ms: int, now_ms: int, *, asked_ms: int | None = None
    ) -> None:
        """An answer to our question, dated `date_ms` on this timeline, has just come: it is alive, and its clock is known.

        `asked_ms` is when we asked, in our monotonic time; None: just now.
        """
        known = self._find(sender) or self._admit(sender, now_ms)
        timeline = known.timelines.pop(timeline_key, None)
        if timeline is None:
            if len(known.timelines) >= MAX_TIMELINES:
                gone = known.timelines.pop(next(iter(known.timelines)))
                known.ids.floor_ms = max(known.ids.floor_ms, gone.ids.floor_ms, gone.ids.newest_ms)
                known.forgot_at_ms = now_ms
            adopted = _adopted(known, timeline_key, date_ms, now_ms)
            if self._began_ms is not None:
                # The answer was dated after we asked: when we began its clock read this, or less.
                since_began_ms = (now_ms if asked_ms is None else asked_ms) - self._began_ms
                adopted.floor_ms = max(adopted.floor_ms, date_ms - since_began_ms)
            timeline = _Timeline(adopted, None)
        timeline.offset_ms = date_ms - now_ms
        known.timelines[timeline_key] = timeline

    def _forget_old(self, ids: _Ids, clock_ms: int) -> bool:
        return ids.forget(before_ms=clock_ms - self._window_ms, beyond=self._ids_per_sender)

    def _admit(self, sender: bytes, now_ms: int) -> _Sender:
        while len(self._senders) >= self._max_senders:  # more than one: who is not kept any more
            self._forget_one(now_ms)
        admitted = self._senders[sender] = _Sender(_Ids(self._unknown_floor_ms), self._forgot_at_ms)
        return admitted

    def _find(self, sender: bytes) -> _Sender | None:
        return self._kept.get(sender) or self._senders.get(sender)

    def _forget_one(self, now_ms: int) -> None:
        """The one who spoke longest ago, by our clock and not by its dates."""
        gone = self._senders.pop(next(iter(self._senders)))
        self._unknown_floor_ms = max(self._unknown_floor_ms, *(ids.forgotten_ms() for ids in _all_ids(gone)))
        self._forgot_at_ms = now_ms


def _all_ids(sender: _Sender) -> Iterator[_Ids]:
    yield sender.ids
    for timeline in sender.timelines.values():
        yield timeline.ids


def _restored(floor_ms: int, seen: tuple[SeenId, ...]) -> _Ids:
    ids = _Ids(floor_ms)
    for sent_ms, message_id in seen:
        ids.add(message_id, sent_ms)
    return ids


def _memory_of(key: bytes, sender: _Sender) -> SenderMemory:
    return SenderMemory(
        key,
        sender.ids.floor_ms,
        tuple(sender.ids.by_time),
        tuple(
            TimelineMemory(timeline_key, timeline.ids.floor_ms, tuple(timeline.ids.by_time))
            for timeline_key, timeline in sender.timelines.items()
        ),
    )


def _timeline_of(sender: _Sender, message_id: bytes) -> _Timeline | None:
    for key, timeline in sender.timelines.items():
        if is_on(key, message_id):
            return timeline
    return None


def _adopted(sender: _Sender, timeline_key: bytes, date_ms: int, now_ms: int) -> _Ids:
    """What was already accepted of a timeline that is proved only now.

    What was forgotten is not above the sender's floor; and when that floor is from another clock, ahead of this one, it was at least said
    before it was forgotten.
    """
    floor_ms = sender.ids.floor_ms
    if date_ms <= floor_ms:
        floor_ms = date_ms - (now_ms - sender.forgot_at_ms)
    adopted = _Ids(floor_ms)
    for sent_ms, message_id in sender.ids.by_time:
        if is_on(timeline_key, message_id):
            adopted.add(message_id, sent_ms)
    return adopted
