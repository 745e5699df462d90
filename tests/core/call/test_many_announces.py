"""What the announces and the media of many cost: they only put off what is due when somebody falls silent."""

import pytest

from blink_cli.core.call.deadlines import Deadlines
from tests.core.call.party import Party

pytestmark = pytest.mark.no_clock

_NAMES = tuple(f"{letter}ve" for letter in "abcdefgh")
_SECONDS = 10


def test_most_signs_of_others_do_not_search_anew_who_is_to_be_missed_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    party = Party(*_NAMES)
    party.in_call(*_NAMES)
    party.run(3)
    searched = 0
    search = Deadlines._search

    def counted(deadlines: Deadlines) -> float:
        nonlocal searched
        searched += 1
        return search(deadlines)

    monkeypatch.setattr(Deadlines, "_search", counted)
    party.run(_SECONDS)
    timeouts = len(_NAMES) * _SECONDS
    assert 0 < searched < 2 * timeouts, (
        "neither announces nor media, of which there are seven times as many each"
    )
