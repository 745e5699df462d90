"""What a line takes, by packets that left together."""

import random

import pytest

from blink_cli.core.media.video.line_capacity import LineCapacity

pytestmark = pytest.mark.no_clock

SIZE_BYTES = 600


def pairs(
    capacity: LineCapacity, count: int, bps: float, *, spread_s: float = 0.0, begin_s: float = 0.0
) -> float:
    """Pairs every tenth of a second over a line, half of whose packets are held for up to some time. Returns when the last one came."""
    generator = random.Random(3)
    now_s = begin_s
    for number in range(count):
        held_s = [max(generator.gauss(0, spread_s), 0.0) for _ in range(2)]
        now_s = begin_s + number / 10
        capacity.pair(SIZE_BYTES * 8 / bps + held_s[1] - held_s[0], SIZE_BYTES, now_s)
    return now_s


@pytest.mark.parametrize("bps", [100_000.0, 300_000.0, 2_000_000.0])
@pytest.mark.parametrize("spread_s", [0.0, 0.02])
def test_a_line_of_a_fixed_rate_is_known_also_behind_jitter(bps: float, spread_s: float) -> None:
    capacity = LineCapacity()
    now_s = pairs(capacity, 48, bps, spread_s=spread_s)
    assert capacity.bps(now_s) == pytest.approx(bps, rel=0.08)


def test_jitter_alone_is_no_rate() -> None:
    capacity = LineCapacity()
    assert capacity.bps(pairs(capacity, 48, 1e9, spread_s=0.02)) is None


def test_a_few_pairs_are_enough_where_they_agree() -> None:
    capacity = LineCapacity()
    assert capacity.bps(pairs(capacity, 3, 300_000)) is None
    assert capacity.bps(pairs(capacity, 4, 300_000)) == pytest.approx(300_000)


def test_a_line_that_becomes_narrow_is_known_by_the_next_few() -> None:
    capacity = LineCapacity()
    now_s = pairs(capacity, 48, 2_000_000)
    assert capacity.bps(pairs(capacity, 6, 300_000, begin_s=now_s)) == pytest.approx(300_000)


def test_what_comes_together_has_no_bound_and_ends_an_older_one() -> None:
    capacity = LineCapacity()
    now_s = pairs(capacity, 20, 300_000)
    assert capacity.bps(now_s) == pytest.approx(300_000)
    now_s = pairs(capacity, 48, 1e9, begin_s=now_s + 7)
    assert capacity.bps(now_s) is None
    assert capacity.at_least_bps(now_s) > 1e6


def test_what_was_known_is_remembered_for_a_while_without_pairs() -> None:
    capacity = LineCapacity()
    now_s = pairs(capacity, 10, 300_000)
    assert capacity.bps(now_s) == pytest.approx(300_000)
    assert capacity.bps(now_s + 12) == pytest.approx(300_000)
    assert capacity.bps(now_s + 40) is None


@pytest.mark.parametrize("seed", range(20))
def test_a_narrow_line_is_never_taken_for_a_wide_one_for_its_jitter(seed: int) -> None:
    generator = random.Random(seed)
    capacity = LineCapacity()
    told = []
    for number in range(48):
        held_s = [max(generator.gauss(0, 0.02), 0.0) for _ in range(2)]
        capacity.pair(260 * 8 / 300_000 + held_s[1] - held_s[0], 260, number / 10)
        told.append(capacity.at_least_bps(number / 10))
    assert sum(bps > 400_000 for bps in told) <= 4, "four pairs in a row may by chance"
