"""Which datagrams are lost: a chain of states, asked once for each."""

from typing import Protocol

from typing_extensions import override

from blink_cli.core.impairment.conditions import Conditions, FourStates


class LossChain(Protocol):
    """Says of one datagram after the other whether it is lost."""

    def loses(self, step: float, chance: float) -> bool:
        """Take the next datagram.

        Args:
            step: Drawn from 0 to 1: which state follows.
            chance: Drawn from 0 to 1: whether that state loses this one.

        """
        ...


def loss_chain(conditions: Conditions) -> LossChain:
    """The chain that these conditions ask for, at its beginning."""
    if conditions.four_states is not None:
        return _FourStateChain(conditions.four_states)
    if conditions.has_bad_times:
        return _GilbertElliott(conditions)
    return _Independent(conditions.loss)


class _Independent(LossChain):
    def __init__(self, share: float) -> None:
        self._share = share

    @override
    def loses(self, step: float, chance: float) -> bool:
        return chance < self._share


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
    def loses(self, step: float, chance: float) -> bool:
        if self._bad is None:
            self._bad = step < self._bad_share
        else:
            self._bad = step >= self._leave if self._bad else step < self._enter
        return chance < self._losses[self._bad]


class _FourStateChain(LossChain):
    """See `FourStates`. It begins in state 1, as netem does."""

    def __init__(self, states: FourStates) -> None:
        self._states = states
        self._state = 1

    @override
    def loses(self, step: float, chance: float) -> bool:
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
