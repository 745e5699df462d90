"""When a call that this session is in gets another group key, who makes it, and who is given it.

    somebody declines or leaves      a new key at once, for everybody invited who has done neither
    somebody joins                   a new key when audio flows; at once if it had declined or left before
    whose turn it is                 the first by DID of those who are here and speak under our key; the next one steps in after a second
    two keys                         everybody uses the greater one (group_key.py), so halves of a call that were apart agree when they meet
    not heard under our key          gets it once more, then less and less often: it was cut off, or its maker crashed in between
    told an older key                whoever tells it is given ours

A partition is not a leave: who is lost stays among those who are given keys.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from blink_cli.core.call.effects import CallEffect, SendToPeer, UseKey
from blink_cli.core.call.group_key import GroupKey
from blink_cli.core.call.membership import CallRecord, Member
from blink_cli.core.call.settings import CallSettings
from blink_cli.core.ids import GROUP_KEY_BYTES, Did
from blink_cli.core.signaling.signals import CurrentKey, NewKey


@dataclass(slots=True)
class _Reader:
    """Somebody who is to read what we say."""

    heard_at: float = -math.inf
    """When it was last heard under our present key."""

    behind_at: float = math.inf
    """When it is to get our key because it was heard under an older one."""

    took_at: float = -math.inf
    """When its key was last taken for ours."""

    given_at: float = -math.inf
    given: int = 0
    """How often it got the present key since it was heard under it."""


class Rekeying:
    """Of one joining."""

    def __init__(
        self,
        call: CallRecord,
        settings: CallSettings,
        out: list[CallEffect],
        entropy: Callable[[int], bytes],
        is_silent: Callable[[Did], bool],
        *,
        now: float,
    ) -> None:
        """Take the keys as they are.

        Args:
            call: Which call; its keys are changed here.
            settings: Timings.
            out: Takes the effects.
            entropy: Returns so many unpredictable bytes.
            is_silent: Whether nothing is heard of a participant, who then makes no key.
            now: Monotonic seconds at which this session joined.

        """
        self._call = call
        self._settings = settings
        self._out = out
        self._entropy = entropy
        self._is_silent = is_silent
        self._changed_at = now
        self._due_at = math.inf
        self._readers = {did: _Reader() for did in call.members}

    # what happens in the call

    def went(self, now: float) -> None:
        """Somebody declined or left: it shall not read what is said from now on."""
        self._due_at = min(self._due_at, max(now, self._changed_at + self._settings.rekey_gap_s))

    def came(self, member: Member, now: float) -> None:
        """Somebody joined: it shall not read what was said before."""
        reader = self._readers[member.did]
        self._readers[member.did] = _Reader(given_at=reader.given_at, took_at=reader.took_at)
        wait_s = 0.0 if member.came_back else self._settings.rekey_after_join_s
        self._due_at = min(self._due_at, max(now + wait_s, self._changed_at + self._settings.rekey_gap_s))

    def heard_under(self, member: Member, key_id: bytes, now: float) -> bool:
        """It announced itself under this key; returns whether that is ours, for the first time."""
        reader = self._readers[member.did]
        if key_id != self._call.keys.current_id:
            if now > self._changed_at + self._settings.key_given_gap_s:
                self.behind(member, now)
            return False
        is_first = reader.heard_at == -math.inf
        reader.heard_at, reader.given, reader.behind_at = now, 0, math.inf
        return is_first

    def heard_epoch(self, member: Member, epoch: int, now: float) -> None:
        """It says of which epoch its key is."""
        self._call.keys.heard_epoch(epoch, now)
        if epoch < self._call.keys.current.epoch and now > self._changed_at + self._settings.key_given_gap_s:
            self.behind(member, now)

    def behind(self, member: Member, now: float) -> None:
        """It speaks under an older key than ours: it is given ours, by whose turn it is first."""
        reader = self._readers[member.did]
        at = max(
            now + self.turn() * self._settings.rekey_turn_s, reader.given_at + self._settings.key_given_gap_s
        )
        reader.behind_at = min(reader.behind_at, at)

    def heard_key(self, member: Member, key: GroupKey, out: tuple[int, ...], now: float) -> bool:
        """A participant told its key; returns whether it is ours from now on."""
        keys = self._call.keys
        keys.heard_epoch(key.epoch, now)
        if keys.is_greater(key):
            if now < self._readers[member.did].took_at + self._settings.key_taken_gap_s:
                return False
            self._adopt(key, now)
            self._readers[member.did].took_at = now
            if not set(self._call.out_places) <= set(out):
                self.went(now)  # whoever made it did not know that somebody is out
            return True
        if key.rank < keys.current.rank or keys.is_too_far(key.epoch):  # to an older one it is told again
            reader = self._readers[member.did]
            reader.behind_at = min(
                reader.behind_at, max(now, reader.given_at + self._settings.key_given_gap_s)
            )
        return False

    # time

    @property
    def not_before(self) -> float:
        """A bound of `next_timeout` that costs nothing: it is not sooner."""
        if self._due_at < math.inf:
            return self._due_at
        return -math.inf if self._gives else math.inf

    def next_timeout(self) -> float:
        """When a key is to be made, or given to somebody."""
        due = self._turn_at()
        if self._gives:
            turn = self.turn()
            for did, reader in self._readers.items():
                due = min(due, self._give_at(self._call.members[did], reader, turn))
        return due

    def handle_timeout(self, now: float) -> bool:
        """Make and give what is due; returns whether there is a new key."""
        made = now >= self._turn_at() and self._make(now)
        if self._gives:
            turn = self.turn()
            for did, reader in self._readers.items():
                member = self._call.members[did]
                if now >= self._give_at(member, reader, turn):
                    self._give(member, reader, now)
        return made

    def turn(self) -> int:
        """How many others come before us: they are here, are heard, and did not just come back without a key."""
        return sum(
            did < self._call.own
            and self._call.members[did].present
            and not self._is_silent(did)
            and not (self._call.members[did].came_back and reader.heard_at == -math.inf)
            for did, reader in self._readers.items()
        )

    # the moves

    @property
    def _gives(self) -> bool:
        """Whether there is anything to give; while a new key is to come, that one will be."""
        return self._call.keys.current.epoch > 0 and self._due_at == math.inf

    def _turn_at(self) -> float:
        if self._due_at == math.inf:
            return math.inf
        waits = self.turn() + (3 if self._call.keys.lapsed else 0)  # whoever has a key comes first
        return self._due_at + waits * self._settings.rekey_turn_s

    def _give_at(self, member: Member, reader: _Reader, turn: int) -> float:
        if member.is_out or not member.incarnation:
            return math.inf
        if self._is_silent(member.did):  # an offer brings it
            return reader.behind_at
        if not reader.given:
            missed_at = max(self._changed_at, reader.heard_at) + self._settings.key_missed_s
            missed_at += turn * self._settings.rekey_turn_s
        else:
            again_s = self._settings.key_again_s
            missed_at = reader.given_at + again_s[min(reader.given, len(again_s)) - 1]
        return min(missed_at, reader.behind_at)

    def _make(self, now: float) -> bool:
        readers = [
            (did, reader) for did, reader in self._readers.items() if not self._call.members[did].is_out
        ]
        if not readers:
            self._due_at = math.inf
            return False
        keys = self._call.keys
        self._adopt(GroupKey(keys.next_epoch, self._entropy(GROUP_KEY_BYTES)), now)
        for did, reader in readers:
            self._give(self._call.members[did], reader, now)
            reader.given = 0
        return True

    def _adopt(self, key: GroupKey, now: float) -> None:
        is_new = all(held.key_id != key.key_id for held in self._call.keys)
        self._call.keys.adopt(key, now)
        if is_new:
            self._out.append(UseKey(self._call.call_id, key.key))
        self._due_at, self._changed_at = math.inf, now
        self._readers = {
            did: _Reader(given_at=reader.given_at, took_at=reader.took_at)
            for did, reader in self._readers.items()
        }

    def _give(self, member: Member, reader: _Reader, now: float) -> None:
        call = self._call
        reader.given_at, reader.behind_at = now, math.inf
        reader.given += 1
        told = CurrentKey(call.keys.current.epoch, call.keys.current.key)
        new_key = NewKey(call.call_id, call.own_incarnation, told, call.out_places)
        self._out.append(SendToPeer(member.did, new_key, call.call_id))


def told_key(told: CurrentKey) -> GroupKey:
    """As a signal tells it."""
    return GroupKey(told.epoch, told.key)


def current_of(call: CallRecord) -> CurrentKey | None:
    """As an offer tells it; None while it is that of the invitation."""
    current = call.keys.current
    return CurrentKey(current.epoch, current.key) if current.epoch else None
