"""The live panel: who is in the call, who is talking, and how it sounds. Pure: a snapshot in, lines out.

in call c0ffee00  3 of 3 present  muted
* alice (you)                    #####|..
  bob          connected         ####....  good  -23.4 LUFS  lost 3  fixed 2  delay 61 ms
  carol        absent     muted
"""

from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from blink_cli.commands.call_history import Trend
from blink_cli.commands.call_readings import CallReadings
from blink_cli.commands.codec_words import codec_text
from blink_cli.commands.impairment_text import impairment_texts
from blink_cli.commands.names_shown import caller_text, flags_of, link_of, lufs_text, short_call
from blink_cli.commands.processing_text import MUTING, not_running, own_return_text, processing_in_short
from blink_cli.commands.show.glyphs import BRAILLE, Glyphs
from blink_cli.commands.show.layout import (
    Cell,
    Column,
    Laid,
    Table,
    no_more_than,
    one_line_each,
    rows_that_fit,
)
from blink_cli.commands.show.styled import Line, Room, Span, flowed, width_of, wrapped_lines
from blink_cli.commands.show.tables import LINK_STYLES, name_cell
from blink_cli.commands.show.trend_line import delay_line, loss_line, loss_style
from blink_cli.core.analysis.e_model import Grade
from blink_cli.core.api.events import LinkState
from blink_cli.core.api.replies.calls import Participant
from blink_cli.core.api.replies.loudness import VoiceLevel
from blink_cli.core.api.replies.statistics import Inbound, OneWay, PeerStatistics
from blink_cli.core.api.replies.status import Status
from blink_cli.core.audio_format import SILENCE_DBOV
from blink_cli.core.identity.shown_name import printable, shown_name
from blink_cli.core.ids import Did

MAX_ROWS: Final = 12
"""A call of more than that would push the prompt, and what is told above it, off a terminal of 24 rows."""

LEAST_ROWS: Final = 2
"""The heading, and who is not shown."""

LEAST_PEOPLE_ROWS: Final = 3
"""What people get of a small panel before the heading gets a second row."""

LIMITED_SHOWN_DB: Final = 1.0
"""Less is not heard."""

TRENDS: Final = ("loss of the last minute", "delay of the last minute")
"""Columns that a terminal of 80 has no room for."""

_COLUMNS: Final = (
    Column("who", "name"),
    Column("link", rank=1),
    Column("state", rank=2),
    Column("level", rank=4),
    Column("dBov", right=True, rank=14),
    Column("quality", rank=3),
    Column("gain", right=True, rank=9),
    Column("loudness", right=True, rank=10),
    Column("lost", right=True, rank=6),
    Column(TRENDS[0], rank=12),
    Column("fixed", right=True, rank=7),
    Column("late", right=True, rank=8),
    Column("delay", right=True, rank=5),
    Column(TRENDS[1], rank=11),
    Column("way", right=True, rank=15),
    Column("contact", rank=13),
)

_RANK_OF_CONNECTED: Final = 6

BAR_CELLS: Final = (16, 8)
"""With room, and without."""

TREND_CELLS: Final = 15
"""A column of dots for two seconds; where there is no room for that, `watch` shows them apart."""

LOWEST_DBOV: Final = -60.0
"""A quiet room; lower is nothing to see."""

LOUD_DBOV: Final = -9
"""From there on the peaks of a voice come near full scale."""

TOO_LOUD_DBOV: Final = -3
"""RMS of 20 ms: a sine at full scale has -3 dBov, and a voice that reaches it is cut off."""

GRADE_STYLES: Final[dict[Grade, str]] = {"good": "green", "fair": "yellow", "poor": "bold red"}


def panel(
    status: Status,
    readings: CallReadings,
    columns: int,
    rows: int = MAX_ROWS + 4,
    glyphs: Glyphs = BRAILLE,
) -> list[Line]:
    """Return what stands above the prompt.

    Args:
        status: The session's newest snapshot.
        readings: The newest figures of its call, if it is in one.
        columns: Width of the terminal.
        rows: Most lines; who does not fit is named in one of them.
        glyphs: What it draws with.

    """
    heading = heading_lines(status, columns)
    pending = pending_lines(status, columns, answers_at_prompt(status))
    if rows == 1:
        return [*pending, *heading][:1]
    if status.call is None:
        return no_more_than(rows, [*heading, *pending], columns)
    # Of a small panel the people are more than half: who talks and who is heard well is not known otherwise.
    heading = heading[: max(rows - LEAST_PEOPLE_ROWS, 1)]
    room = max(rows - len(heading) - len(pending), LEAST_ROWS)
    laid = participants_laid(status, readings, Room(columns, room), glyphs)
    people = rows_that_fit(laid, names_of(status), min(room, MAX_ROWS + 1), columns)
    return no_more_than(rows, [*heading, *people, *pending], columns)


