"""The live panel: from snapshots to lines, whatever the width."""

import msgspec
import pytest

from blink_cli.commands.call_readings import CallFigures, CallReadings
from blink_cli.commands.show.cells import cells
from blink_cli.commands.show.layout import unfolded
from blink_cli.commands.show.painting import for_terminal
from blink_cli.commands.show.panel import panel
from blink_cli.commands.show.styled import Room, plain
from blink_cli.commands.show.tables import participants_table, statistics_table
from blink_cli.commands.status_text import participant_text, status_lines
from blink_cli.commands.watch_screen import screen_of
from blink_cli.core.api.events import LinkState
from blink_cli.core.api.replies.calls import CurrentCall, Participant, Participants, PendingCall
from blink_cli.core.api.replies.devices import CaptureFigures, Clocks, MixFigures
from blink_cli.core.api.replies.impairment import ImpairmentRule, ImpairmentState
from blink_cli.core.api.replies.loudness import Loudness
from blink_cli.core.api.replies.peers import CallPeer, HeardPeer
from blink_cli.core.api.replies.statistics import OneWay, PeerStatistics, RtpStatistics
from blink_cli.core.api.replies.status import Status
from blink_cli.core.ids import CallId, Did
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

pytestmark = pytest.mark.no_clock

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
    return [plain(line) for line in panel(status, CallReadings(CallFigures(statistics=statistics)), columns)]


def test_nothing_happens() -> None:
    assert drawn(IDLE) == ["not in a call"]


def test_a_call_shows_who_is_there_who_talks_and_how_it_sounds() -> None:
    heading, alice, bob, carol = drawn(in_call(*PEOPLE, muted=True, deafened=True), FIGURES)

    assert heading == "in call c0ffee00  2 of 3 present  muted  deafened  recording"
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
        "fixed",
        "2",
        "late",
        "1",
        "delay",
        "61",
        "ms",
    ]
    assert carol.split() == ["z6MkpTHR8VNs…", "absent"]


def test_who_has_not_come_yet_rings_there() -> None:
    carol = participant(CAROL, "carol", LinkState.ABSENT, ringing=True)
    assert drawn(in_call(PEOPLE[0], carol))[-1].split() == ["carol", "ringing"]
    assert participant_text(carol) == "carol: ringing"
    (row,) = participants_table(Participants(call=CALL, participants=(carol,))).rows
    assert "ringing" in [cell.text for cell in row]


def test_calls_that_can_be_joined_are_shown_below() -> None:
    bob = CallPeer(did=BOB, nickname="bob")
    pending = PendingCall(id=RINGING, caller=bob, participants=(bob,), joined=(bob,), rejected=False)
    rejected = msgspec.structs.replace(pending, rejected=True)
    left = msgspec.structs.replace(pending, left=True)

    assert drawn(msgspec.structs.replace(IDLE, pending_calls=(pending, rejected, left))) == [
        "not in a call",
        "beef0000 rings, from bob  accept with `accept`, or `reject`",
        "beef0000 can be joined, from bob",
        "beef0000 can be joined, from bob",
    ]


def test_contacts_are_marked_where_somebody_calls_and_in_the_call() -> None:
    bob = CallPeer(did=BOB, nickname="bob", in_contacts=True)
    pending = PendingCall(id=RINGING, caller=bob, participants=(bob,), joined=(bob,), rejected=False)
    assert (
        drawn(msgspec.structs.replace(IDLE, pending_calls=(pending,)))[1]
        == "beef0000 rings, from bob (contact)  accept with `accept`, or `reject`"
    )
    people = [msgspec.structs.replace(one, in_contacts=one.did == BOB) for one in PEOPLE]
    lines = drawn(in_call(*people), columns=120)
    assert [line.split()[0] for line in lines[1:] if line.endswith("contact")] == ["bob"]


@pytest.mark.parametrize("columns", [10, 20, 40, 59, 60, 80, 200])
def test_no_line_is_wider_than_the_terminal(columns: int) -> None:
    long_names = tuple(msgspec.structs.replace(person, nickname="n" * 64) for person in PEOPLE)
    for line in drawn(in_call(*long_names, muted=True), FIGURES, columns):
        assert cells(line) <= columns


def test_a_narrow_terminal_keeps_who_talks() -> None:
    lines = drawn(in_call(*PEOPLE), FIGURES, 20)

    assert "* alice (you)" in lines
    assert "lost" not in "".join(lines)


def test_a_large_call_does_not_push_the_prompt_off_the_screen() -> None:
    people = [participant(Did(f"did:key:z6Mk{n:040}"), f"peer{n}", LinkState.CONNECTED) for n in range(30)]

    lines = drawn(in_call(*people))

    assert len(lines) == 14
    assert lines[-1].startswith("18 more: peer12, peer13")


def test_a_nickname_cannot_move_the_cursor_or_use_markup() -> None:
    evil = participant(BOB, "\x1b[2J\r[bold]x[/]\u202e", LinkState.CONNECTED)

    text = "\n".join(drawn(in_call(evil)))

    assert "\x1b" not in text
    assert "\r" not in text
    assert "\u202e" not in text
    assert "[bold]x[/]" in text


def test_colour_is_there_when_wanted_and_only_then() -> None:
    lines = panel(in_call(*PEOPLE), CallReadings(CallFigures(statistics=FIGURES)), 80)

    assert "\x1b[" in for_terminal(lines, color=True)
    assert "\x1b" not in for_terminal(lines, color=False)


