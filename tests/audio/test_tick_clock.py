import numpy as np
import pytest

from blink_cli.audio.tick_clock import TickClock

pytestmark = pytest.mark.no_clock


def test_exact_ticks_stay_exact() -> None:
    clock = TickClock()
    for tick in range(1000):
        assert clock.tick(50.0 + tick * 0.01) == pytest.approx(50.0 + tick * 0.01, abs=1e-9)


def test_requests_in_bursts_become_even_ticks() -> None:
    clock = TickClock()
    # Five blocks at once every 50 ms.
    times = np.array([clock.tick(tick // 5 * 0.05) for tick in range(1000)])
    assert np.abs(np.diff(times)[200:] - 0.01).max() < 0.001


@pytest.mark.parametrize("ppm", [-500, 500])
def test_the_devices_drift_is_followed(ppm: float) -> None:
    clock = TickClock()
    step = 0.01 * (1 + ppm * 1e-6)
    late = [clock.tick(tick * step) - tick * step for tick in range(60_000)]
    assert max(map(abs, late)) < 0.001


def test_a_standstill_starts_anew() -> None:
    clock = TickClock()
    clock.tick(1.0)
    assert clock.tick(3.0) == 3.0