def heading_lines(status: Status, columns: int) -> list[Line]:
    """Where the session stands: its call, and what it shows to all."""
    parts = [Span("not in a call", "dim")]
    if status.call is not None:
        people = status.call.participants
        present = sum(person.link in {LinkState.SELF, LinkState.CONNECTED} for person in people)
        look = "bold green" if present > 1 else "bold yellow"
        parts = [
            Span(f"{status.call.state.replace('_', ' ')} {short_call(status.call.id)}", look),
            Span(f"{present} of {len(people)} present"),
        ]
    parts += [Span(printable(text), "bold red") for text in impairment_texts(status.impairment)]
    if status.codec is not None and status.codec.for_this_call:
        parts.append(Span(codec_text(status.codec.chosen, status.codec.for_this_call), "yellow"))
    if status.muted:
        parts.append(Span("muted", "bold yellow"))
    elif status.processing is not None and status.processing.automute.state == MUTING:
        parts.append(Span("automuted", "yellow"))
    if status.deafened:
        parts.append(Span("deafened", "bold yellow"))
    if status.call is not None and any(person.recording for person in status.call.participants):
        parts.append(Span("recording", "bold red"))
    if status.call is not None and status.processing is not None:
        if missing := not_running(status.processing):
            parts.append(Span(missing, "bold yellow"))
        if running := processing_in_short(status.processing):
            parts.append(Span(running, "dim"))
        if (returns_ms := status.processing.echo.own_return_ms) is not None:
            parts.append(Span(own_return_text(returns_ms), "bold yellow"))
    if status.mix is not None and status.mix.limited_now_db >= LIMITED_SHOWN_DB:
        parts.append(
            Span(f"turned down by {status.mix.limited_now_db:.0f} dB: all together too loud", "yellow")
        )
    if status.machine is not None and status.machine.reason is not None:
        parts.append(Span("this machine is too slow", "bold red"))
    return flowed(parts, columns)


def participants_laid(
    status: Status,
    readings: CallReadings,
    where: Room,
    glyphs: Glyphs = BRAILLE,
    selected: Did | None = None,
) -> Laid:
    """One line for each participant of a call from the one that is scrolled to.

    Args:
        status: Of a session in a call.
        readings: Its figures.
        where: Columns count, and by how much it is scrolled.
        glyphs: What it draws with.
        selected: Whom keys are for: marked by `>`; None where nobody can be selected.

    """
    call = status.call
    people = () if call is None else call.participants[where.scrolled :]
    figures = {}
    statistics = readings.figures.statistics
    if call is not None and statistics is not None and statistics.call == call.id:
        figures = {peer.did: peer for peer in statistics.peers}
    rows = []
    for person in people:
        voice = readings.levels.get(person.did)
        mark = "" if selected is None else "> " if person.did == selected else "  "
        rows.append(
            (
                *_who(person, voice, mark),
                *_level(person, voice, glyphs),
                *_sound(
                    person,
                    figures.get(person.did),
                    readings.figures.trends.get(person.did, Trend()),
                    glyphs,
                ),
            )
        )
    return one_line_each(Table(_columns(people), tuple(rows), headed=False), where.columns)


def _columns(people: Sequence[Participant]) -> tuple[Column, ...]:
    """Where all are connected, the word for it says least: it leaves before what is heard."""
    if any(person.link not in {LinkState.SELF, LinkState.CONNECTED} for person in people):
        return _COLUMNS
    return tuple(replace(one, rank=_RANK_OF_CONNECTED) if one.heading == "link" else one for one in _COLUMNS)


def names_of(status: Status, scrolled: int = 0) -> list[str]:
    """Who has a line, in order."""
    people = () if status.call is None else status.call.participants[scrolled:]
    return [shown_name(person.nickname, person.did) for person in people]


