import pytest

from blink_cli.audio.lateness import Lateness

pytestmark = pytest.mark.no_clock


def test_nothing_counted_is_all_zeros() -> None:
    summary = Lateness().summary()
    assert (summary.ticks, summary.p50_ms, summary.p99_ms, summary.max_ms, summary.over_10_ms) == (
        0,
        0.0,
        0.0,
        0.0,
        0,
    )


def test_percentiles_maximum_and_late_ticks() -> None:
    lateness = Lateness()
    for _ in range(95):
        lateness.add(0.0004)
    for _ in range(4):
        lateness.add(0.004)
    lateness.add(2.0)
    summary = lateness.summary()
    assert summary.ticks == 100
    assert summary.p50_ms == 0.5
    assert summary.p99_ms == 5.0
    assert summary.max_ms == pytest.approx(2000.0)
    assert summary.over_10_ms == 1
