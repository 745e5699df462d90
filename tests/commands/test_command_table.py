"""The list of commands is what the commands are."""

from pathlib import Path

import pytest

import blink_cli.commands
from blink_cli.commands.command_table import BY_NAME, SECTIONS
from blink_cli.commands.program import entry_point, registered_names

pytestmark = pytest.mark.no_clock


def test_every_command_stands_where_the_table_says() -> None:
    for name, row in BY_NAME.items():
        command = entry_point().commands[name]
        assert not command.hidden
        assert row.summary == command.get_short_help_str(90), name


def test_every_module_of_commands_is_in_the_table() -> None:
    folder = Path(blink_cli.commands.__file__).parent
    modules = {path.stem for path in folder.glob("*.py") if "\ndef register(app: " in path.read_text("utf-8")}
    assert {row.module for row in BY_NAME.values()} == modules


def test_no_module_has_a_command_that_is_not_listed() -> None:
    registered = {
        name for module in {row.module for row in BY_NAME.values()} for name in registered_names(module)
    }
    assert registered == set(BY_NAME)


def test_no_name_stands_twice() -> None:
    assert sum(map(len, SECTIONS.values())) == len(BY_NAME)