@pytest.mark.parametrize("rows", [5, 24, 60])
def test_the_whole_screen_shows_the_newest_that_fits(rows: int) -> None:
    sentences = [f"sentence {n}" for n in range(100)]

    lines = [
        plain(line)
        for line in screen_of(
            in_call(*PEOPLE), CallReadings(CallFigures(statistics=FIGURES)), sentences, Room(80, rows)
        )
    ]
    text = "\n".join(lines)

    assert len(lines) == rows
    assert "alice" in text
    if rows >= 24:
        assert "sentence 99" in text
        assert "sentence 0\n" not in text


def test_the_other_calls_figures_are_not_mixed_in() -> None:
    assert "lost" not in "".join(
        drawn(in_call(*PEOPLE[:1]), msgspec.structs.replace(FIGURES, call=CallId("0" * 32)))
    )


LOUD = Loudness(momentary_lufs=-14.2, short_term_lufs=-15.04, integrated_lufs=-17.0)


def test_it_says_how_loud_everybody_is_and_who_is_silenced_here() -> None:
    people = (
        participant(
            ALICE, "alice", LinkState.SELF, loudness=msgspec.structs.replace(LOUD, short_term_lufs=None)
        ),
        participant(BOB, "bob", LinkState.CONNECTED, muted_here=True, gain_db=6.0, loudness=LOUD),
    )
    status = in_call(*people, mix=MixFigures(limited_s=3.2, limited_now_db=4.4))
    heading, alice, bob = drawn(status)
    assert heading.endswith("turned down by 4 dB: all together too loud")
    assert "LUFS" not in alice
    assert "muted here" in bob
    assert "+6 dB" in bob
    assert "-15.0 LUFS" in bob
    table = "\n".join(
        plain(one) for one in unfolded(participants_table(Participants(call=CALL, participants=people)), 120)
    )
    assert "-15.0 LUFS  -17.0 LUFS" in table


def test_what_nobody_hears_is_called_silent() -> None:
    quiet = msgspec.structs.replace(LOUD, short_term_lufs=-96.2)
    _, bob = drawn(in_call(participant(BOB, "bob", LinkState.CONNECTED, loudness=quiet)))
    assert "silent" in bob
    assert "LUFS" not in bob


def test_the_status_says_what_is_too_loud_and_who_is_not_played_as_they_come() -> None:
    capture = CaptureFigures(
        gaps=0, missing_s=0, late_s=0, last_gap_at_s=None, last_gap_s=None, clipped_frames=12, frames=100
    )
    volumes = (HeardPeer(did=CAROL, nickname="carol", gain_db=-3.5, muted_here=True),)
    status = in_call(
        participant(BOB, "bob", LinkState.CONNECTED, loudness=LOUD),
        capture=capture,
        volumes=volumes,
        mix=MixFigures(limited_s=3.2, limited_now_db=0.0),
    )
    lines = [line.strip() for line in status_lines(status)]
    assert "loudness -17.0 LUFS in all, -15.0 LUFS now" in lines
    assert "input   too loud for its gain in 12.0% of the time: turn it down" in lines
    assert "output  all together too loud for 3.2 s: turned down meanwhile" in lines
    assert "volume  carol: muted here, -3.5 dB" in lines


LOSSY = ImpairmentState(
    rules=(ImpairmentRule(did=None, nickname=None, direction="in", conditions="loss=3%", seed=7),), lines=()
)


def test_what_is_impaired_on_purpose_stands_in_red_whether_in_a_call_or_not() -> None:
    for status in (
        msgspec.structs.replace(IDLE, impairment=LOSSY),
        in_call(*PEOPLE, impairment=LOSSY),
    ):
        spans = [span for line in panel(status, CallReadings(), 100) for span in line]
        (mark,) = [span for span in spans if "impaired on purpose" in span.text]
        assert mark.text == "impaired on purpose, what comes: loss=3% seed=7"
        assert mark.style == "bold red"


def test_the_way_of_the_network_alone_stands_where_clocks_tell_it() -> None:
    known = OneWay(
        incoming_ms=5.2,
        outgoing_ms=40.1,
        error_ms=0.5,
        method="same_clock",
        clock_ahead_ms=0.0,
        clock_error_ms=0.5,
        why=None,
    )
    (peer,) = FIGURES.peers
    for one_way, told in ((None, False), (known, True)):
        figures = msgspec.structs.replace(FIGURES, peers=(msgspec.structs.replace(peer, one_way=one_way),))
        assert ("way 5 ms" in "\n".join(drawn(in_call(*PEOPLE), figures, 120))) is told
        table = "\n".join(plain(line) for line in unfolded(statistics_table(figures.peers), 200))
        assert ("way in" in table and "5.2 ms  40.1 ms" in table) is told


@pytest.mark.parametrize(
    ("rows", "shown"),
    [
        (4, ["in call c0ffee00", "* alice (you)", "  bob", "  z6MkpTHR8VNs…"]),
        (3, ["in call c0ffee00", "* alice (you)", "2 more: bob, z6MkpT…"]),
        (1, ["in call c0ffee00"]),
    ],
)
def test_a_small_panel_shows_people_before_a_second_row_of_the_heading(rows: int, shown: list[str]) -> None:
    lines = panel(in_call(*PEOPLE, muted=True), CallReadings(CallFigures(statistics=None)), 20, rows)
    assert [plain(line)[: len(wanted)] for line, wanted in zip(lines, shown, strict=True)] == shown
