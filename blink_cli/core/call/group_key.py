"""The keys of one call, as this session holds them: which one it speaks under, and which it still reads.

    invitation    came with the offer and never changes. Everybody who was ever invited has it: under it is said who is in the call, and that
                  somebody leaves, so that those who declined or left can come back
    current       the greatest key that is known, by epoch, then by digest. Everything else is said under it
    former        still read for some seconds in a hand-over

Whoever declined or left lets the current one go and is given none. Pure.
"""

import math
from collections.abc import Iterator
from typing import Final

import msgspec
from typing_extensions import override

from blink_cli.core.signaling.topics import key_id_of

MAX_EPOCH_STEP: Final = 2**20
"""How far epochs are believed at first, and how much further with each step."""

EPOCH_STEP_EVERY_S: Final = 0.8
"""Who tells an epoch that is too far is believed one step further, no oftener than this: nobody can use the epochs up, which would take two hundred years,
and nobody can part two others for good by telling one of them alone. Keys are given to one who is behind every second: he catches up."""

_MAX_FORMER: Final = 4


class GroupKey(msgspec.Struct, frozen=True):
    """One key of a call."""

    epoch: int
    key: bytes

    @property
    def key_id(self) -> bytes:
        """Names it."""
        return key_id_of(self.key)

    @property
    def rank(self) -> tuple[int, bytes]:
        """Of two keys everybody uses the greater one."""
        return (self.epoch, self.key_id)

    @override
    def __repr__(self) -> str:
        return f"GroupKey({self.epoch}, {self.key_id.hex()[:6]})"


class CallKeys:
    """Of one call."""

    def __init__(self, invitation: bytes, handover_s: float) -> None:
        """Speak under the key of the invitation."""
        self.invitation = GroupKey(0, invitation)
        self.current = self.invitation
        self.lapsed = False
        """Whether this session gave the current key back because it does not take part: it needs another one to speak again."""

        self._greatest_epoch = 0
        """The greatest that was ever heard of here."""

        self._believed_up_to = MAX_EPOCH_STEP
        self._believed_more_at = -math.inf

        self._handover_s = handover_s
        self._former: list[tuple[GroupKey, float]] = []
        self._invitation_until = math.inf
        """So long media that are sealed by the invitation's key are opened although there is another; infinity: this is not so."""

    def __iter__(self) -> Iterator[GroupKey]:
        """All that are read."""
        held = {key.key_id: key for key in (self.invitation, self.current, *(key for key, _ in self._former))}
        return iter(held.values())

    @property
    def due_at(self) -> float:
        """When a former key is to be forgotten."""
        return min(self._invitation_until, min((until for _, until in self._former), default=math.inf))

    @property
    def current_id(self) -> bytes:
        """What names the current key; empty while it is that of the invitation."""
        return b"" if self.current is self.invitation else self.current.key_id

    @property
    def next_epoch(self) -> int:
        """Of a key that is made now."""
        return max(self.current.epoch, self._greatest_epoch) + 1

    @property
    def of_media(self) -> tuple[GroupKey, ...]:
        """By which media of the others are opened, the current key first. By that of the invitation for a moment only: who is out has it too."""
        others = [key for key, _ in self._former]
        if self._invitation_until < math.inf:
            others.append(self.invitation)
        return (self.current, *(key for key in others if key != self.current))

    def heard_epoch(self, epoch: int, now: float) -> None:
        """Somebody says that the call has such a key, which this session may not have. Beyond what can be true it is believed step by step."""
        if self.is_too_far(epoch) and now >= self._believed_more_at + EPOCH_STEP_EVERY_S:
            self._believed_up_to += MAX_EPOCH_STEP
            self._believed_more_at = now
        self._greatest_epoch = max(self._greatest_epoch, min(epoch, self._believed_up_to))

    def is_too_far(self, epoch: int) -> bool:
        """Whether this epoch is not believed yet."""
        return epoch > self._believed_up_to

    def is_greater(self, key: GroupKey) -> bool:
        """Whether this one is to be used from now on."""
        # Under the invitation's key who declined or left would read on: it is nobody's new key.
        is_another = key.key != self.invitation.key
        return is_another and self.current.rank < key.rank and not self.is_too_far(key.epoch)

    def adopt(self, key: GroupKey, now: float) -> None:
        """Speak under a greater key; read the last one for a while."""
        assert self.current.rank < key.rank, "keys only grow"
        if self.current is self.invitation and not self.lapsed:
            self._invitation_until = now + self._handover_s
        self._keep_reading(now)
        self.current, self.lapsed = key, False

    def lapse(self, now: float) -> None:
        """This session does not take part any more: the current key is read for a moment only, to learn whether it was heard to go."""
        self._keep_reading(now)
        self._greatest_epoch = max(self._greatest_epoch, self.current.epoch)
        self.current, self.lapsed = self.invitation, True

    def forget_former(self, now: float) -> tuple[bytes, ...]:
        """Forget those that are due; returns their names."""
        if self._invitation_until <= now:
            self._invitation_until = math.inf
        if not self._former:
            return ()
        read = {key.key_id for key in self}
        crowded = len(self._former) - _MAX_FORMER
        self._former = [
            (key, until)
            for number, (key, until) in enumerate(self._former)
            if until > now and number >= crowded
        ]
        still = {key.key_id for key in self}
        return tuple(sorted(read - still))

    def _keep_reading(self, now: float) -> None:
        if self.current is not self.invitation:
            self._former.append((self.current, now + self._handover_s))
