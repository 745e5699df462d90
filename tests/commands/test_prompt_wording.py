"""At the prompt a command is named as it is typed there."""

import pytest

from blink_cli.commands.prompt_wording import at_prompt

pytestmark = pytest.mark.no_clock


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("`blink peers` lists them", "`peers` lists them"),
        ("`blink --help` shows how", "`help` shows how"),
        ("`blink offer --help` shows how", "`help offer` shows how"),
        ("`blink record start --help` shows how", "`help record start` shows how"),
        ("`blink calls` lists, `blink accept --wait 30` waits", "`calls` lists, `accept --wait 30` waits"),
        ("start `blink` or `blink serve`", "start `blink` or `blink serve`"),
        ("`blink --profile bob quit` ends it", "`blink --profile bob quit` ends it"),
        ("`blink rtp-stats --watch`", "`rtp-stats --watch`"),
        ("a blink of an eye", "a blink of an eye"),
    ],
)
def test_commands_lose_the_programs_name_where_it_is_not_typed(said: str, shown: str) -> None:
    assert at_prompt(said) == shown
