"""Which datagrams are lost: a chain of states, asked once for each."""

import math
from typing import Final, Protocol

from typing_extensions import override

from blink_cli.core.impairment.conditions import Conditions, FourStates


class LossChain(Protocol):
    """Says of one datagram after the other whether it is lost."""

    def loses(self, step: float, chance: float, at_s: float) -> bool:
        """Take the next datagram.

        Args:
            step: Drawn from 0 to 1: which state follows.
            chance: Drawn from 0 to 1: whether that state loses this one.
            at_s: How long the conditions hold by now.

        """
        ...

    def share_at(self, at_s: float) -> float:
        """Which share of other datagrams is lost that go beside these at that time: a bad time is one for all of them."""
        ...


def loss_chain(conditions: Conditions) -> LossChain:
    """The chain that these conditions ask for, at its beginning."""
    if conditions.four_states is not None:
        return _FourStateChain(conditions.four_states)
    if conditions.has_bad_times:
        return _BadTimes(conditions) if conditions.bad_time_ms else _GilbertElliott(conditions)
    return _Independent(conditions.loss)


class _Independent(LossChain):
    def __init__(self, share: float) -> None:
        self._share = share

    @override
    def loses(self, step: float, chance: float, at_s: float) -> bool:
        return chance < self._share

    @override
    def share_at(self, at_s: float) -> float:
        return self._share


_SPLIT_MASK: Final = (1 << 64) - 1


class _BadTimes(LossChain):
    """Good and bad times by the clock: each ends at any moment with the same chance, whatever is sent meanwhile.

    Where they lie follows from the first datagram's draw and from when the conditions began. What goes beside the line before its first datagram meets
    their mean.
    Source: as below, in continuous time; G. L. Steele, D. Lea, C. H. Flood, "Fast splittable pseudorandom number generators" (2014).
    """

    def __init__(self, conditions: Conditions) -> None:
        share = self._bad_share = conditions.bad_share
        bad_s = conditions.bad_time_ms / 1000
        self._mean_s = (bad_s * (1 - share) / share if share else math.inf), bad_s
        self._losses = conditions.good_loss, conditions.bad_loss
        self._seed: float | None = None
        self._state = 0
        self._bad = False
        self._from_s = self._until_s = 0.0

    @override
    def loses(self, step: float, chance: float, at_s: float) -> bool:
        if self._seed is None:
            self._seed = step
            self._begin()
        return chance < self.share_at(at_s)

    @override
    def share_at(self, at_s: float) -> float:
        good, bad = self._losses
        if self._seed is None or self._bad_share >= 1:
            return self._bad_share * bad + (1 - self._bad_share) * good
        if at_s < self._from_s:  # counted from another moment now, or asked a little late
            self._begin()
        while at_s >= self._until_s:
            self._bad = not self._bad
            self._from_s = self._until_s
            self._until_s += self._length_s()
        return bad if self._bad else good

    def _begin(self) -> None:
        assert self._seed is not None
        self._state = int(self._seed * _SPLIT_MASK)
        self._bad = self._draw() < self._bad_share
        self._from_s, self._until_s = 0.0, self._length_s()

    def _length_s(self) -> float:
        mean_s = self._mean_s[self._bad]
        return -math.log(1 - self._draw()) * mean_s if mean_s < math.inf else math.inf

    def _draw(self) -> float:
        """The next number from 0 up to but not with 1: they must begin anew whenever they are asked to, which no line's chance does (SplitMix64)."""
        self._state = (self._state + 0x9E3779B97F4A7C15) & _SPLIT_MASK
        mixed = (self._state ^ (self._state >> 30)) * 0xBF58476D1CE4E5B9 & _SPLIT_MASK
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB & _SPLIT_MASK
        return ((mixed ^ (mixed >> 31)) >> 11) / (1 << 53)


class _GilbertElliott(LossChain):
    """Good and bad times. It begins as it is in the long run, so that a short call loses as much as a long one.

    Source: E. N. Gilbert, "Capacity of a burst-noise channel" (1960); E. O. Elliott (1963).
    """

    def __init__(self, conditions: Conditions) -> None:
        self._bad_share = conditions.bad_share
        self._leave = 1 / conditions.burst_packets if self._bad_share < 1 else 0.0
        self._enter = conditions.enter_bad
        self._losses = conditions.good_loss, conditions.bad_loss
        self._bad: bool | None = None

    @override
    def loses(self, step: float, chance: float, at_s: float) -> bool:
        if self._bad is None:
            self._bad = step < self._bad_share
        else:
            self._bad = step >= self._leave if self._bad else step < self._enter
        return chance < self._losses[self._bad]

    @override
    def share_at(self, at_s: float) -> float:
        good, bad = self._losses
        if self._bad is None:
            return self._bad_share * bad + (1 - self._bad_share) * good
        return bad if self._bad else good


class _FourStateChain(LossChain):
    """See `FourStates`. It begins in state 1, as netem does."""

    def __init__(self, states: FourStates) -> None:
        self._states = states
        self._state = 1

    @override
    def loses(self, step: float, chance: float, at_s: float) -> bool:
        p = self._states
        match self._state:
            case 1:
                self._state = 4 if step < p.p14 else 3 if step < p.p14 + p.p13 else 1
            case 2:
                self._state = 3 if step < p.p23 else 2
            case 3:
                self._state = 2 if step < p.p32 else 1 if step < p.p32 + p.p31 else 3
            case _:
                self._state = 1
        return self._state > 2

    @override
    def share_at(self, at_s: float) -> float:
        if self._state in (2, 3):
            return float(self._state == 3)
        return self._states.p14  # between bursts each is lost by itself
