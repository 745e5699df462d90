"""Bars and sparklines, of Braille and of ASCII."""

import pytest

from blink_cli.commands.show.cells import cells, is_settled
from blink_cli.commands.show.glyphs import ASCII, BRAILLE, STEPS, Glyphs, glyphs_for

pytestmark = pytest.mark.no_clock


def test_a_bar_is_filled_by_halves_of_a_cell_and_has_its_mark_above() -> None:
    assert BRAILLE.bar(0.0, 0.0, 4) == "⣀⣀⣀⣀"
    assert BRAILLE.bar(1.0, 1.0, 4) == "⣿⣿⣿⣿"
    assert BRAILLE.bar(0.375, 0.75, 4) == "⣿⣇⣸⣀"
    assert ASCII.bar(0.5, 0.75, 4) == "##|."
    assert ASCII.bar(-1.0, 7.0, 4) == "...|"


def test_a_sparkline_has_a_column_of_dots_for_each_value_and_none_for_what_is_not_known() -> None:
    assert BRAILLE.sparkline([0, 0, 0, 1, 2, 3, 4]) == " ⢀⣴⡇"
    assert ASCII.sparkline([0, 1, 2, 3, 4]) == " _.:#"


@pytest.mark.parametrize("glyphs", [BRAILLE, ASCII])
def test_every_letter_is_one_cell_wherever_it_is_drawn(glyphs: Glyphs) -> None:
    drawn = {
        letter for step in range(17) for mark in range(17) for letter in glyphs.bar(step / 16, mark / 16, 8)
    }
    for left in range(STEPS + 1):
        drawn |= {letter for right in range(STEPS + 1) for letter in glyphs.sparkline([left, right])}
    assert all(cells(letter) == 1 and is_settled(letter) for letter in drawn)


@pytest.mark.parametrize(
    ("environment", "glyphs"),
    [
        ({"LANG": "C.UTF-8", "TERM": "xterm-256color"}, BRAILLE),
        ({"LANG": "C", "LC_ALL": "de_DE.utf8", "TERM": "tmux"}, BRAILLE),
        ({"LANG": "en_US.UTF-8", "LC_ALL": "C", "TERM": "xterm"}, ASCII),
        ({"LANG": "C.UTF-8", "TERM": "linux"}, ASCII),
        ({"TERM": "xterm"}, ASCII),
    ],
)
def test_a_console_and_a_locale_without_unicode_get_ascii(
    environment: dict[str, str], glyphs: Glyphs
) -> None:
    assert glyphs_for(environment) == glyphs
