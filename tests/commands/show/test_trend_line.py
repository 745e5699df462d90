"""A minute as one line."""

import pytest

from blink_cli.commands.show.glyphs import ASCII, BRAILLE
from blink_cli.commands.show.trend_line import delay_line, loss_line, loss_style

pytestmark = pytest.mark.no_clock


def test_the_newest_second_stands_last_and_what_was_before_the_call_is_blank() -> None:
    assert delay_line([10.0, 60.0, 110.0, 500.0], 60, ASCII) == " " * 56 + "_.:#"
    assert len(delay_line([10.0] * 90, 30, BRAILLE)) == 30


def test_of_several_seconds_in_one_place_the_worst_is_shown() -> None:
    assert loss_line([*[0.0] * 55, 0.0, 0.0, 0.2, 0.0, None], 10, ASCII) == "_" * 9 + "#"


def test_no_loss_is_the_base_line_and_the_least_loss_stands_above_it() -> None:
    assert loss_line([0.0, 0.001, 0.03, 0.05, None], 60, ASCII).strip(" ") == "_.:#"


def test_much_that_was_lost_lately_is_red_and_is_forgotten() -> None:
    assert loss_style([]) == loss_style([None, 0.0]) == "dim"
    assert loss_style([0.01]) == "yellow"
    assert loss_style([0.2]) == "red"
    assert loss_style([0.2, *[0.0] * 10]) == "dim"
