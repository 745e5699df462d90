"""Deadlines are looked for no more often than an input can have brought one forward."""

import math

import pytest

from blink_cli.core.call.deadlines import Deadlines
from blink_cli.core.ids import Did

pytestmark = pytest.mark.no_clock

ANN, BEN = Did("did:key:ann"), Did("did:key:ben")


class Call:
    """What is due, and who was asked about."""

    def __init__(self) -> None:
        self.due = {ANN: 10.0, BEN: 20.0}
        self.besides = math.inf
        self.asked: list[Did] = []
        self.deadlines = Deadlines(self.due.keys(), self._due_with, lambda due: min(due, self.besides))

    def _due_with(self, did: Did) -> float:
        self.asked.append(did)
        return self.due[did]

    def next_timeout(self) -> tuple[float, list[Did]]:
        self.asked = []
        return self.deadlines.next_timeout(), self.asked


def test_an_input_that_says_nothing_may_have_changed_everything() -> None:
    call = Call()
    assert call.next_timeout() == (10.0, [ANN, BEN])
    call.due[BEN] = 5.0
    assert call.next_timeout() == (5.0, [ANN, BEN])
    call.besides = 2.0
    assert call.next_timeout() == (2.0, [ANN, BEN])


def test_of_an_input_that_bears_on_one_only_that_one_is_asked_about() -> None:
    call = Call()
    call.next_timeout()
    call.due = {ANN: 30.0, BEN: 25.0}
    call.deadlines.bear_on(ANN)
    assert call.next_timeout() == (20.0, [ANN])
    call.deadlines.bear_on(ANN)
    call.deadlines.touched(BEN)
    assert call.next_timeout() == (25.0, [ANN, BEN])
    call.deadlines.bear_on(ANN)
    call.deadlines.all_moved()
    assert call.next_timeout() == (25.0, [ANN, BEN])


def test_what_is_only_put_off_is_not_looked_for_until_something_else_happens() -> None:
    call = Call()
    call.next_timeout()
    call.due[ANN] = 30.0
    call.deadlines.bear_on(ANN)
    call.deadlines.only_later()
    assert call.next_timeout() == (10.0, [])
    call.deadlines.bear_on(BEN)
    assert call.next_timeout() == (20.0, [ANN, BEN]), "the one put off is asked about then"
    call.deadlines.only_later()
    call.deadlines.touched(ANN)
    assert call.next_timeout() == (20.0, [ANN, BEN])
