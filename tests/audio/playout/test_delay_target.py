"""How long to wait, from what was seen."""

import random
from collections.abc import Iterable

import pytest

from blink_cli.audio.playout.copy_floor import CopyFloor
from blink_cli.audio.playout.delay_target import DelayTarget

pytestmark = pytest.mark.no_clock


def learned(transits: Iterable[float], weight: float = 1.0) -> DelayTarget:
    target = DelayTarget(opening_s=0.04, minimum_s=0.0, maximum_s=0.4)
    for transit_s in transits:
        target.observe(transit_s, 960, weight)
    return target


def test_it_opens_with_what_it_was_told_and_keeps_it_for_a_second() -> None:
    target = DelayTarget(opening_s=0.04, minimum_s=0.0, maximum_s=0.4)
    assert target.target_s == 0.04
    for _ in range(40):
        target.observe(1.0, 960)
    assert target.target_s == 0.04


def test_a_steady_network_needs_nothing() -> None:
    target = learned([1.0] * 200)
    assert (target.base_s, target.target_s) == (1.0, 0.0)


@pytest.mark.parametrize(("deviation_s", "lowest", "highest"), [(0.02, 0.035, 0.075), (0.04, 0.07, 0.14)])
def test_jitter_is_waited_for_to_a_high_percentile(deviation_s: float, lowest: float, highest: float) -> None:
    rng = random.Random(4)
    target = learned([1.0 + max(0.0, rng.gauss(0, deviation_s)) for _ in range(600)])
    assert lowest < target.target_s < highest


def test_what_redundancy_needs_is_found() -> None:
    # One frame of ten comes 20 ms later, in the next packet.
    target = learned([1.02 if n % 10 == 0 else 1.0 for n in range(600)])
    assert target.target_s == pytest.approx(0.02, abs=0.002)


def test_a_rare_copy_is_not_waited_for() -> None:
    assert learned([1.02 if n % 400 == 399 else 1.0 for n in range(600)]).target_s == 0.0


def test_one_freeze_is_forgiven_and_frequent_peaks_are_not() -> None:
    freeze = [1.0] * 300 + [1.6 - n * 0.02 for n in range(30)] + [1.0] * 200
    assert learned(freeze).target_s < 0.02
    peaks = ([1.0] * 20 + [1.1, 1.08, 1.06, 1.04, 1.02]) * 20
    assert learned(peaks).target_s > 0.05


def test_the_past_is_forgotten() -> None:
    target = learned([1.0 + (0.08 if n % 5 == 0 else 0.0) for n in range(300)])
    assert target.target_s > 0.07
    for _ in range(520):
        target.observe(1.0, 960)
    assert target.target_s == 0.0


def test_a_queue_that_has_emptied_is_forgotten_in_a_quarter_of_the_time() -> None:
    queue = [1.0] * 300 + [1.0 + 0.3 * n / 50 for n in range(50)] + [1.3] * 150
    assert learned([*queue, *[1.0] * 120]).target_s > 0.25
    assert learned([*queue, *[1.0] * 150]).target_s < 0.02


def test_what_is_late_again_every_three_seconds_is_not_forgotten() -> None:
    target = learned([1.0] * 300)
    least_s = 1.0
    for turn in range(10):
        for n in range(150):
            target.observe(1.3 if n < 30 else 1.0, 960)
            if turn > 3:
                least_s = min(least_s, target.target_s)
    assert least_s > 0.25


def test_a_longer_path_becomes_the_new_base() -> None:
    target = learned([1.0] * 300 + [1.1] * 540)
    assert target.base_s == pytest.approx(1.1)
    assert target.target_s < 0.001


def test_below_the_target_waiting_too_little_is_regretted() -> None:
    target = learned([1.02 if n % 10 == 0 else 1.0 for n in range(600)])
    assert target.regret_s(0.019) > 0.1
    assert target.regret_s(0.021) < 0.002
    assert target.regret_s(0.05) == pytest.approx(0.03, abs=0.002)


