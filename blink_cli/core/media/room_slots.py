"""Who of a room is on which slot: a connection that brings one stream, which can be given to another at once.

    somebody comes        takes a free slot
    somebody talks        has a slot, or takes a free one, or that of whoever has been silent longest; if all talk, that of whoever has
                          talked for 20 s and longest; else waits for the first who stops

Who stops talking keeps the slot: most who have talked talk again. Pure.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from blink_cli.core.ids import Did

HEARD_AT_ONCE: Final = 4
"""How many are heard at once unless it is set otherwise: of more voices nobody understands one."""

LONG_TALK_S: Final = 20.0
"""Whoever has talked for so long without a pause yields to one who begins: a noisy microphone, or a member who says that he always talks, takes no slot for good."""

PAUSE_S: Final = 2.0
"""A shorter one ends no talk: else a word of silence each time would make it new."""


@dataclass(slots=True)
class _Heard:
    talks_since_s: float = math.inf
    """When it began to talk; not now: infinite."""

    silent_since_s: float = -math.inf
    """When it stopped last; never talked: ages ago."""

    busy_since_s: float = math.inf
    """When it began to talk with no pause since."""

    slot: int | None = None

    @property
    def talks(self) -> bool:
        return self.talks_since_s < math.inf


class RoomSlots:
    """Of one session. Every move changes `assigned` at once; who carries it out compares."""

    def __init__(self, size: int | None = HEARD_AT_ONCE) -> None:
        """Have no one; `size` slots, or one for everybody."""
        self._size = size
        self._heard: dict[Did, _Heard] = {}

    @property
    def assigned(self) -> dict[int, Did]:
        """Who is on which slot."""
        return {one.slot: peer for peer, one in self._heard.items() if one.slot is not None}

    def slot_of(self, peer: Did) -> int | None:
        """The slot on which somebody is; None: on none."""
        one = self._heard.get(peer)
        return None if one is None else one.slot

    def is_talking(self, peer: Did) -> bool:
        """Whether somebody talks, by its own word."""
        one = self._heard.get(peer)
        return one is not None and one.talks

    def add(self, peer: Did) -> None:
        """Somebody is in the room."""
        if peer not in self._heard:
            self._heard[peer] = _Heard()
            self._fill()

    def remove(self, peer: Did) -> None:
        """Somebody is not in the room any more."""
        if self._heard.pop(peer, None) is not None:
            self._fill()

    def talks(self, peer: Did, *, talking: bool, now_s: float) -> None:
        """Somebody begins or ends to talk, by its own word. Of who is not in the room nothing is known."""
        one = self._heard.get(peer)
        if one is None or one.talks is talking:
            return
        if talking:
            one.talks_since_s = now_s
            if now_s - one.silent_since_s >= PAUSE_S:
                one.busy_since_s = now_s
        else:
            one.talks_since_s, one.silent_since_s = math.inf, now_s
        self._fill()
        if talking and one.slot is None:
            one.slot = self._taken_from_long_talker(now_s)

    def resize(self, size: int | None) -> None:
        """Have more slots, or fewer: then the highest go."""
        self._size = size
        for one in self._heard.values():
            if size is not None and one.slot is not None and one.slot >= size:
                one.slot = None
        self._fill()

    def _fill(self) -> None:
        waiting = sorted(
            (one for one in self._heard.values() if one.slot is None),
            key=lambda one: (one.talks_since_s, -one.silent_since_s),
        )
        free = self._free()
        for one in waiting:
            slot = next(free, None)
            if slot is None and one.talks:
                slot = self._taken_from_silent()
            if slot is None:
                return
            one.slot = slot

    def _free(self) -> Iterator[int]:
        taken = {one.slot for one in self._heard.values()}
        slots = range(len(self._heard) if self._size is None else self._size)
        return iter([slot for slot in slots if slot not in taken])

    def _taken_from_long_talker(self, now_s: float) -> int | None:
        long = [
            one
            for one in self._heard.values()
            if one.slot is not None and one.talks and now_s - one.busy_since_s >= LONG_TALK_S
        ]
        if not long:
            return None
        longest = min(long, key=lambda one: one.busy_since_s)
        slot, longest.slot = longest.slot, None
        return slot

    def _taken_from_silent(self) -> int | None:
        silent = [one for one in self._heard.values() if one.slot is not None and not one.talks]
        if not silent:
            return None
        longest = min(silent, key=lambda one: one.silent_since_s)
        slot, longest.slot = longest.slot, None
        return slot
