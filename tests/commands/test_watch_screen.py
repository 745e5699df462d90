"""The screen of `watch` at every size: whole figures, whole names or their beginning, nothing too wide, nobody without a name."""

import re

import msgspec
import pytest

from blink_cli.commands.call_history import Trend
from blink_cli.commands.call_readings import CallFigures, CallReadings
from blink_cli.commands.show.cells import cells
from blink_cli.commands.show.glyphs import ASCII
from blink_cli.commands.show.panel import panel
from blink_cli.commands.show.styled import Room, plain
from blink_cli.commands.watch_screen import Part, Watching, screen_of
from blink_cli.core.api.events import LinkState
from blink_cli.core.api.replies.calls import CurrentCall, Mesh, MeshLink, MeshParticipant, PendingCall
from blink_cli.core.api.replies.loudness import VoiceLevel
from blink_cli.core.api.replies.peers import CallPeer
from blink_cli.core.api.replies.statistics import PeerStatistics, RtpStatistics
from blink_cli.core.api.replies.status import Status
from blink_cli.core.ids import Did
from tests.commands.show.names import DISPUTED, SETTLED
from tests.commands.test_panel import IDLE
from tests.support.scripted_session import (
    ALICE,
    CALL,
    RINGING,
    SINCE,
    inbound,
    outbound,
    participant,
    processing,
)

pytestmark = pytest.mark.no_clock

NAMES = [name for pair in zip(SETTLED, DISPUTED, strict=False) for name in pair]
SIZES = [(20, 5), (20, 24), (30, 8), (40, 12), (60, 15), (80, 10), (80, 24), (120, 40), (250, 80), (250, 5)]


def dids(count: int) -> list[Did]:
    return [ALICE, *(Did(f"did:key:z6Mk{number:040}") for number in range(1, count))]


def call_of(count: int) -> tuple[Status, CallReadings]:
    """A call of so many, with names that are hard to draw and figures of many digits."""
    everybody = dids(count)
    names = [f"{NAMES[number % len(NAMES)]} {'n' * number}" for number in range(count)]
    people = tuple(
        participant(
            did,
            name,
            LinkState.SELF if did == ALICE else LinkState.CONNECTED,
            talking=number == 1,
            gain_db=3.0 if number == 2 else 0.0,
            muted=did == ALICE,
        )
        for number, (did, name) in enumerate(zip(everybody, names, strict=True))
    )
    status = msgspec.structs.replace(
        IDLE,
        muted=True,
        processing=processing(),
        call=CurrentCall(id=CALL, state="in_call", since=SINCE, participants=people),
    )
    streams = [
        inbound(
            packets_received=71_000 + number, packets_lost=12_000 + number, packets_recovered=11_000 + number
        )
        for number in range(count)
    ]
    statistics = RtpStatistics(
        call=CALL,
        peers=tuple(
            PeerStatistics(did=did, nickname=name, rtt_s=0.0124, inbound=stream, outbound=outbound())
            for did, name, stream in list(zip(everybody, names, streams, strict=True))[1:]
        ),
        late_ticks=0,
    )
    trends = {
        did: Trend(delay_ms=(60.0,) * 60, lost_share=(0.0, 0.3) * 30, grade="fair") for did in everybody[1:]
    }
    mesh = Mesh(
        call=CALL,
        participants=tuple(
            MeshParticipant(
                did=did,
                nickname=name,
                self=did == ALICE,
                present=True,
                hears=tuple(
                    MeshLink(did=other, link=LinkState.CONNECTED, lost_share=0.17)
                    for other in everybody
                    if other != did
                ),
            )
            for did, name in zip(everybody, names, strict=True)
        ),
    )
    levels = {did: VoiceLevel(did=did, level_dbov=-31, peak_dbov=-14, voice=True) for did in everybody}
    return status, CallReadings(CallFigures(statistics, trends, mesh), levels)


def drawn(count: int, size: tuple[int, int], watching: Watching | None = None) -> list[str]:
    status, readings = call_of(count)
    lines = screen_of(
        status,
        readings,
        [f"12:00:00  sentence {number}" for number in range(100)],
        Room(*size),
        watching=watching or Watching(),
        lasted_s=3725.0,
    )
    return [plain(line) for line in lines]


