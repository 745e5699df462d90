"""Figures of a load, from series whose figures are known."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blink_cli.lab.load.light_media import INTERVAL_STEPS
from blink_cli.lab.load.load_figures import interval_percentiles, percentiles
from blink_cli.lab.load.load_report import Percentiles

pytestmark = pytest.mark.no_clock


def test_of_nothing_nothing_is_told() -> None:
    assert percentiles([]) is None
    assert interval_percentiles([0] * INTERVAL_STEPS) is None


def test_a_percentile_is_the_smallest_value_that_so_many_do_not_exceed() -> None:
    values = [float(value) for value in range(1, 101)]
    random.Random(3).shuffle(values)
    assert percentiles(values) == Percentiles(count=100, min=1, p50=50, p95=95, p99=99, max=100)
    assert percentiles([7.0]) == Percentiles(count=1, min=7, p50=7, p95=7, p99=7, max=7)
    assert percentiles([1.0, 2.0]) == Percentiles(count=2, min=1, p50=1, p95=2, p99=2, max=2)


@given(st.lists(st.integers(0, 1999), min_size=1, max_size=300))
def test_counted_in_steps_they_are_the_same_to_half_a_millisecond(tenths_ms: list[int]) -> None:
    steps = [0] * INTERVAL_STEPS
    for tenths in tenths_ms:
        steps[tenths // 5] += 1
    counted = interval_percentiles(steps)
    exact = percentiles([tenths / 10 for tenths in tenths_ms])
    assert counted is not None
    assert exact is not None
    assert counted.count == exact.count
    for name in ("min", "p50", "p95", "p99", "max"):
        assert 0 < getattr(counted, name) - getattr(exact, name) <= 0.5 + 1e-9, name
