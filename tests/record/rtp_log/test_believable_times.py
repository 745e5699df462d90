"""Which times of a log are believed."""

import pytest

from blink_cli.record.rtp_log.believable_times import AGREEING_ROWS, BelievableTimes
from blink_cli.record.rtp_log.format import LogEvent, LogRow

pytestmark = pytest.mark.no_clock


def believed(*times_s: float, walls: list[str] | None = None) -> tuple[list[float], int]:
    """The times that come through, and how many rows did not."""
    times = BelievableTimes()
    rows = [
        LogRow(LogEvent.PACKET, time_s, "" if walls is None else walls[index])
        for index, time_s in enumerate(times_s)
    ]
    passed = [row.time_s for row in rows for row in times.take(row)]
    passed += [row.time_s for row in times.end()]
    return passed, times.refused


@pytest.mark.parametrize("place", [0, 1, 5, 9])
def test_a_damaged_time_is_left_out_wherever_it_stands(place: int) -> None:
    times_s = [10 + index * 0.02 for index in range(10)]
    damaged = list(times_s)
    damaged[place] += 999_900_000
    assert believed(*damaged) == ([time_s for index, time_s in enumerate(times_s) if index != place], 1)


def test_rows_that_agree_are_a_clock_that_goes_on_elsewhere() -> None:
    times_s = [1.0, 2.0, 3.0, 4.0, 5.0, *(9000.0 + index for index in range(AGREEING_ROWS))]
    assert believed(*times_s) == (times_s, 0)


def test_a_long_pause_before_the_last_row_is_one_by_the_wall_clock_too() -> None:
    walls = [*(f"2026-01-01T10:00:0{second}Z" for second in range(6)), "2026-01-01T12:00:06Z"]
    times_s = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 7206.0]
    assert believed(*times_s, walls=walls) == (times_s, 0)
    assert believed(*times_s[:6], 99_999.0, walls=walls) == (times_s[:6], 1)


def test_a_wall_clock_that_is_set_spoils_no_row() -> None:
    walls = ["2026-01-01T10:00:00Z", "1970-01-01T10:00:01Z", "2031-01-01T10:00:02Z", "no time at all"]
    assert believed(0.0, 1.0, 2.0, 3.0, walls=walls) == ([0.0, 1.0, 2.0, 3.0], 0)


def test_short_logs_are_whole() -> None:
    assert believed(1.0, 2.0) == ([1.0, 2.0], 0)
    assert believed() == ([], 0)
