"""An analysis in words: what is left out."""

import pytest

from blink_cli.commands.analysis_text import analysis_lines
from blink_cli.core.analysis.log_figures import LogFigures

pytestmark = pytest.mark.no_clock


@pytest.mark.parametrize(
    ("noted", "told"),
    [
        ((), []),
        (("nothing",), []),
        (("nothing", "loss=3%", "nothing"), ["loss=3%", "nothing"]),
    ],
)
def test_what_was_impaired_is_told_from_its_beginning(noted: tuple[str, ...], told: list[str]) -> None:
    found = LogFigures(
        path="a.rtplog.csv",
        call=None,
        begun=None,
        duration_s=1.0,
        rows=3,
        rows_unreadable=0,
        rows_lost=0,
        pauses=0,
        streams=(),
        impairments=noted,
    )
    lines = [line for line in analysis_lines(found) if line.startswith("impaired on purpose")]
    assert lines == [f"impaired on purpose: {text}" for text in told]
