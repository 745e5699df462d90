"""Another machine's clock: an offset and a drift are found, and slow answers do not spoil them."""

import random

import pytest

from blink_cli.lab.real.session_clock import ComparedClock

pytestmark = pytest.mark.no_clock


@pytest.mark.parametrize("seed", range(5))
def test_offset_and_drift_are_found_to_half_the_quickest_answer(seed: int) -> None:
    rng = random.Random(seed)
    offset_s, drift = rng.uniform(-1e6, 1e6), rng.uniform(-2e-4, 2e-4)

    def there(here_s: float) -> float:
        return offset_s + here_s * (1 + drift)

    clock = ComparedClock()
    for look in range(240):
        asked_s = 1000 + look / 2
        to_s, back_s = (0.0005 + rng.expovariate(1 / 0.01) for _ in range(2))
        clock.learn(asked_s, there(asked_s + to_s), asked_s + to_s + back_s)
    assert clock.error_ms < 5
    for here_s in (1000.0, 1060.0, 1120.0):
        assert abs(clock.here(there(here_s)) - here_s) * 1000 < 1.5 * clock.error_ms


def test_one_look_is_enough_to_begin() -> None:
    clock = ComparedClock()
    clock.learn(10.0, 510.1, 10.2)
    assert clock.here(512.0) == pytest.approx(12.0)
    assert clock.error_ms == pytest.approx(100)
