import pytest

from blink_cli.audio.devices.demand import WINDOW_S, Demand

pytestmark = pytest.mark.no_clock


def test_even_callbacks_demand_one_each() -> None:
    demand = Demand()
    for tick in range(1000):
        demand.took(240, tick * 0.005)
    assert demand.largest_frames == 240


def test_callbacks_that_come_together_are_one_demand() -> None:
    demand = Demand()
    for tick in range(1000):
        demand.took(240, tick // 10 * 0.05 + tick % 10 * 0.0001)
    assert demand.largest_frames == 2400


def test_a_demand_of_the_start_is_forgotten() -> None:
    demand = Demand()
    for _ in range(5):
        demand.took(240, 0.0)
    assert demand.largest_frames == 1200
    for tick in range(1, int(2 * WINDOW_S / 0.005) + 10):
        demand.took(240, tick * 0.005)
    assert demand.largest_frames == 240


def test_a_larger_demand_counts_at_once() -> None:
    demand = Demand()
    for tick in range(10):
        demand.took(240, tick * 0.005)
    demand.took(960, 0.05)
    assert demand.largest_frames == 960
