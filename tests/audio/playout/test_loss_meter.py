"""Loss before repair, as sequences of numbers."""

from collections.abc import Iterable

import pytest

from blink_cli.audio.playout.loss_meter import LossMeter

pytestmark = pytest.mark.no_clock


def metered(sequences: Iterable[int]) -> LossMeter:
    meter = LossMeter()
    for sequence in sequences:
        meter.on_packet(sequence)
    return meter


@pytest.mark.parametrize(
    ("sequences", "lost", "mean", "longest"),
    [
        (range(100), 0, 0.0, 0),
        ([n for n in range(100) if n != 50], 1, 1.0, 1),
        ([n for n in range(100) if n not in (50, 51, 70)], 3, 1.5, 2),
        ([n ^ 1 for n in range(100)], 0, 0.0, 0),
        ([*range(50), *range(51, 60), 50, *range(60, 100)], 0, 0.0, 0),
        ([*range(50), 49, 49, *range(50, 100)], 0, 0.0, 0),
    ],
)
def test_what_is_lost(sequences: Iterable[int], lost: int, mean: float, longest: int) -> None:
    meter = metered(sequences)
    report = meter.report()
    assert meter.packets_lost == lost
    assert (report.mean_burst_packets, report.longest_burst_packets) == (mean, longest)


def test_the_newest_gap_may_still_close() -> None:
    meter = metered([*range(50), 51])
    assert meter.report().fraction_lost == 0


def test_old_loss_is_forgotten_by_the_report_and_not_by_the_count() -> None:
    meter = metered([*range(10), *range(20, 400)])
    assert meter.report().fraction_lost == 0
    assert meter.packets_lost == 10


def test_a_jump_is_another_stream_and_not_loss() -> None:
    assert metered([*range(50), *range(5_000, 5_050)]).packets_lost == 0


def test_the_first_loss_of_a_call_is_not_overrated() -> None:
    assert metered([0, 1, 3, 4, 5, 6, 7, 8]).report().fraction_lost == pytest.approx(1 / 25)


def test_of_short_packets_more_are_remembered() -> None:
    meter = LossMeter()
    for sequence in range(100):
        if sequence != 50:
            meter.on_packet(sequence)
    meter.packets_last(120)
    assert meter.packets_lost == 1, "forgotten is not uncounted"
    assert meter.is_clean
    for sequence in range(100, 700):
        if sequence not in (200, 201):
            meter.on_packet(sequence)
    report = meter.report()
    assert report.mean_burst_packets == 2.0
    assert report.fraction_lost == pytest.approx(2 / 585, abs=1e-4)
    assert meter.packets_lost == 3


def test_a_burst_is_told_when_it_is_over() -> None:
    meter = LossMeter()
    told = [number for number in (1, 2, 3, 7, 8, 9, 14, 15, 13) if meter.on_packet(number)]
    assert told == [14], "three in a row may be chance"
