"""docs/cli.md says what the program does."""

import runpy
from pathlib import Path

import pytest

from blink_cli.commands.command import PRINTED
from blink_cli.commands.program import entry_point

pytestmark = pytest.mark.no_clock


def test_the_page_is_made_of_the_program() -> None:
    root = Path(__file__).parents[2]
    page = runpy.run_path(str(root / "scripts" / "make_cli_page.py"))["page"]
    text = (root / "docs" / "cli.md").read_text(encoding="utf-8")
    assert text == page(), "run `python scripts/make_cli_page.py`"


def test_every_command_says_what_it_prints_or_is_one_for_people() -> None:
    entry_point()
    silent = {function.__name__ for function, printed in PRINTED.items() if printed is None}
    assert silent == {"repl", "run", "completion", "source", "watch"}, "`run` is that of `broker`"
