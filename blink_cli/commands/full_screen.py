"""`watch`: the call on the whole screen, what happened below it, until q or Ctrl-C.

alice  did:key:z6Mk…                                  who this is
in call c0ffee00  6 of 6 there                        the panel: who is there
* bob   connected  lost 3  late 0  delay 61 ms
  …
peer    rtt     recv  lost …                          the figures, in the same order
12:00:01  bob joined                                  what happened, the newest last
q quit
"""

import asyncio
import sys
from collections import deque
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from prompt_toolkit.input import Input
from prompt_toolkit.output import Output

from blink_cli.commands.command_context import CommandContext
from blink_cli.commands.live_view import LiveView
from blink_cli.commands.show.cells import cells, cut
from blink_cli.commands.show.layout import fitted, no_more_than, rows_that_fit, unfolded
from blink_cli.commands.show.panel import heading_lines, participant_lines, pending_lines
from blink_cli.commands.show.screen import FullScreen
from blink_cli.commands.show.styled import Line, Room, line, wrapped_lines
from blink_cli.commands.show.tables import statistics_table
from blink_cli.core.api.replies import RtpStatistics, Status
from blink_cli.core.api.session_port import SessionPort
from blink_cli.core.errors import UsageError
from blink_cli.core.identity.shown_name import printable, short_did, shown_name
from blink_cli.runtime.tasks import TaskOwner

KEPT_SENTENCES: Final = 200
"""More than any screen shows."""

LEAST_FIGURES: Final = 3
"""Rows below which figures are left out: their heading, one peer, and who is not shown."""

LEAST_EVENTS: Final = 3
"""Rows that what happened gets before there is space between the parts."""

SHARE_OF_EVENTS: Final = 10
"""Rows of what happened, before figures take more than one row for each peer."""


async def watch_session(
    context: CommandContext,
    session: SessionPort,
    *,
    terminal_input: Input | None = None,
    terminal_output: Output | None = None,
) -> None:
    """Show a session until the user or the session ends it.

    Raises:
        UsageError: stdout is no terminal.

    """
    if terminal_output is None and not sys.stdout.isatty():
        raise UsageError(
            "`watch` needs a terminal.",
            hint="`blink events --follow --json` and `blink rtp-stats --watch --json` are for pipes.",
        )
    sentences: deque[str] = deque(maxlen=KEPT_SENTENCES)

    def tell(sentence: str) -> None:
        sentences.append(f"{datetime.now().astimezone():%H:%M:%S}  {sentence}")

    def drawn(room: Room) -> list[Line]:
        return [] if view.status is None else screen_of(view.status, view.statistics, sentences, room)

    screen = FullScreen(
        drawn, color=context.options.color, terminal_input=terminal_input, terminal_output=terminal_output
    )
    view = LiveView(session, changed=screen.redraw, tell=tell)
    async with TaskOwner("watch") as tasks:
        tasks.start(view.refresh(), name="refresh")
        following = tasks.start(view.follow(), name="events")
        showing = tasks.start(screen.run(), name="screen")
        await asyncio.wait({showing, following}, return_when=asyncio.FIRST_COMPLETED)
    if not showing.cancelled():
        showing.result()
    elif following.done():
        context.output.message("the session has ended")


def screen_of(
    status: Status, statistics: RtpStatistics | None, sentences: Iterable[str], where: Room
) -> list[Line]:
    """Return the whole screen: who is there, the figures, and as many of the newest sentences as fit.

    Args:
        status: The newest snapshot.
        statistics: The newest figures.
        sentences: What happened, the oldest first.
        where: The terminal; no more lines than it has rows are returned.

    """
    columns, rows, scrolled = where
    keys = "q quits  up, down scroll"
    lines = [*heading_lines(status, columns), *pending_lines(status, columns)]
    if rows < 2 + len(lines):
        return no_more_than(rows, lines, columns)
    room = rows - len(lines) - 1
    people: list[Line] = []
    figures: list[Line] = []
    if status.call is not None:
        scrolled = min(scrolled, max(len(status.call.participants) - 1, 0))
        people = participant_lines(status.call, statistics, columns, room, scrolled)
        room -= len(people)
        keys = f"{scrolled} above  {keys}" if scrolled else keys
        if statistics is not None and statistics.peers and room >= LEAST_FIGURES:
            # One row for each peer, and the heading, in any case; more only where what happened has its share too.
            least = len(statistics.peers) + 1 + (room > len(statistics.peers) + 2 + LEAST_EVENTS)
            share = max(min(room, least), room - SHARE_OF_EVENTS)
            figures = figure_lines(statistics, Room(columns, share, max(scrolled - 1, 0)))
            room -= len(figures)
        elif statistics is not None and statistics.peers:
            keys = f"no room for figures  {keys}"
    title: list[Line] = [_title(status, columns)] if room > 0 else []
    room -= len(title)
    gaps = [line("")] if room > LEAST_EVENTS + 1 else []
    room -= len(gaps) * (1 + bool(figures))
    told = [
        one
        for sentence in list(sentences)[-max(room, 1) :]
        for one in wrapped_lines(sentence, columns, hang=10)
    ]
    newest = told[-room:] if room > 0 else []
    middle = [*gaps, *figures] if figures else []
    filled = [line("")] * (room - len(newest))
    last = line(cut(keys, columns), "dim")
    return [*title, *lines, *people, *middle, *gaps, *newest, *filled, last]


def figure_lines(statistics: RtpStatistics, where: Room) -> list[Line]:
    """Return the figures of everybody: all of them where there is room, else the ones that matter most."""
    peers = statistics.peers[min(where.scrolled, max(len(statistics.peers) - 1, 0)) :]
    names = [shown_name(peer.nickname, peer.did) for peer in peers]
    table = statistics_table(peers)
    if len(everything := unfolded(table, where.columns)) <= where.rows:
        return everything
    laid = fitted(table, where.columns)
    lines = rows_that_fit(laid, names, where.rows, where.columns)
    if laid.dropped and len(lines) < where.rows:
        lines.append(line(cut(f"not shown: {', '.join(laid.dropped)}", where.columns), "dim"))
    return lines


def _title(status: Status, columns: int) -> Line:
    for did in (status.did, short_did(status.did)):
        text = f"{printable(status.nickname)}  {did}"
        if cells(text) <= columns:
            return line(text, "bold")
    return line(cut(printable(status.nickname), columns), "bold")
