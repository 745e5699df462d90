"""docs/api.md names every command, and nothing that is not there."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.core import TyperGroup

import blink_cli as blink
from blink_cli.api.reached_session import OpenedSession
from blink_cli.commands.program import entry_point
from tests.support.scripted_session import ScriptedSession

pytestmark = pytest.mark.no_clock(sockets=True)

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `([a-z0-9 -]+)` \| (.*) \|$", re.MULTILINE)


def commands(group: TyperGroup, before: str = "") -> Iterator[str]:
    for name in group.commands:
        one = group.commands[name]
        if isinstance(one, TyperGroup):
            yield from commands(one, f"{before}{name} ")
        else:
            yield f"{before}{name}"


def test_every_command_has_its_row() -> None:
    section = PAGE[PAGE.index("### Each command in Python") :]
    rows = [name for name, _ in ROW.findall(section)]
    assert len(rows) == len(set(rows))
    # Whoever adds a command says there how it is done from Python.
    assert set(rows) == set(commands(entry_point()))


async def test_every_name_of_the_rows_is_there() -> None:
    script = ScriptedSession()
    session = blink.Session(OpenedSession(script), script.state)
    for command, python in ROW.findall(PAGE[PAGE.index("### Each command in Python") :]):
        names = re.findall(r"`([A-Za-z0-9_.]+)`", python)
        assert names or "people only" in python, command
        for name in names:
            owner, _, attribute = name.rpartition(".")
            holder = {"": blink, "Session": session, "Call": blink.Call, "cli": blink.cli}[owner]
            assert hasattr(holder, attribute), name


def test_every_public_name_is_told() -> None:
    section = PAGE[PAGE.index("### What is in the package") : PAGE.index("### Each command in Python")]
    errors = PAGE[PAGE.index("### Errors") : PAGE.index("### JSON")]
    told = set(re.findall(r"`([A-Za-z_]+)`", section + errors))
    assert set(blink.__all__) <= told, set(blink.__all__) - told
