"""A drift that is known is found through jitter, and its interval holds it."""

import random

import pytest

from blink_cli.core.analysis.clock_drift import MAX_WINDOWS, ClockDrift


def drifting(ppm: float, seconds: float, jitter_ms: float, seed: int = 1) -> ClockDrift:
    """Twenty milliseconds of the sender's clock a packet; jitter only delays."""
    draw = random.Random(seed)
    drift = ClockDrift()
    for index in range(int(seconds * 50)):
        media_s = index * 0.02
        sent_s = media_s / (1 + ppm * 1e-6)
        drift.observe(media_s, 1000.0 + sent_s + abs(draw.gauss(0, jitter_ms / 1000)))
    return drift


@pytest.mark.parametrize("ppm", [-150.0, 0.0, 80.0, 150.0])
def test_a_drift_is_found_without_jitter(ppm: float) -> None:
    found = drifting(ppm, 60, 0.0).estimate_ppm()
    assert found is not None
    assert found[0] == pytest.approx(ppm, abs=0.5)


@pytest.mark.parametrize("ppm", [-150.0, 0.0, 150.0])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_drift_is_found_through_jitter_in_ten_minutes(ppm: float, seed: int) -> None:
    found = drifting(ppm, 600, 20.0, seed).estimate_ppm()
    assert found is not None
    estimate, low, high = found
    assert estimate == pytest.approx(ppm, abs=3.0)
    assert low <= estimate <= high


def test_a_longer_way_for_a_while_moves_it_little() -> None:
    drift = ClockDrift()
    for index in range(300 * 50):
        media_s = index * 0.02
        detour_s = 0.05 if 100 < media_s < 130 else 0.0
        drift.observe(media_s, media_s + detour_s)
    found = drift.estimate_ppm()
    assert found is not None
    assert found[0] == pytest.approx(0.0, abs=1.0)


def test_too_little_tells_nothing() -> None:
    assert drifting(100.0, 15, 0.0).estimate_ppm() is None
    drift = drifting(100.0, 60, 0.0)
    drift.restart()
    assert drift.estimate_ppm() is None


def test_a_long_call_takes_no_more_memory() -> None:
    drift = ClockDrift()
    for second in range(20_000):
        drift.observe(float(second), second * (1 - 50e-6))
    assert len(drift._minima) <= MAX_WINDOWS
    found = drift.estimate_ppm()
    assert found is not None
    assert found[0] == pytest.approx(50.0, abs=0.5)
