"""Copies go where they are what fills the line, and only there: tables of round trips, a second apart."""

import random

import pytest

from blink_cli.core.media.copy_brake import (
    LONGEST_HOLD_S,
    SHORTEST_HOLD_S,
    SUSPICION_RESTS_S,
    TRIAL_S,
    CopyBrake,
)
from blink_cli.core.media.loss_report import LossReport
from blink_cli.core.media.redundancy_policy import RedundancyPolicy
from blink_cli.core.media.rtp import ReceptionReport

BASE_S, QUEUE_S = 0.04, 0.3


class Line:
    """A line whose queue is full while copies are sent, or always."""

    def __init__(self, *, narrow: bool, jitter_s: float = 0.01, seen_s: int = 5) -> None:
        self.brake = CopyBrake()
        self.narrow = narrow
        self.jitter_s = jitter_s
        self.now_s = 0.0
        self.barred_s = 0
        for _ in range(seen_s):
            self.step(BASE_S, copies=False)

    def step(self, rtt_s: float, *, copies: bool = True) -> None:
        self.now_s += 1.0
        self.brake.round_trip(rtt_s, self.jitter_s, self.now_s, copies=copies)

    def run(self, seconds: int) -> None:
        """Of a peer whose losses call for copies all the time."""
        for _ in range(seconds):
            barred = self.brake.bars(self.now_s)
            self.barred_s += barred
            self.step(BASE_S + (0.0 if self.narrow and barred else QUEUE_S), copies=not barred)


def test_a_queue_that_goes_with_the_copies_was_theirs_and_they_stay_away_ever_longer() -> None:
    line = Line(narrow=True)
    line.run(3)
    assert line.brake.bars(line.now_s), "after three round trips that are all long"
    line.run(200)
    assert line.barred_s > 0.9 * 200
    holds = [SHORTEST_HOLD_S * 2**number for number in range(3)]
    assert sum(holds) < 200 < sum(holds) + 2 * LONGEST_HOLD_S


def test_a_queue_that_stays_is_not_theirs_and_they_come_back() -> None:
    line = Line(narrow=False)
    line.run(3 + int(TRIAL_S) + 1)
    assert not line.brake.bars(line.now_s)
    assert line.barred_s <= TRIAL_S + 1
    before = line.barred_s
    line.run(int(SUSPICION_RESTS_S) * 4)
    assert line.barred_s == before, "the way is longer now, and that is no queue"


def test_a_queue_that_stood_before_the_first_round_trip_goes_too() -> None:
    line = Line(narrow=True, seen_s=0)
    line.run(200)
    assert line.barred_s > 0.9 * 200


def test_a_long_way_is_tried_once_and_then_known() -> None:
    line = Line(narrow=False, seen_s=0)
    line.run(300)
    assert 0 < line.barred_s <= TRIAL_S + 1
    known = Line(narrow=False, seen_s=0)
    for _ in range(3):
        known.step(BASE_S + QUEUE_S, copies=False)
    known.run(300)
    assert known.barred_s == 0


def test_nothing_is_suspected_without_copies() -> None:
    line = Line(narrow=False)
    for _ in range(20):
        line.step(BASE_S + QUEUE_S, copies=False)
    assert not line.brake.bars(line.now_s)


@pytest.mark.parametrize("jitter_s", [0.02, 0.04])
def test_round_trips_that_vary_by_chance_are_no_queue(jitter_s: float) -> None:
    draw = random.Random(round(1000 * jitter_s))
    line = Line(narrow=False, jitter_s=1.1 * jitter_s)
    for _ in range(2_000):
        there, back = (max(draw.gauss(0.06, jitter_s), 0.0) for _ in range(2))
        line.step(there + back)
        assert not line.brake.bars(line.now_s)


def test_the_policy_sends_no_copies_meanwhile_unless_they_are_fixed() -> None:
    policies = RedundancyPolicy(), RedundancyPolicy("2")
    for second in range(9):
        for policy in policies:
            rtt_s = BASE_S if second < 5 else BASE_S + QUEUE_S
            policy.on_loss_report(LossReport(0.2, 1.0, 1, 0.01), second)
            policy.on_reception_report(ReceptionReport(1, 0.2, 0, 0, 0.01, second, rtt_s), second)
            policy.plan(second)
        if second == 4:
            assert policies[0].plan(second).red_levels == 2
    assert policies[0].plan(8.0).red_levels == 0
    assert policies[1].plan(8.0).red_levels == 2
