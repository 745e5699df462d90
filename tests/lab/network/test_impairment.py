"""The fates of frames, in virtual time: what was asked is what happens, and a seed replays."""

import itertools
import statistics

import pytest

from blink_cli.lab.network.impairment import Conditions, Impairment

pytestmark = pytest.mark.real_time

FRAMES = 20_000
INTERVAL_S = 0.02
SIZE_BYTES = 150


def delays_ms(conditions: Conditions, seed: str = "7", *, multicast: bool = False) -> list[tuple[float, ...]]:
    impairment = Impairment(conditions, seed)
    fates = [impairment.fate(n * INTERVAL_S, SIZE_BYTES, multicast=multicast) for n in range(FRAMES)]
    return [tuple((due - n * INTERVAL_S) * 1000 for due in due_s) for n, due_s in enumerate(fates)]


def lost_runs(fates: list[tuple[float, ...]]) -> list[int]:
    runs, run = [], 0
    for fate in fates:
        if fate:
            runs.append(run)
            run = 0
        else:
            run += 1
    return [run for run in runs if run]


def test_a_perfect_link_delivers_everything_at_once() -> None:
    assert all(fate == pytest.approx((0,), abs=1e-6) for fate in delays_ms(Conditions()))


@pytest.mark.parametrize("loss", [0.02, 0.3])
@pytest.mark.parametrize("burst_frames", [1.0, 4.0])
def test_loss_and_its_bursts_are_as_asked(loss: float, burst_frames: float) -> None:
    fates = delays_ms(Conditions(loss=loss, burst_frames=burst_frames))
    assert sum(not fate for fate in fates) / FRAMES == pytest.approx(loss, rel=0.25)
    expected = burst_frames if burst_frames > 1 else 1 / (1 - loss)
    assert statistics.mean(lost_runs(fates)) == pytest.approx(expected, rel=0.15)


def test_multicast_loss_spares_other_frames() -> None:
    conditions = Conditions(multicast_loss=0.3)
    assert all(delays_ms(conditions))
    lost = sum(not fate for fate in delays_ms(conditions, multicast=True))
    assert lost / FRAMES == pytest.approx(0.3, rel=0.05)


def test_jitter_spreads_around_the_delay_and_reorders() -> None:
    delays = [fate[0] for fate in delays_ms(Conditions(delay_ms=200, jitter_ms=20))]
    assert statistics.mean(delays) == pytest.approx(200, abs=1)
    assert statistics.stdev(delays) == pytest.approx(20, rel=0.05)
    arrivals = [n * INTERVAL_S * 1000 + delay for n, delay in enumerate(delays)]
    assert any(later < earlier for earlier, later in itertools.pairwise(arrivals))


def test_kept_order_is_kept() -> None:
    delays = [fate[0] for fate in delays_ms(Conditions(delay_ms=200, jitter_ms=40, keep_order=True))]
    arrivals = [n * INTERVAL_S * 1000 + delay for n, delay in enumerate(delays)]
    assert all(later >= earlier - 1e-6 for earlier, later in itertools.pairwise(arrivals))


def test_reordering_frames_overtake() -> None:
    delays = [fate[0] for fate in delays_ms(Conditions(delay_ms=50, reordering=0.1))]
    assert sum(delay < 1 for delay in delays) / FRAMES == pytest.approx(0.1, rel=0.1)


def test_duplicates_arrive_twice() -> None:
    fates = delays_ms(Conditions(duplication=0.2, jitter_ms=5, delay_ms=20))
    assert sum(len(fate) == 2 for fate in fates) / FRAMES == pytest.approx(0.2, rel=0.1)
    assert all(list(fate) == sorted(fate) for fate in fates)


def test_a_narrow_link_delays_what_fits_and_drops_the_rest() -> None:
    # 150 bytes each 20 ms are 60 kb/s.
    wide = delays_ms(Conditions(bandwidth_kbps=120))
    assert all(fate[0] == pytest.approx(10, abs=0.01) for fate in wide)
    narrow = delays_ms(Conditions(bandwidth_kbps=30, queue_ms=100))
    assert sum(not fate for fate in narrow) / FRAMES == pytest.approx(0.5, abs=0.02)
    assert max(fate[0] for fate in narrow if fate) == pytest.approx(140, abs=1)


def test_a_seed_replays_and_another_differs() -> None:
    conditions = Conditions(loss=0.1, jitter_ms=20, delay_ms=40, duplication=0.05, reordering=0.02)
    assert delays_ms(conditions, "1") == delays_ms(conditions, "1")
    assert delays_ms(conditions, "1") != delays_ms(conditions, "2")


def test_a_change_of_conditions_leaves_the_draws_in_step() -> None:
    changed, steady = Impairment(Conditions(loss=0.5), "3"), Impairment(Conditions(), "3")
    for n in range(100):
        changed.fate(n, SIZE_BYTES, multicast=False)
        steady.fate(n, SIZE_BYTES, multicast=False)
    changed.conditions = steady.conditions = Conditions(loss=0.3, jitter_ms=10, delay_ms=20)
    for n in range(100, 200):
        assert changed.fate(n, SIZE_BYTES, multicast=False) == steady.fate(n, SIZE_BYTES, multicast=False)
