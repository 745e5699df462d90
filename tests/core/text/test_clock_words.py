"""How far apart two clocks are, in words."""

import pytest

from blink_cli.core.text.clock_words import clock_sentence


@pytest.mark.parametrize(
    ("ahead_s", "words"),
    [
        (3.2, "3 s ahead of"),
        (-62.0, "1 min behind"),
        (3_599.98, "1 h ahead of"),
        (-5_400.0, "1 h 30 min behind"),
        (86_399.9, "1 day ahead of"),
        (2 * 86_400 + 3 * 3_600.0, "2 days 3 h ahead of"),
        (-40 * 86_400.0, "40 days behind"),
        (365 * 86_400.0, "1 year ahead of"),
        (-400 * 86_400.0, "1 year 35 days behind"),
        (56.7 * 365.25 * 86_400, "57 years ahead of"),
    ],
)
def test_two_units_at_most(ahead_s: float, words: str) -> None:
    assert clock_sentence("anna", ahead_s, proved=True) == f"anna's clock is {words} this one"


def test_what_is_only_claimed_is_said_so() -> None:
    assert clock_sentence("anna", 3_600.0, proved=False).startswith(
        "anna's clock seems to be 1 h ahead of this one, and it does not answer"
    )
