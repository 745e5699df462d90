"""The clock of a sender, as its packets' arrivals tell it."""

import itertools
import random

import pytest

from blink_cli.record.recording.sender_clock import LeastOfWindow, SenderClock

pytestmark = pytest.mark.no_clock


@pytest.mark.parametrize("ppm", [-200, -150, 0, 150, 200])
def test_the_offset_follows_drift_under_jitter_to_two_milliseconds_and_never_jumps(ppm: int) -> None:
    clock, source = SenderClock(), random.Random(ppm)
    before = None
    for number in range(50 * 300):
        sent_s = number * 0.02 / (1 + ppm * 1e-6)
        arrival_s = sent_s + 0.03 + source.expovariate(1 / 0.01)
        clock.observe(arrival_s - number * 0.02, arrival_s)
        if number % 10 == 0 and number > 25:
            offset_s = clock.follow(arrival_s, path_s=0.03)
            truth_s = sent_s - number * 0.02
            if sent_s > 20:
                assert abs(offset_s - truth_s) < 0.003
                assert before is not None
                assert abs(offset_s - before) < 0.0005
            before = offset_s


def test_a_longer_path_is_followed_slowly() -> None:
    clock = SenderClock()
    offsets = []
    for number in range(50 * 120):
        at_s = number * 0.02
        clock.observe(0.1 if at_s < 30 else 0.2, at_s)
        offsets.append(clock.follow(at_s, 0.0))
    assert offsets[50 * 29] == pytest.approx(0.1)
    assert offsets[50 * 41] < 0.11
    assert offsets[-1] > 0.19
    assert max(b - a for a, b in itertools.pairwise(offsets)) < 0.0002


def test_the_least_of_a_window_forgets() -> None:
    least = LeastOfWindow(10.0)
    assert least.least is None
    seen: list[float | None] = []
    for value, at_s in ((1.0, 0.0), (3.0, 9.0), (2.0, 12.0), (5.0, 11.9), (5.0, 40.0)):
        least.add(value, at_s)
        seen.append(least.least)
    assert seen == [1.0, 1.0, 2.0, 2.0, 5.0]
