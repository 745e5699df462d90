"""Why a track has no sound."""

import pytest

from blink_cli.record.recording.gaps import MOST_GAPS, Gap, GapList, GapReason, Span, explain

pytestmark = pytest.mark.no_clock


def test_a_gap_is_divided_by_its_reasons() -> None:
    assert explain(
        0,
        100,
        linked=[Span(10, 90)],
        muted=[Span(50, 60)],
        overloaded=[Span(55, 70)],
        otherwise=GapReason.LOST,
    ) == [
        Gap(0, 10, GapReason.ABSENT),
        Gap(10, 50, GapReason.LOST),
        Gap(50, 55, GapReason.MUTED),
        Gap(55, 70, GapReason.OVERLOAD),
        Gap(70, 100, GapReason.ABSENT),
    ]


def test_who_leaves_has_lost_nothing_and_who_drops_has() -> None:
    def gaps_before_leaving(samples: int) -> list[Gap]:
        linked = [Span(0, 48_000 + samples)]
        return explain(48_000, 200_000, linked=linked, muted=[], overloaded=[], otherwise=GapReason.LOST)

    assert gaps_before_leaving(672) == [Gap(48_000, 200_000, GapReason.ABSENT)]  # 14 ms
    assert gaps_before_leaving(48_000) == [
        Gap(48_000, 96_000, GapReason.LOST),
        Gap(96_000, 200_000, GapReason.ABSENT),
    ]


def test_without_a_link_all_is_absence() -> None:
    reasons = explain(5, 9, linked=[], muted=[Span(0, 99)], overloaded=[], otherwise=GapReason.DTX)
    assert reasons == [Gap(5, 9, GapReason.ABSENT)]


def test_pauses_are_one_over_the_frames_that_keep_them_alive_and_losses_are_not() -> None:
    gaps = GapList()
    for start in range(0, 5 * 20_000, 20_000):
        gaps.add(Gap(start, start + 19_040, GapReason.MUTED))
    assert gaps.gaps == [Gap(0, 4 * 20_000 + 19_040, GapReason.MUTED)]
    assert gaps.samples[GapReason.MUTED] == 5 * 19_040
    gaps.add(Gap(200_000, 200_960, GapReason.LOST))
    gaps.add(Gap(201_920, 202_880, GapReason.LOST))
    assert len(gaps.gaps) == 3


def test_the_list_is_bounded_and_the_sum_is_not() -> None:
    gaps = GapList()
    for number in range(MOST_GAPS + 10):
        gaps.add(Gap(number * 2000, number * 2000 + 960, GapReason.LOST))
    assert len(gaps.gaps) == MOST_GAPS
    assert gaps.omitted == 10
    assert gaps.samples[GapReason.LOST] == (MOST_GAPS + 10) * 960
