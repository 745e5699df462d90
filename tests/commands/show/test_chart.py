"""Charts of text."""

import pytest

from blink_cli.commands.show.chart import chart, clock

pytestmark = pytest.mark.no_clock


def drawn(values: list[float | None], columns: int = 27, mark: float | None = None) -> list[str]:
    return chart(values, duration_s=10, columns=columns, rows=4, lowest=-40, highest=0, mark=mark)


def test_a_ramp_climbs() -> None:
    lines = drawn([-40.0, -30.0, -20.0, -10.0, 0.0], columns=22)
    assert lines == [
        "    0 |            ###",
        "  -10 |         ######",
        "  -20 |      #########",
        "  -30 |   ############",
        "      +---------------",
        "       0:00       0:10",
    ]


@pytest.mark.parametrize("columns", [1, 20, 33, 80, 300])
def test_it_is_as_wide_as_asked_for_and_never_wider(columns: int) -> None:
    lines = drawn([-10.0] * 77, columns)
    assert max(map(len, lines)) == max(columns, 20)
    assert lines[1].count("#") == max(columns, 20) - 7


def test_thirds_of_a_cell_are_drawn() -> None:
    assert drawn([-40 + 10 / 3], 20)[3] == "  -30 |" + "." * 13
    assert drawn([-40 + 20 / 3], 20)[3] == "  -30 |" + ":" * 13


def test_a_column_is_the_loudest_of_its_time() -> None:
    values: list[float | None] = [-40.0] * 1_000
    values[500] = 0.0
    assert sum(line.count("#") for line in drawn(values)) == 4


def test_nothing_is_drawn_where_nothing_is_known() -> None:
    assert "#" not in "".join(drawn([None] * 9))
    assert "#" not in "".join(drawn([]))
    assert drawn([-100.0], 20)[3] == "  -30 |"


def test_a_mark_is_drawn_behind_the_bars() -> None:
    lines = drawn([-40.0, 0.0], 20, mark=-15)
    assert lines[1] == "  -10 |" + "-" * 7 + "#" * 6


@pytest.mark.parametrize(
    ("duration_s", "labels"),
    [
        (2, "0.0 s 0.5 s 1.0 s 1.5 s 2.0 s"),
        (0.2, "0.00 s 0.05 s 0.10 s 0.15 s 0.20 s"),
        (8, "0:00 0:02 0:04 0:06 0:08"),
    ],
)
def test_no_two_times_of_a_short_sound_are_the_same(duration_s: float, labels: str) -> None:
    lines = chart([-10.0] * 20, duration_s=duration_s, columns=72, rows=4, lowest=-40, highest=0)
    assert " ".join(lines[-1].split()) == labels
    assert len(lines[-1]) <= 72


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (65.9, "1:05"), (3_725, "1:02:05")])
def test_times(seconds: float, text: str) -> None:
    assert clock(seconds) == text
