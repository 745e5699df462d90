"""The live panel: who is in the call, who is talking, and how it sounds. Pure: a snapshot in, lines out.

in call c0ffee00  3 of 3 present  muted
* alice (you)
  bob          connected         -23.4 LUFS  lost 3  late 1  delay 61 ms
  carol        absent     muted
"""

from typing import Final

from blink_cli.commands.codec_words import codec_text
from blink_cli.commands.impairment_text import impairment_texts
from blink_cli.commands.names_shown import caller_text, flags_of, link_of, lufs_text, short_call
from blink_cli.commands.processing_text import MUTING, not_running, processing_in_short
from blink_cli.commands.show.layout import Cell, Column, Table, no_more_than, one_line_each, rows_that_fit
from blink_cli.commands.show.styled import Line, Span, flowed, wrapped_lines
from blink_cli.commands.show.tables import LINK_STYLES, name_cell
from blink_cli.core.api.events import LinkState
from blink_cli.core.api.replies import (
    CurrentCall,
    Inbound,
    OneWay,
    Participant,
    PeerStatistics,
    RtpStatistics,
    Status,
)
from blink_cli.core.identity.shown_name import printable, shown_name

MAX_ROWS: Final = 12
"""A call of more than that would push the prompt, and what is told above it, off a terminal of 24 rows."""

LEAST_ROWS: Final = 2
"""The heading, and who is not shown."""

LIMITED_SHOWN_DB: Final = 1.0
"""Less is not heard."""

_COLUMNS: Final = (
    Column("who", "name"),
    Column("link", rank=1),
    Column("state", rank=2),
    Column("gain", right=True, rank=6),
    Column("loudness", right=True, rank=7),
    Column("lost", right=True, rank=4),
    Column("late", right=True, rank=5),
    Column("delay", right=True, rank=3),
    Column("way", right=True, rank=9),
    Column("contact", rank=8),
)


def panel(
    status: Status, statistics: RtpStatistics | None, columns: int, rows: int = MAX_ROWS + 4
) -> list[Line]:
    """Return what stands above the prompt.

    Args:
        status: The session's newest snapshot.
        statistics: The newest figures of its call, if it is in one.
        columns: Width of the terminal.
        rows: Most lines; who does not fit is named in one of them.

    """
    heading = heading_lines(status, columns)
    pending = pending_lines(status, columns)
    if status.call is None:
        return no_more_than(rows, [*heading, *pending], columns)
    room = max(rows - len(heading) - len(pending), LEAST_ROWS)
    people = participant_lines(status.call, statistics, columns, min(room, MAX_ROWS + 1))
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
    if status.mix is not None and status.mix.limited_now_db >= LIMITED_SHOWN_DB:
        parts.append(
            Span(f"turned down by {status.mix.limited_now_db:.0f} dB: all together too loud", "yellow")
        )
    if status.machine is not None and status.machine.reason is not None:
        parts.append(Span("this machine is too slow", "bold red"))
    return flowed(parts, columns)


def participant_lines(
    call: CurrentCall, statistics: RtpStatistics | None, columns: int, rows: int, scrolled: int = 0
) -> list[Line]:
    """One line for each participant from the one that is `scrolled` to; who does not fit is named in the last."""
    figures = {}
    if statistics is not None and statistics.call == call.id:
        figures = {peer.did: peer for peer in statistics.peers}
    people = call.participants[scrolled:]
    table = Table(_COLUMNS, tuple(_row(person, figures.get(person.did)) for person in people), headed=False)
    names = [shown_name(person.nickname, person.did) for person in people]
    return rows_that_fit(one_line_each(table, columns), names, rows, columns)


def pending_lines(status: Status, columns: int) -> list[Line]:
    """Calls that ring, or can be joined."""
    lines = []
    for call in status.pending_calls[:MAX_ROWS]:
        caller = caller_text(call.caller)
        verb = "rings, from" if call.rings else "can be joined, from"
        look = "bold" if call.rings else "dim"
        lines += wrapped_lines(f"{short_call(call.id)} {verb} {caller}", columns, look, hang=2)
    return lines


def _row(person: Participant, peer: PeerStatistics | None) -> tuple[Cell, ...]:
    # An asterisk and not a dot or a bar: every terminal and font has it in one cell.
    name = name_cell(
        person.nickname,
        person.did,
        style="bold green" if person.talking else "",
        mark="* " if person.talking else "  ",
        keep=" (you)" if person.self else "",
    )
    return (
        name,
        Cell("" if person.self else link_of(person), LINK_STYLES[person.link]),
        Cell(flags_of(person), "yellow"),
        Cell(f"{person.gain_db:+g} dB" if person.gain_db else "", "yellow"),
        Cell(lufs_text(None if person.loudness is None else person.loudness.short_term_lufs)),
        *(Cell(text, "dim") for text in _figures(None if peer is None else peer.inbound)),
        Cell(_way(None if peer is None else peer.one_way), "dim"),
        Cell("contact" if person.in_contacts else "", "dim"),
    )


def _way(one_way: OneWay | None) -> str:
    """How long the network alone takes to here, where clocks tell it."""
    if one_way is None or one_way.incoming_ms is None:
        return ""
    return f"way {max(one_way.incoming_ms, 0.0):.0f} ms"


def _figures(inbound: Inbound | None) -> tuple[str, str, str]:
    if inbound is None:
        return ("", "", "")
    delay = "" if inbound.delay_ms is None else f"delay {inbound.delay_ms:.0f} ms"
    return (f"lost {inbound.packets_lost}", f"late {inbound.packets_discarded}", delay)