def test_a_sentence_is_shown_from_its_beginning() -> None:
    long = (
        "12:00:00  the microphone default failed (" + "no sound card is here, " * 4 + "alas); using silence"
    )
    status, readings = call_of(2)
    for rows in range(8, 30):
        lines = [
            plain(one) for one in screen_of(status, readings, ["11:00:00  before", long], Room(79, rows))
        ]
        if any("alas" in one or one.endswith("…") for one in lines[-4:]):
            assert any(one.startswith("12:00:00  the microphone") for one in lines), lines


CHOICES = (
    Watching(),
    Watching(first=Part.MESH),
    Watching(first=Part.FIGURES, selected=dids(2)[-1]),
    Watching(helps=True),
    Watching(label="what happened, and more than fits into a line " * 3),
)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("count", [2, 3, 8, 32])
def test_the_screen_is_full_and_no_line_is_wider_than_it(size: tuple[int, int], count: int) -> None:
    columns, rows = size
    for chosen in CHOICES:
        lines = drawn(count, size, chosen)
        assert len(lines) == rows
        for line in lines:
            assert cells(line) <= columns


@pytest.mark.parametrize("size", SIZES)
def test_a_figure_is_whole_or_not_there(size: tuple[int, int]) -> None:
    numbers = {f"{thousands}{number}" for thousands in (71, 12, 11) for number in ("000", "001", "002")}
    for chosen in (Watching(), Watching(first=Part.FIGURES)):
        text = "\n".join(drawn(3, size, chosen))
        for word in re.findall(r"(?<![\d.])[17]\d{2,}(?![\d.])", text):
            assert word in numbers


@pytest.mark.parametrize("size", SIZES)
def test_who_is_selected_is_in_sight_with_a_name(size: tuple[int, int]) -> None:
    for did in dids(32)[::6]:
        lines = drawn(32, size, Watching(selected=did))
        (marked,) = [line for line in lines if line.startswith("> ")]
        assert len(marked.strip("> *")) > 1


def test_what_is_chosen_to_be_first_is_shown_where_there_is_no_room_for_all() -> None:
    size = (80, 16)
    for part, heading in ((Part.TRENDS, "last minute"), (Part.FIGURES, "conceal"), (Part.MESH, "who hears")):
        text = "\n".join(drawn(3, size, Watching(first=part)))
        assert heading in text
    assert all(word in "\n".join(drawn(3, (120, 40))) for word in ("last minute", "conceal", "who hears"))


def test_quality_is_a_word_and_the_muted_one_who_talks_is_told() -> None:
    text = "\n".join(drawn(3, (120, 40)))
    assert "fair" in text
    assert "muted: you talk" in text
    assert re.search("lost 12001[ ⠀-⣿]+fixed 11001", text)


def test_a_terminal_without_unicode_gets_no_braille() -> None:
    status, readings = call_of(3)
    lines = [plain(line) for line in screen_of(status, readings, [], Room(120, 24), glyphs=ASCII)]
    assert not re.search("[⠀-⣿]", "\n".join(lines))
    assert "####" in lines[2]


def test_how_to_answer_stands_beside_the_call_that_rings() -> None:
    bob = CallPeer(did=dids(2)[1], nickname="bob")
    ringing = PendingCall(id=RINGING, caller=bob, participants=(bob,), joined=(bob,), rejected=False)
    one = msgspec.structs.replace(IDLE, pending_calls=(ringing,))
    two = msgspec.structs.replace(
        IDLE, pending_calls=(ringing, msgspec.structs.replace(ringing, id="dead" * 8))
    )
    assert "beef0000 rings, from bob  a accepts, x rejects" in [
        plain(line) for line in screen_of(one, CallReadings(), [], Room(80, 10))
    ]
    assert "accept with `accept`, or `reject`" in plain(panel(one, CallReadings(), 80)[1])
    assert "`accept dead" in plain(panel(two, CallReadings(), 80)[2])
    for columns in (20, 30, 40):
        assert all(cells(plain(line)) <= columns for line in panel(two, CallReadings(), columns))


def test_the_own_voice_that_comes_back_is_told() -> None:
    state = processing()
    state = msgspec.structs.replace(state, echo=msgspec.structs.replace(state.echo, own_return_ms=118.0))
    status, readings = call_of(2)
    lines = screen_of(msgspec.structs.replace(status, processing=state), readings, [], Room(140, 12))
    assert "your own voice comes back after 118 ms: another speaker in this room plays it" in plain(lines[1])
