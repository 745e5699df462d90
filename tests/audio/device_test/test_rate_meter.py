"""A device's clock against the machine's."""

import random

import pytest

from blink_cli.audio.device_test.rate_meter import RateMeter

pytestmark = pytest.mark.no_clock


def test_a_clock_that_runs_fast_is_found_through_callbacks_that_come_late() -> None:
    chance = random.Random(3)
    meter = RateMeter()
    true_hz = 48_000 * (1 + 150e-6)
    for index in range(1000):
        frame = 480 * index
        meter.add(500.0 + frame / true_hz + chance.uniform(0.0, 0.002), frame)
    rate = meter.rate()
    assert rate is not None
    assert rate.off_ppm(48_000) == pytest.approx(150, abs=25)
    assert rate.uncertain_ppm(48_000) < 300
    assert abs(rate.off_ppm(48_000) - 150) < 2 * rate.uncertain_ppm(48_000)


def test_too_little_says_nothing() -> None:
    meter = RateMeter()
    assert meter.rate() is None
    for index in range(20):
        meter.add(index * 0.01, index * 480)
    assert meter.rate() is None


def test_a_standstill_is_told_apart_from_the_rate() -> None:
    meter = RateMeter()
    for index in range(400):
        late_s = 0.25 if index > 310 else 0.0
        meter.add(500.0 + index / 100 + late_s, 480 * index)
    rate = meter.rate()
    assert rate is not None
    assert abs(rate.off_ppm(48_000)) < 1
    assert rate.stood_still_s == pytest.approx(0.25, abs=0.001)
