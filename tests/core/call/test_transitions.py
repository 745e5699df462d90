"""The tables say everything: no row leads nowhere, no phase is unreachable, a missing turn is a fault of the program."""

import re
from pathlib import Path

import pytest

from blink_cli.core.call.transitions import (
    CALL_TRANSITIONS,
    LINK_TRANSITIONS,
    LinkPhase,
    LinkTrigger,
    Phase,
    TransitionError,
    Trigger,
    next_link_phase,
    next_phase,
)


def test_every_phase_has_a_row_and_can_be_reached() -> None:
    reached = {following for row in CALL_TRANSITIONS.values() for following in row.values()}
    assert set(CALL_TRANSITIONS) == set(Phase)
    assert reached | {Phase.UNKNOWN} == set(Phase)
    reached_links = {following for row in LINK_TRANSITIONS.values() for following in row.values()}
    assert set(LINK_TRANSITIONS) == set(LinkPhase) == reached_links


def test_every_turn_is_used() -> None:
    assert {turn for row in CALL_TRANSITIONS.values() for turn in row} == set(Trigger)
    assert {turn for row in LINK_TRANSITIONS.values() for turn in row} == set(LinkTrigger)


def test_every_call_can_end() -> None:
    for phase in Phase:
        seen, ahead = set[Phase](), [phase]
        while ahead:
            here = ahead.pop()
            if here not in seen:
                seen.add(here)
                ahead += CALL_TRANSITIONS[here].values()
        assert Phase.GONE in seen


def test_a_turn_that_is_not_in_the_table_is_an_error_that_reads_aloud() -> None:
    with pytest.raises(TransitionError, match="a call that is gone cannot follow: we accept"):
        next_phase(Phase.GONE, Trigger.WE_ACCEPT)
    with pytest.raises(TransitionError, match="a link that is none cannot follow: it stands"):
        next_link_phase(LinkPhase.NONE, LinkTrigger.STANDS)


def test_the_document_shows_the_tables_as_they_are() -> None:
    page = (Path(__file__).parents[3] / "docs" / "call.md").read_text()
    for table in (CALL_TRANSITIONS, LINK_TRANSITIONS):
        for phase, row in table.items():
            for turn, following in row.items():
                line = rf"^\| {phase.value} \| {re.escape(turn.value)} \| {following.value} \|$"
                assert re.search(line, page, re.MULTILINE), f"docs/call.md lacks: {phase.value}, {turn.value}"
    rows = sum(len(row) for table in (CALL_TRANSITIONS, LINK_TRANSITIONS) for row in table.values())
    assert len(re.findall(r"^\| [a-z_]+ \| [^|]+ \| [a-z_]+ \|$", page, re.MULTILINE)) == rows
