"""When the receiver reports: early at the beginning of loss, seldom otherwise."""

from collections.abc import Iterable
from itertools import pairwise

import pytest

from blink_cli.core.media.loss_report import LossReport
from blink_cli.core.media.loss_reporter import LossReporter
from blink_cli.core.media.side_health import SideHealth

CLEAN = LossReport(0.0, 0.0, 0)


def sent_at(reports: Iterable[tuple[float, LossReport]]) -> list[float]:
    reporter = LossReporter()
    return [now_s for now_s, report in reports if reporter.due(report, now_s)]


def test_a_clean_line_is_reported_after_the_opening_and_then_every_second() -> None:
    times = sent_at((tick / 100, CLEAN) for tick in range(400))
    assert times == pytest.approx([0.3, 1.3, 2.3, 3.3], abs=0.021)


def test_the_first_loss_hurries() -> None:
    times = sent_at((tick / 100, LossReport(0.04, 1.0, 1) if tick >= 12 else CLEAN) for tick in range(50))
    assert times[0] == 0.12


def test_growing_loss_is_reported_but_not_more_often_than_ten_times_a_second() -> None:
    times = sent_at((tick / 100, LossReport(tick / 200, 1.0, 1)) for tick in range(1, 101))
    assert 3 <= len(times) <= 10
    assert all(later - earlier >= 0.0999 for earlier, later in pairwise(times))


def test_much_loss_is_told_three_times_since_reports_are_lost_too() -> None:
    lossy = LossReport(0.2, 1.0, 2)
    times = sent_at((tick / 100, lossy if tick >= 150 else CLEAN) for tick in range(300))
    assert times == pytest.approx([0.3, 1.3, 1.5, 1.7, 1.9, 2.9], abs=0.021)
    little = LossReport(0.02, 1.0, 1)
    times = sent_at((tick / 100, little if tick >= 150 else CLEAN) for tick in range(300))
    assert times == pytest.approx([0.3, 1.3, 1.5, 2.5], abs=0.021)


def test_in_the_first_second_any_loss_is_told_ten_times_a_second() -> None:
    lossy = LossReport(0.04, 1.0, 1)
    times = sent_at((tick / 100, lossy if tick >= 50 else CLEAN) for tick in range(300))
    assert times[:6] == pytest.approx([0.3, 0.5, 0.6, 0.7, 0.8, 0.9], abs=0.041)
    assert times[6] > 1.7


def test_a_side_that_stood_still_says_so_at_once_and_only_once() -> None:
    stood_still = LossReport(0.0, 0.0, 0, health=SideHealth(machine_late_ms=300))
    times = sent_at((tick / 100, stood_still if 50 <= tick < 150 else CLEAN) for tick in range(300))
    assert times == pytest.approx([0.3, 0.5, 1.5, 2.5], abs=0.021)
