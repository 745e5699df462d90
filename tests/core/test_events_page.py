"""docs/events.md lists every event with its fields, and no other."""

import re
import typing
from enum import StrEnum
from pathlib import Path

from blink_cli.core.api.events import (
    EVENT_NAMES,
    EndReason,
    Event,
    LeaveReason,
    LinkState,
    Observer,
    StreamDirection,
    StreamProblem,
)

PAGE = Path(__file__).parents[2] / "docs" / "events.md"

ROW = re.compile(r"\| ((?:`[a-z_]+`(?:, )?)+) \| ([^|]*) \| [^|]+ \|")


def test_every_event_is_listed_with_its_fields() -> None:
    listed = {}
    for names, fields in ROW.findall(PAGE.read_text(encoding="utf-8")):
        for name in re.findall(r"`([a-z_]+)`", names):
            listed[name] = tuple(re.findall(r"`([a-z_]+)`", fields))
    kinds = {kind.__struct_config__.tag: kind for kind in typing.get_args(Event)}

    assert listed == {name: kinds[name].__struct_fields__ for name in EVENT_NAMES}


def test_every_value_that_scripts_compare_is_named() -> None:
    page = PAGE.read_text(encoding="utf-8")
    kinds: tuple[type[StrEnum], ...] = (
        EndReason,
        LeaveReason,
        LinkState,
        Observer,
        StreamDirection,
        StreamProblem,
    )
    values = {str(value) for kind in kinds for value in kind} - {LinkState.SELF}

    assert {value for value in values if f"`{value}`" not in page} == set()
