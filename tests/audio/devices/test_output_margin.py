"""The margin of an output's queue, over an hour in virtual time."""

from collections.abc import Callable

import pytest

from blink_cli.audio.devices.output_margin import HIGHEST_S, MARGIN_S, STEP_S, OutputMargin

pytestmark = pytest.mark.no_clock

TICK_S = 0.01


def dry_moments(margin: OutputMargin, late_s: Callable[[int], float], ticks: range) -> list[float]:
    """Return when a queue runs dry whose thread comes so late at each tick."""
    dry: list[float] = []
    for tick in ticks:
        if late_s(tick) > margin.seconds:
            margin.ran_dry(tick * TICK_S)
            dry.append(tick * TICK_S)
        else:
            margin.calm(tick * TICK_S)
    return dry


def test_one_bad_second_is_paid_for_a_few_minutes_only() -> None:
    margin = OutputMargin()
    dry_moments(margin, lambda _tick: 0.02, range(100))
    assert 0.02 <= margin.seconds < 0.02 + STEP_S
    assert dry_moments(margin, lambda _tick: 0.001, range(100, 30_000)) == []
    assert margin.seconds == MARGIN_S


def test_a_machine_that_hiccups_once_in_a_while_is_not_tried_again_and_again() -> None:
    margin = OutputMargin()
    dry = dry_moments(margin, lambda tick: 0.012 if tick % 3000 == 2999 else 0.001, range(360_000))
    assert len([moment for moment in dry if moment > 1800]) <= 2
    assert margin.seconds > 0.009


def test_a_fall_is_gentle_and_the_margin_is_bounded() -> None:
    margin = OutputMargin()
    for tick in range(100):
        margin.ran_dry(tick * TICK_S)
    assert margin.seconds == HIGHEST_S
    before = margin.seconds
    for tick in range(100, 100_000):
        margin.calm(tick * TICK_S)
        assert before - margin.seconds <= STEP_S + 1e-9
        before = margin.seconds
    assert margin.seconds == MARGIN_S
