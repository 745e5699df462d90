"""The seconds of a stream that a plot shows, and what breaks them."""

import pytest

from blink_cli.core.analysis.stream_analysis import StreamAnalysis
from blink_cli.core.analysis.timeline import LONGEST_GAP_S, Timeline


def timeline_of(*arrivals_s: float) -> Timeline:
    """What is made of packets that came at these times."""
    stream = StreamAnalysis(1)
    timeline = Timeline(stream, 0.0, arrivals_s[0])
    for number, arrival_s in enumerate(arrivals_s):
        timeline.packet(arrival_s, -30)
        stream.packet(number, number * 960, arrival_s, 80, marker=False)
    return timeline


def times_s(timeline: Timeline) -> list[float | None]:
    return [None if moment is None else moment.time_s for moment in timeline.moments]


def test_silence_has_its_seconds() -> None:
    assert times_s(timeline_of(0.0, 3.5)) == [1.0, 2.0, 3.0]


@pytest.mark.parametrize("gap_s", [LONGEST_GAP_S + 2, 1e11])
def test_a_gap_beyond_all_sense_is_one_break(gap_s: float) -> None:
    assert times_s(timeline_of(0.0, gap_s, gap_s + 1)) == [1.0, None, gap_s + 1]


def test_time_that_went_back_is_one_break() -> None:
    assert times_s(timeline_of(100.0, 50.0, 51.0, 52.0)) == [101.0, None, 51.0, 52.0]


def test_a_packet_that_was_overtaken_breaks_nothing() -> None:
    assert times_s(timeline_of(0.0, 1.0, 0.9, 2.0)) == [1.0, 2.0]
