"""The live panel: who is in the call, who talks, and how it sounds. Pure: a snapshot in, something to render out.

in call c0ffee00  3 people                                      muted
* alice (you)
bob          connected           lost 3  late 1  jitter 1 ms  delay 61 ms
carol        absent    muted
"""

import io
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from blink_cli.commands.names_shown import flags_of, short_call, shown_name
from blink_cli.commands.tables import LINK_STYLES
from blink_cli.core.events import LinkState
from blink_cli.core.replies import CurrentCall, Inbound, Participant, RtpStatistics, Status

NARROW_COLUMNS: Final = 60
"""Below this the figures go, and who is in the call and who talks stays."""

MAX_ROWS: Final = 12
"""A call of more than that would push the prompt off a small terminal."""


def panel(status: Status, statistics: RtpStatistics | None, columns: int) -> RenderableType:
    """Return what stands above the prompt.

    Args:
        status: The session's newest snapshot.
        statistics: The newest figures of its call, if it is in one.
        columns: Width of the terminal.

    """
    lines: list[RenderableType] = [_heading(status)]
    if status.call is not None:
        lines.append(_participants(status.call, statistics, columns))
    lines.extend(_pending(status))
    return Group(*lines)


def to_ansi(renderable: RenderableType, columns: int, *, color: bool) -> str:
    """Return the lines as a terminal shows them, without the last newline; without escape sequences when `color` is False."""
    target = io.StringIO()
    console = Console(
        file=target,
        width=max(columns, 10),
        force_terminal=color,
        no_color=not color,
        color_system="standard" if color else None,
        highlight=False,
        emoji=False,
        markup=False,
        legacy_windows=False,
    )
    console.print(renderable)
    return "\n".join(line.rstrip() for line in target.getvalue().rstrip("\n").split("\n"))


def _heading(status: Status) -> Text:
    text = Text(overflow="crop", no_wrap=True)
    if status.call is None:
        text.append("not in a call", style="dim")
    else:
        there = sum(p.link in {LinkState.SELF, LinkState.CONNECTED} for p in status.call.participants)
        text.append(status.call.state.replace("_", " "), style="bold green" if there > 1 else "bold yellow")
        text.append(f" {short_call(status.call.id)}  {there} of {len(status.call.participants)} there")
    if status.muted:
        text.append("  muted", style="bold yellow")
    if status.deafened:
        text.append("  deafened", style="bold yellow")
    if status.call is not None and any(p.recording for p in status.call.participants):
        text.append("  recording", style="bold red")
    return text


def _participants(call: CurrentCall, statistics: RtpStatistics | None, columns: int) -> RenderableType:
    shown = call.participants[:MAX_ROWS]
    hidden = len(call.participants) - len(shown)
    more = [Text(f"  and {hidden} more")] if hidden else []
    if columns < NARROW_COLUMNS:
        # A table would shrink all its columns, the mark among them.
        return Group(*(_narrow_row(participant) for participant in shown), *more)
    table = Table.grid(padding=(0, 1))
    table.add_column(width=1)
    table.add_column(no_wrap=True, overflow="crop", max_width=24)
    table.add_column(no_wrap=True, overflow="crop")
    table.add_column(no_wrap=True, overflow="crop")
    table.add_column(no_wrap=True, overflow="crop", style="dim")
    figures = {}
    if statistics is not None and statistics.call == call.id:
        figures = {peer.did: peer.inbound for peer in statistics.peers}
    for participant in shown:
        table.add_row(*_row(participant), _figures(figures.get(participant.did)))
    return Group(table, *more)


def _narrow_row(participant: Participant) -> Text:
    mark, name, link, state = _row(participant)
    words = [word for word in (name, link, state) if word.plain]
    return Text.assemble(
        mark if mark.plain else " ", " ", Text(" ").join(words), no_wrap=True, overflow="crop"
    )


def _row(participant: Participant) -> tuple[Text, Text, Text, Text]:
    # An asterisk and not a dot or a bar: every terminal and font has it in one column.
    mark = Text("*" if participant.talking else "", style="bold green")
    name = Text(
        shown_name(participant.nickname, participant.did) + (" (you)" if participant.self else ""),
        style="bold" if participant.talking else "",
    )
    link = Text("" if participant.self else participant.link, style=LINK_STYLES[participant.link])
    gain = f"{participant.gain_db:+g} dB" if participant.gain_db else ""
    return mark, name, link, Text(" ".join(filter(None, (flags_of(participant), gain))), style="yellow")


def _figures(inbound: Inbound | None) -> str:
    if inbound is None:
        return ""
    delay = "" if inbound.delay_ms is None else f"  delay {inbound.delay_ms:.0f} ms"
    return f"lost {inbound.packets_lost}  late {inbound.packets_discarded}{delay}"


def _pending(status: Status) -> list[Text]:
    lines = []
    for call in status.pending_calls[:MAX_ROWS]:
        caller = shown_name(call.caller.nickname, call.caller.did)
        verb = "rings, from" if call.rings else "can be joined, from"
        lines.append(
            Text(
                f"{short_call(call.id)} {verb} {caller}",
                style="bold" if call.rings else "dim",
                overflow="crop",
                no_wrap=True,
            )
        )
    return lines