def pending_lines(status: Status, columns: int, answers: str) -> list[Line]:
    """Calls that ring, or can be joined. `answers` says how one answers those that ring, with `{}` for the call's id."""
    lines: list[Line] = []
    for call in status.pending_calls[:MAX_ROWS]:
        caller = caller_text(call.caller)
        if call.rings:
            said = f"{short_call(call.id)} rings, from {caller}"
            hint = Span(answers.replace("{}", short_call(call.id)), "bold yellow")
            if width_of((Span(said), hint)) + 2 <= columns:
                lines.append((Span(said, "bold"), Span("  "), hint))
            else:
                lines += wrapped_lines(said, columns, "bold", hang=2)
                lines += wrapped_lines(f"  {hint.text}", columns, hint.style)
        else:
            said = f"{short_call(call.id)} can be joined, from {caller}"
            lines += wrapped_lines(said, columns, "dim", hang=2)
    return lines


def answers_at_prompt(status: Status) -> str:
    """What one types when a call rings."""
    ringing = sum(call.rings for call in status.pending_calls)
    return "accept with `accept`, or `reject`" if ringing == 1 else "accept with `accept {}`, or `reject {}`"


def _who(person: Participant, voice: VoiceLevel | None, selection: str) -> tuple[Cell, ...]:
    # An asterisk and not a dot or a bar: every terminal and font has it in one cell.
    name = name_cell(
        person.nickname,
        person.did,
        style="bold green" if person.talking else "bold" if selection.strip() else "",
        mark=f"{selection}{'*' if person.talking else ' '} ",
        keep=" (you)" if person.self else "",
    )
    unheard = person.self and person.muted and voice is not None and voice.voice
    return (
        name,
        Cell("" if person.self else link_of(person), LINK_STYLES[person.link]),
        Cell(f"{flags_of(person)}: you talk", "bold red") if unheard else Cell(flags_of(person), "yellow"),
    )


def _level(person: Participant, voice: VoiceLevel | None, glyphs: Glyphs) -> tuple[Cell, Cell]:
    """A bar with the peak of the last moments, and the figure."""
    if voice is None or person.link not in {LinkState.SELF, LinkState.CONNECTED}:
        return Cell(""), Cell("")
    level, peak = voice.level_dbov, voice.peak_dbov
    if level is None or peak is None or level <= SILENCE_DBOV:
        bars = [glyphs.bar(0.0, 0.0, cells) for cells in BAR_CELLS]
        return Cell(bars[0], "dim", short=bars[1]), Cell("silent" if level is not None else "", "dim")
    bars = [glyphs.bar(_height(level), _height(peak), cells) for cells in BAR_CELLS]
    style = "red" if peak >= TOO_LOUD_DBOV else "yellow" if peak >= LOUD_DBOV else "green"
    if person.muted or person.muted_here:
        style = "dim"  # nobody, or nobody here, hears it
    return Cell(bars[0], style, short=bars[1]), Cell(f"{level} dBov", "dim")


def _height(level_dbov: float) -> float:
    return 1.0 - level_dbov / LOWEST_DBOV


def _sound(
    person: Participant, peer: PeerStatistics | None, trend: Trend, glyphs: Glyphs
) -> tuple[Cell, ...]:
    connected = person.link is LinkState.CONNECTED
    grade = trend.grade if connected else None
    loudness = None if person.loudness is None else person.loudness.short_term_lufs
    lost, fixed, late, delay = _figures(None if peer is None else peer.inbound)
    losses = loss_line(trend.lost_share, TREND_CELLS, glyphs) if trend.lost_share else ""
    delays = delay_line(trend.delay_ms, TREND_CELLS, glyphs) if trend.lost_share else ""
    return (
        Cell("" if grade is None else grade, "" if grade is None else GRADE_STYLES[grade]),
        Cell(f"{person.gain_db:+g} dB" if person.gain_db else "", "yellow"),
        Cell(lufs_text(loudness)),
        Cell(lost, loss_style(trend.lost_share)),
        Cell(losses, loss_style(trend.lost_share)),
        Cell(fixed, "dim"),
        Cell(late, "dim"),
        Cell(delay, "dim"),
        Cell(delays, "dim"),
        Cell(_way(None if peer is None else peer.one_way), "dim"),
        Cell("contact" if person.in_contacts else "", "dim"),
    )


def _way(one_way: OneWay | None) -> str:
    """How long the network alone takes to here, where clocks tell it."""
    if one_way is None or one_way.incoming_ms is None:
        return ""
    return f"way {max(one_way.incoming_ms, 0.0):.0f} ms"


def _figures(inbound: Inbound | None) -> tuple[str, str, str, str]:
    if inbound is None:
        return ("", "", "", "")
    delay = "" if inbound.delay_ms is None else f"delay {inbound.delay_ms:.0f} ms"
    return (
        f"lost {inbound.packets_lost}",
        f"fixed {inbound.packets_recovered}",
        f"late {inbound.packets_discarded}",
        delay,
    )
