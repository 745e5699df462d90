"""One stream: the counts are those of `ReceptionStatistics`, and what repair mended is told from what stayed missing."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blink_cli.core.analysis.figures import RoundTripFigures
from blink_cli.core.analysis.loss_pattern import MOST_LENGTHS, LossPattern
from blink_cli.core.analysis.missing_runs import MissingRun, MissingRuns
from blink_cli.core.analysis.stream_analysis import StreamAnalysis
from blink_cli.core.media.media_tap import PlayoutOutcome
from tests.support.executed_lines import counting_lines

FRAME = 960
ROUND_TRIP = RoundTripFigures(measurements=1, last_ms=20.0, mean_ms=20.0, max_ms=20.0)


def put(stream: StreamAnalysis, index: int, arrival_s: float | None = None, *, start: int = 0) -> None:
    """Packet number `index` of a stream whose numbers and timestamps begin near their wrap."""
    stream.packet(
        (65_500 + start + index) & 0xFFFF,
        (0xFFFF_F000 + index * FRAME) & 0xFFFFFFFF,
        index * 0.02 if arrival_s is None else arrival_s,
        80,
        marker=False,
        level_dbov=-30,
        voice=True,
    )


def played(stream: StreamAnalysis, index: int, outcome: PlayoutOutcome, delay_s: float = 0.06) -> None:
    stream.outcome((0xFFFF_F000 + index * FRAME) & 0xFFFFFFFF, outcome, index * 0.02 + delay_s)


def test_what_was_repaired_is_not_missing() -> None:
    stream = StreamAnalysis(7)
    for index in range(100):
        if index not in {10, 20, 21, 40}:
            put(stream, index)
            played(stream, index, PlayoutOutcome.LATE if index == 50 else PlayoutOutcome.PLAYED)
    for index in (10, 20):
        played(stream, index, PlayoutOutcome.RECOVERED)
    figures = stream.figures(ROUND_TRIP)
    assert figures.packets_lost == figures.loss.lost == 4
    assert figures.loss.runs == {"1": 2, "2": 1}
    assert figures.repair is not None
    assert (figures.repair.played, figures.repair.recovered, figures.repair.late) == (95, 2, 1)
    assert figures.repair.missing.lost == 3  # 21, 40, and 50, which came too late
    assert figures.buffer_delay_ms == pytest.approx(60.0)
    assert figures.quality is not None
    assert figures.quality.inputs["loss_percent"] == pytest.approx(3.0)
    assert figures.quality.inputs["one_way_delay_ms"] == pytest.approx(26.5 + 10 + 60)
    assert figures.mean_level_dbov == -30


def test_a_late_packet_whose_frame_was_recovered_first_is_not_missing() -> None:
    stream = StreamAnalysis(7)
    for index in (0, 1, 3, 4):
        put(stream, index)
        played(stream, index, PlayoutOutcome.PLAYED)
    played(stream, 2, PlayoutOutcome.RECOVERED)
    put(stream, 2, 0.3)
    played(stream, 2, PlayoutOutcome.LATE)
    figures = stream.figures()
    assert figures.packets_lost == 0
    assert figures.packets_reordered == 1
    assert figures.repair is not None
    assert figures.repair.missing.lost == 0


@pytest.mark.parametrize("seed", range(10))
def test_recovered_frames_find_their_numbers_when_packets_overtake_each_other(seed: int) -> None:
    draw = random.Random(seed)
    lost = {index for index in range(1, 1999) if draw.random() < 0.05}
    events = sorted(
        (index * 0.02 + (0.1 if index in lost else draw.random() * 0.08), index) for index in range(2000)
    )
    stream = StreamAnalysis(7)
    for at_s, index in events:
        if index in lost:
            played(stream, index, PlayoutOutcome.RECOVERED)
        else:
            put(stream, index, at_s)
            played(stream, index, PlayoutOutcome.PLAYED)
    figures = stream.figures()
    assert figures.loss.lost == len(lost)
    assert figures.repair is not None
    assert figures.repair.missing.lost == 0


def test_without_outcomes_and_round_trips_nothing_is_made_up() -> None:
    stream = StreamAnalysis(7)
    put(stream, 0)
    figures = stream.figures()
    assert figures.repair is None
    assert figures.quality is None
    assert figures.buffer_delay_ms is None
    assert figures.concealed_share is None
    assert figures.clock_drift is None
    assert figures.bitrate_bps is None


def test_asking_changes_nothing() -> None:
    asked, silent = StreamAnalysis(7), StreamAnalysis(7)
    draw = random.Random(3)
    for index in range(5000):
        if draw.random() < 0.1:
            continue
        for stream in (asked, silent):
            put(stream, index)
        asked.figures()
    assert asked.figures() == silent.figures()


@pytest.mark.parametrize("seed", range(20))
def test_the_pattern_agrees_with_the_counts_whatever_the_network_does(seed: int) -> None:
    draw = random.Random(seed)
    arrivals = sorted(
        (index * 0.02 + draw.random() * draw.choice((0.01, 0.3)), index)
        for index in range(4000)
        if draw.random() > 0.15
        for _ in range(1 + (draw.random() < 0.05))
    )
    stream = StreamAnalysis(7)
    came: set[int] = set()
    for arrival_s, index in arrivals:
        put(stream, index, arrival_s)
        came.add(index)
    figures = stream.figures()
    span = range(min(came), max(came) + 1)
    pattern = "".join("." if index in came else "x" for index in span)
    assert figures.packets_lost == figures.loss.lost == pattern.count("x"), seed
    assert figures.packets_expected == figures.loss.packets == len(span)
    runs = [len(run) for run in pattern.split(".") if run]
    assert figures.loss.runs == {str(n): runs.count(n) for n in sorted(set(runs))}
    assert figures.packets_duplicated == len(arrivals) - len(came)


def test_what_nobody_watched_is_not_lost() -> None:
    stream = StreamAnalysis(7)
    for index in (*range(50), *range(500, 550)):
        if index == 500:
            stream.interrupted()
        put(stream, index)
    figures = stream.figures()
    assert (figures.packets_received, figures.packets_expected, figures.loss.lost) == (100, 100, 0)
    assert figures.max_delta_ms == pytest.approx(20.0)
    assert figures.restarts == 0


def test_a_restart_of_the_sender_is_no_loss() -> None:
    stream = StreamAnalysis(7)
    for index in range(3000):
        put(stream, index)
    for index in range(3000, 3100):
        put(stream, index, start=-5000)
    figures = stream.figures()
    assert (figures.restarts, figures.packets_lost, figures.loss.lost) == (1, 0, 0)
    assert figures.loss.packets == figures.packets_expected == 3100


def test_a_leap_in_numbers_costs_no_memory() -> None:
    stream = StreamAnalysis(7)
    for index in range(0, 30_000 * 50, 30_000):
        put(stream, index, float(index))
        assert len(stream._missing) == min(index // 30_000, 1)
    figures = stream.figures()
    assert figures.packets_lost == figures.loss.lost == 49 * 29_999


@pytest.mark.parametrize(
    "steps", [(1_000,), (1_024,), (30_000,), (1_000, -1_010), (2,), (-1_500, -900, 2), (500, -499), (700, 3, 90)], ids=str
)  # fmt: skip
def test_who_jumps_in_numbers_spends_no_work(steps: tuple[int, ...]) -> None:
    """Counted in lines that run, not in time: those of a jump are as many as those of other losses."""
    stream = StreamAnalysis(7)
    number = 0
    with counting_lines() as lines:
        for index in range(1_000):
            number += steps[index % len(steps)]
            stream.packet(number & 0xFFFF, index * FRAME & 0xFFFFFFFF, index * 0.02, 80, marker=False)
            if index % 50 == 0:
                stream.outcome(index * FRAME, PlayoutOutcome.RECOVERED)
    assert lines.count / 1_000 < 900
    figures = stream.figures()
    assert figures.packets_lost == figures.loss.lost
    assert figures.loss.lost - 20 <= figures.repair.missing.lost <= figures.loss.lost  # type: ignore[union-attr]


def test_runs_of_all_lengths_are_told_in_bounded_space() -> None:
    pattern = LossPattern()
    pattern.begin(0)
    number = 0
    for length in range(1, 2_000):
        pattern.lost_all(number, number + length - 1)
        number += length + 1
    pattern.end(number)
    figures = pattern.figures(20.0)
    assert len(figures.runs) == MOST_LENGTHS
    assert sum(figures.runs.values()) == 1_999
    assert (figures.longest_run, figures.lost) == (1_999, 1_999 * 1_000)


def test_missing_runs_are_what_a_set_of_numbers_would_be() -> None:
    source = random.Random(9)
    runs, numbers, highest, lowest = MissingRuns(), set[int](), 0, 0
    for _ in range(3_000):
        match source.randrange(4):
            case 0:
                first, last = highest + 1, highest + source.randrange(6)
                runs.add_behind(MissingRun(first, last, 0, 0, 960, 1))
                numbers |= set(range(first, last + 1))
                highest = max(highest, last) + 1
            case 1:
                first, last = lowest - source.randrange(6), lowest - 1
                runs.add_before(MissingRun(first, last, 0, 0, 960, 1))
                numbers |= set(range(first, last + 1))
                lowest = min(lowest, first) - 1
            case 2:
                number = source.randrange(lowest - 2, highest + 3)
                runs.came(number)
                numbers.discard(number)
            case _:
                below = source.randrange(lowest, lowest + 20)
                taken = {n for run in runs.take_before(below) for n in range(run.first, run.last + 1)}
                assert taken == {number for number in numbers if number < below}
                numbers -= taken
    rest = {n for run in runs.take_before(1 << 40) for n in range(run.first, run.last + 1)}
    assert rest == numbers


def test_concealment_is_what_the_playout_counted_while_it_was_watched() -> None:
    stream = StreamAnalysis(7)
    put(stream, 0)
    stream.playout(5000, 10_000)
    stream.playout(5480, 14_800)
    stream.playout(0, 0)  # another buffer
    stream.playout(480, 4800)
    assert stream.figures().concealed_share == pytest.approx(960 / 9600)


def test_what_becomes_of_a_frame_is_counted_once() -> None:
    stream = StreamAnalysis(7)
    stream.packet(0, 1, 0.0, 10, marker=False)
    stream.outcome(1, PlayoutOutcome.LATE)
    stream.packet(1024, FRAME, 20.48, 10, marker=False)  # settles what is 1,024 packets old
    stream.outcome(1, PlayoutOutcome.LATE)
    missing = stream.figures().repair
    assert missing is not None
    assert (missing.missing.lost, missing.missing.packets) == (1024, 1025)


def test_an_outcome_of_a_run_that_is_over_is_not_the_next_ones() -> None:
    stream = StreamAnalysis(7)
    for index in range(3000, 3005):
        put(stream, index)
    stream.interrupted()
    put(stream, 3010)
    stream.outcome(3004 * FRAME, PlayoutOutcome.LATE)
    missing = stream.figures().repair
    assert missing is not None
    assert missing.missing.lost == 0


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 2**16 - 1) | st.integers(65_000, 65_535) | st.integers(0, 300),
            st.integers(0, 2**32 - 1) | st.integers(0, 300).map(lambda n: n * FRAME),
            st.floats(0, 0.1),
            st.sampled_from((None, *PlayoutOutcome)),
        ),
        max_size=60,
    )
)
def test_whatever_a_peer_sends_the_figures_fit_together(
    packets: list[tuple[int, int, float, PlayoutOutcome | None]],
) -> None:
    stream, now_s = StreamAnalysis(7), 0.0
    for sequence, timestamp, step_s, outcome in packets:
        now_s += step_s
        stream.packet(sequence, timestamp, now_s, 10, marker=False)
        if outcome is not None:
            stream.outcome(timestamp, outcome, now_s + 0.1)
    figures = stream.figures(ROUND_TRIP)
    assert figures.packets_received + figures.packets_duplicated == len(packets)
    assert figures.packets_lost == figures.packets_expected - figures.packets_received
    assert figures.loss.lost == sum(int(length) * count for length, count in figures.loss.runs.items())
    assert figures.loss.packets == figures.packets_expected
    assert figures.loss.lost == figures.packets_lost
    if figures.repair is not None:
        assert 0 <= figures.repair.missing.lost <= figures.repair.missing.packets
    if figures.quality is not None:
        assert 1 <= figures.quality.mos <= 4.5
