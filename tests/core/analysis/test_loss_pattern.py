"""Runs, bursts and gaps: tables, and a naive second count of random losses."""

import random

import pytest

from blink_cli.core.analysis.loss_pattern import GMIN_PACKETS, LossFigures, LossPattern


def figures_of(pattern: str, interval_ms: float | None = 20.0) -> LossFigures:
    """Figures of a stretch written as `.` for received and `x` for lost."""
    losses = LossPattern()
    losses.begin(1000)
    for index, mark in enumerate(pattern):
        if mark == "x":
            losses.lost(1000 + index)
    losses.end(1000 + len(pattern) - 1)
    return losses.figures(interval_ms)


def naive_bursts(pattern: str) -> list[tuple[int, int]]:
    """(packets, losses) of each burst, by looking from every loss for the next one."""
    losses = [index for index, mark in enumerate(pattern) if mark == "x"]
    groups: list[list[int]] = []
    for loss in losses:
        if groups and loss - groups[-1][-1] <= GMIN_PACKETS:
            groups[-1].append(loss)
        else:
            groups.append([loss])
    return [(group[-1] - group[0] + 1, len(group)) for group in groups if len(group) > 1]


def test_an_isolated_loss_belongs_to_the_gap() -> None:
    figures = figures_of("." * 20 + "x" + "." * 20)
    assert figures.bursts == 0
    assert figures.burst_density is None
    assert figures.gap_density == pytest.approx(1 / 41)
    assert figures.gap_duration_ms == pytest.approx(41 * 20)
    assert figures.runs == {"1": 1}


def test_losses_closer_than_gmin_are_one_burst() -> None:
    figures = figures_of("." * 30 + "xx" + "." * 15 + "x" + "." * 30)
    assert (figures.bursts, figures.lost) == (1, 3)
    assert figures.burst_duration_ms == pytest.approx(18 * 20)
    assert figures.burst_density == pytest.approx(3 / 18)
    assert figures.gap_density == 0
    assert figures.gap_duration_ms == pytest.approx(30 * 20)
    assert figures.runs == {"1": 1, "2": 1}
    assert figures.longest_run == 2


def test_gmin_received_packets_end_a_burst() -> None:
    figures = figures_of("x" + "." * 16 + "x" + "." * 5)
    assert figures.bursts == 0
    assert figures.gap_density == pytest.approx(2 / 23)


def test_random_loss_has_a_burst_ratio_of_one() -> None:
    draw = random.Random(4)
    pattern = "".join("x" if draw.random() < 0.1 else "." for _ in range(20_000))
    assert figures_of(pattern).burst_ratio == pytest.approx(1.0, abs=0.06)
    assert figures_of("." * 90 + "x" * 10).burst_ratio == pytest.approx(10 * 0.9)


def test_nothing_is_invented_for_an_empty_stream() -> None:
    figures = LossPattern().figures(20.0)
    assert (figures.packets, figures.lost, figures.share, figures.burst_ratio) == (0, 0, None, None)
    assert figures_of("..x..", interval_ms=None).gap_duration_ms is None


def test_a_burst_does_not_span_two_stretches() -> None:
    losses = LossPattern()
    losses.begin(0)
    losses.lost(9)
    losses.end(9)
    losses.begin(10)
    losses.lost(10)
    losses.end(19)
    figures = losses.figures(20.0)
    assert (figures.packets, figures.lost, figures.bursts, figures.runs) == (20, 2, 0, {"1": 2})


def test_a_long_run_counts_as_its_packets_would() -> None:
    one_by_one, at_once = LossPattern(), LossPattern()
    for pattern in (one_by_one, at_once):
        pattern.begin(0)
        pattern.lost(5)
    for number in range(9, 500):
        one_by_one.lost(number)
    at_once.lost_all(9, 499)
    for pattern in (one_by_one, at_once):
        pattern.lost(503)
        pattern.end(600)
    assert at_once.figures(20.0) == one_by_one.figures(20.0)


@pytest.mark.parametrize("seed", range(30))
def test_random_patterns_agree_with_a_naive_count(seed: int) -> None:
    draw = random.Random(seed)
    share = draw.choice((0.02, 0.1, 0.5))
    pattern = "".join("x" if draw.random() < share else "." for _ in range(600))
    figures = figures_of(pattern)
    bursts = naive_bursts(pattern)
    packets, lost = sum(b[0] for b in bursts), sum(b[1] for b in bursts)
    assert figures.bursts == len(bursts)
    assert figures.lost == pattern.count("x") == sum(int(n) * count for n, count in figures.runs.items())
    assert figures.longest_run == max(map(len, pattern.split(".")))
    if bursts:
        assert figures.burst_density == pytest.approx(lost / packets)
        assert figures.burst_duration_ms == pytest.approx(20 * packets / len(bursts))
    if packets < len(pattern):
        assert figures.gap_density == pytest.approx((pattern.count("x") - lost) / (len(pattern) - packets))