def test_more_delay_than_was_learned_is_no_reason_to_wait_longer() -> None:
    target = learned([1.02 if n % 10 == 0 else 1.0 for n in range(600)])
    # Copies that are in use and were not needed yet.
    target.floor_s = 0.042
    target.target_s = 0.042
    assert target.regret_s(0.0415) < 0.001
    assert target.learned_regret_s(0.0415) < 0.001
    assert target.regret_s(0.022) == pytest.approx(0.02, abs=0.001)
    # Above the target only what is above it can be saved.
    assert target.regret_s(0.052) == pytest.approx(0.01, abs=0.001)


def test_the_delay_that_copies_need_outlasts_some_seconds_without_a_loss() -> None:
    floor = CopyFloor()
    assert floor.after((960, 1920), 0.0, loses=False) == 0.0
    assert floor.after((960, 1920), 1.0, loses=True) == pytest.approx(0.042)
    assert floor.after((960, 1920), 10.0, loses=False) == pytest.approx(0.042)
    assert floor.after((960, 1920), 11.1, loses=False) == 0.0


def test_one_burst_is_not_what_comes_again() -> None:
    once = learned([1.0] * 100 + [1.1] * 6 + [1.0] * 20)
    assert once.learned_regret_s(0.02) > 0.016
    assert not once.comes_later_again(0.02)
    again = learned([1.0] * 100 + [1.1] * 6 + [1.0] * 40 + [1.1])
    assert again.comes_later_again(0.02)
    # Also across the end of the window.
    assert learned([1.0] * 500 + [1.1] * 2 + [1.0] * 30 + [1.1] * 2).comes_later_again(0.02)
    assert not learned([1.0] * 508 + [1.1] * 8).comes_later_again(0.02)


def test_a_burst_of_which_a_later_packet_tells_is_waited_for_as_long_as_others_may_follow() -> None:
    floor = CopyFloor()
    floor.told(5 * 960, 1.0)
    assert floor.after((), 1.0, loses=True) == pytest.approx(0.092), "no longer than a conversation waits"
    floor.told(3 * 960, 5.0)
    assert floor.after((), 10.0, loses=True) == pytest.approx(0.092)
    floor.told(3 * 960, 11.5)
    assert floor.after((), 11.5, loses=True) == pytest.approx(0.062)
    assert floor.after((), 21.6, loses=True) == 0.0


def test_it_stays_within_its_limits() -> None:
    target = DelayTarget(opening_s=0.04, minimum_s=0.03, maximum_s=0.1)
    for n in range(300):
        target.observe(1.0 + (0.3 if n % 3 == 0 else 0.0), 960)
    assert target.target_s == 0.1
    for _ in range(600):
        target.observe(1.0, 960)
    assert target.target_s == 0.03


def test_of_short_frames_the_latest_of_a_tick_counts() -> None:
    target = learned([])
    for n in range(801):  # the first one counts at once
        target.observe(1.0 + 0.002 * (n % 4), 120)
    assert target.base_s == 1.0, "the first stands alone"
    assert target.target_s == pytest.approx(0.006, abs=0.001)
    for _ in range(512 * 4):
        for late_s in (0.0, 0.004, 0.001, 0.002):
            target.observe(1.0 + late_s, 120)
    assert (target.base_s, target.target_s) == (1.004, 0.0)


def test_of_late_frames_that_come_in_one_go_all_count_with_what_comes_next() -> None:
    together, apart = (DelayTarget(opening_s=0.045, minimum_s=0.0, maximum_s=0.4) for _ in range(2))
    for target in (together, apart):
        for n in range(300):
            target.observe(1.0, 960, tick_s=0.02 * n)
        for n in range(20):
            target.observe(1.05, 960, tick_s=6.0 if target is together else 6.0 + 0.02 * n)
    assert together.target_s < apart.target_s
    for target in (together, apart):
        target.observe(1.0, 960, tick_s=6.6)
        target.observe(1.06, 960, tick_s=6.62)
    assert together.target_s == apart.target_s
