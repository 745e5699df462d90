"""Copies go where they are what fills the line, and only there: tables of round trips, a second apart."""

import random

import pytest

from blink_cli.core.media.codec_settings import CodecSettings
from blink_cli.core.media.copy_brake import (
    FORGOTTEN_AFTER_S,
    LONGEST_HOLD_S,
    MOST_COPIES,
    SHORTEST_HOLD_S,
    SUSPICION_RESTS_S,
    TRIAL_S,
    CopyBrake,
    is_regular,
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

    @property
    def barred(self) -> bool:
        return self.brake.most_copies(self.now_s) == 0

    def step(self, rtt_s: float, *, copies: bool = True) -> None:
        self.now_s += 1.0
        self.brake.round_trip(rtt_s, self.jitter_s, self.now_s, copies=copies)

    def run(self, seconds: int) -> None:
        """Of a peer whose losses call for copies all the time."""
        for _ in range(seconds):
            barred = self.barred
            self.barred_s += barred
            self.step(BASE_S + (0.0 if self.narrow and barred else QUEUE_S), copies=not barred)


def test_a_queue_that_goes_with_the_copies_was_theirs_and_they_stay_away_ever_longer() -> None:
    line = Line(narrow=True)
    line.run(3)
    assert line.barred, "after three round trips that are all long"
    line.run(200)
    assert line.barred_s > 0.9 * 200
    holds = [SHORTEST_HOLD_S * 2**number for number in range(3)]
    assert sum(holds) < 200 < sum(holds) + 2 * LONGEST_HOLD_S


def test_a_queue_that_stays_is_not_theirs_and_they_come_back() -> None:
    line = Line(narrow=False)
    line.run(3 + int(TRIAL_S) + 1)
    assert not line.barred
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
    assert not line.barred


def seconds_without_copies(
    *, way_s: float, loss: float, ours: bool, seconds: int = 20, regularly: bool = True
) -> list[int]:
    """Of a line that loses from its first second on, seen once a second; with copies alone if that is `ours`."""
    brake = CopyBrake()
    without = []
    for second in range(seconds):
        copies = brake.most_copies(second) > 0
        if not copies:
            without.append(second)
        lost = loss if copies or not ours else 0.0
        brake.round_trip(way_s, 0.01, second, copies=copies, lost=lost, regularly=regularly)
    return without


def test_a_short_queue_that_is_full_shows_in_its_loss() -> None:
    without = seconds_without_copies(way_s=0.14, loss=0.25, ours=True)
    assert without[0] == 2, "after two reports"
    assert len(without) >= SHORTEST_HOLD_S


def test_a_long_way_that_loses_is_tried_once_for_two_reports() -> None:
    assert seconds_without_copies(way_s=0.14, loss=0.25, ours=False, seconds=200) == [2, 3]
    assert seconds_without_copies(way_s=0.06, loss=0.4, ours=False, seconds=200) == [], "no queue fits in"


def test_loss_by_chance_is_no_full_queue() -> None:
    assert seconds_without_copies(way_s=0.14, loss=0.4, ours=True, regularly=False) == []
    draw = random.Random(3)
    for share in (0.2, 0.4):
        packets = [draw.random() < share for _ in range(1_000)]
        runs = [len(run) for run in "".join(" x"[lost] for lost in packets).split()]
        lost = sum(runs) / len(packets)
        assert not is_regular(lost, sum(runs) / len(runs), len(packets))
        assert is_regular(lost, 1.05, len(packets))
    assert not is_regular(0.0, 0.0, 160)
    assert not is_regular(1.0, 160.0, 160)
    assert is_regular(0.2, 1.0, 160)
    assert not is_regular(0.2, 1.0, 60), "twelve that stand alone may do so by chance"


def test_one_copy_comes_back_first() -> None:
    line = Line(narrow=True)
    line.run(6)
    assert line.brake.most_copies(line.now_s) == 0
    held_s = line.now_s + SHORTEST_HOLD_S
    assert line.brake.most_copies(held_s) == 1
    assert line.brake.most_copies(held_s + FORGOTTEN_AFTER_S) == MOST_COPIES


@pytest.mark.parametrize("jitter_s", [0.02, 0.04])
def test_round_trips_that_vary_by_chance_are_no_queue(jitter_s: float) -> None:
    draw = random.Random(round(1000 * jitter_s))
    line = Line(narrow=False, jitter_s=1.1 * jitter_s)
    for _ in range(2_000):
        there, back = (max(draw.gauss(0.06, jitter_s), 0.0) for _ in range(2))
        line.step(there + back)
        assert not line.barred


def test_the_policy_sends_no_copies_meanwhile_unless_they_are_fixed() -> None:
    policies = RedundancyPolicy(), RedundancyPolicy(CodecSettings(redundancy="2"))
    for second in range(9):
        for policy in policies:
            rtt_s = BASE_S if second < 5 else BASE_S + QUEUE_S
            policy.on_loss_report(LossReport(0.2, 1.0, 1, 0.01), second)
            policy.on_reception_report(ReceptionReport(1, 0.2, 0, 0, 0.01, second, rtt_s), second)
            policy.plan(second)
        if second == 4:
            assert policies[0].plan(second).red_levels == 3
    assert policies[0].plan(8.0).red_levels == 0
    assert policies[1].plan(8.0).red_levels == 2


def test_behind_a_queue_of_ours_much_regular_loss_is_tried_though_the_queue_stands_without_copies_too() -> (
    None
):
    brake = CopyBrake()
    now_s = 0.0

    def step(*, lost: float, regularly: bool) -> bool:
        nonlocal now_s
        now_s += 1.0
        copies = brake.most_copies(now_s) > 0
        # The other direction's queue is in each round trip, and this one's nearly.
        brake.round_trip(0.45, 0.01, now_s, copies=copies, lost=lost if copies else 0.02, regularly=regularly)
        return copies

    held = [step(lost=0.4, regularly=True) for _ in range(12)]
    assert held.count(False) >= 10, "a queue may stand since the call began"
    while not step(lost=0.35, regularly=True):
        pass
    again = [step(lost=0.35, regularly=True) for _ in range(15)]
    assert not all(again)
    assert again.count(True) <= 3

    chance = CopyBrake()
    for second in range(60):
        chance.round_trip(0.05, 0.01, float(second), copies=True, lost=0.35, regularly=False)
    assert chance.most_copies(60.0) == MOST_COPIES
