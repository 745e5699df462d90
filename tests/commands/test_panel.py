"""The live panel: from snapshots to lines, whatever the width."""

import msgspec
import pytest

from blink_cli.commands.full_screen import screen_of
from blink_cli.commands.panel import panel, to_ansi
from blink_cli.core.events import LinkState
from blink_cli.core.names import CallId, Did
from blink_cli.core.replies import (
    Clocks,
    CurrentCall,
    NamedPeer,
    Participant,
    PeerStatistics,
    PendingCall,
    RtpStatistics,
    Status,
)
from tests.support.scripted_session import (
    ALICE,
    BOB,
    CALL,
    CAROL,
    RINGING,
    SINCE,
    inbound,
    outbound,
    participant,
)

IDLE = Status(
    profile="default",
    did=ALICE,
    nickname="alice",
    pid=1,
    input="default",
    output="default",
    muted=False,
    deafened=False,
    clocks=Clocks(monotonic_s=0.0, input_position_s=None, output_position_s=None),
    call=None,
    pending_calls=(),
)
PEOPLE = (
    participant(ALICE, "alice", LinkState.SELF, talking=True),
    participant(BOB, "bob", LinkState.CONNECTED, muted=True, recording=True, gain_db=-6.0),
    participant(CAROL, "", LinkState.ABSENT),
)
FIGURES = RtpStatistics(
    call=CALL,
    peers=(PeerStatistics(did=BOB, nickname="bob", rtt_s=0.001, inbound=inbound(), outbound=outbound()),),
    late_ticks=0,
)


def in_call(*people: Participant, **changed: object) -> Status:
    call = CurrentCall(id=CALL, state="in_call", since=SINCE, participants=people)
    return msgspec.structs.replace(IDLE, call=call, **changed)


def drawn(status: Status, statistics: RtpStatistics | None = None, columns: int = 100) -> list[str]:
    return to_ansi(panel(status, statistics, columns), columns, color=False).split("\n")


def test_nothing_happens() -> None:
    assert drawn(IDLE) == ["not in a call"]


def test_a_call_shows_who_is_there_who_talks_and_how_it_sounds() -> None:
    heading, alice, bob, carol = drawn(in_call(*PEOPLE, muted=True, deafened=True), FIGURES)

    assert heading == "in call c0ffee00  2 of 3 there  muted  deafened  recording"
    assert alice.split() == ["*", "alice", "(you)"]
    assert bob.split() == [
        "bob",
        "connected",
        "muted,",
        "recording",
        "-6",
        "dB",
        "lost",
        "3",
        "late",
        "1",
        "delay",
        "61",
        "ms",
    ]
    assert carol.split() == ["z6MkpTHR8VNs…", "absent"]


def test_calls_that_can_be_joined_are_shown_below() -> None:
    bob = NamedPeer(did=BOB, nickname="bob")
    pending = PendingCall(id=RINGING, caller=bob, participants=(bob,), joined=(bob,), rejected=False)
    rejected = msgspec.structs.replace(pending, rejected=True)
    left = msgspec.structs.replace(pending, left=True)

    assert drawn(msgspec.structs.replace(IDLE, pending_calls=(pending, rejected, left))) == [
        "not in a call",
        "beef0000 rings, from bob",
        "beef0000 can be joined, from bob",
        "beef0000 can be joined, from bob",
    ]


@pytest.mark.parametrize("columns", [10, 20, 40, 59, 60, 80, 200])
def test_no_line_is_wider_than_the_terminal(columns: int) -> None:
    long_names = tuple(msgspec.structs.replace(person, nickname="n" * 64) for person in PEOPLE)
    for line in drawn(in_call(*long_names, muted=True), FIGURES, columns):
        assert len(line) <= columns


def test_a_narrow_terminal_keeps_who_talks() -> None:
    lines = drawn(in_call(*PEOPLE), FIGURES, 40)

    assert "*" in lines[1]
    assert "lost" not in "".join(lines)


def test_a_large_call_does_not_push_the_prompt_off_the_screen() -> None:
    people = [participant(Did(f"did:key:z6Mk{n:040}"), f"peer{n}", LinkState.CONNECTED) for n in range(30)]

    lines = drawn(in_call(*people))

    assert len(lines) == 14
    assert lines[-1].split() == ["and", "18", "more"]


def test_a_nickname_cannot_move_the_cursor_or_use_markup() -> None:
    evil = participant(BOB, "\x1b[2J\r[bold]x[/]\u202e", LinkState.CONNECTED)

    text = "\n".join(drawn(in_call(evil)))

    assert "\x1b" not in text
    assert "\r" not in text
    assert "\u202e" not in text
    assert "[bold]x[/]" in text


def test_colour_is_there_when_wanted_and_only_then() -> None:
    renderable = panel(in_call(*PEOPLE), FIGURES, 80)

    assert "\x1b[" in to_ansi(renderable, 80, color=True)
    assert "\x1b" not in to_ansi(renderable, 80, color=False)


@pytest.mark.parametrize("rows", [5, 24, 60])
def test_the_whole_screen_shows_the_newest_that_fits(rows: int) -> None:
    sentences = [f"sentence {n}" for n in range(100)]

    text = to_ansi(screen_of(in_call(*PEOPLE), FIGURES, sentences, 80, rows), 80, color=False)

    assert "alice" in text
    if rows >= 24:
        assert len(text.split("\n")) <= rows
        assert "sentence 99" in text
        assert "sentence 0\n" not in text


def test_the_other_calls_figures_are_not_mixed_in() -> None:
    assert "lost" not in "".join(
        drawn(in_call(*PEOPLE[:1]), msgspec.structs.replace(FIGURES, call=CallId("0" * 32)))
    )
