"""`watch`: the call on the whole screen, what happened below it, until q or Ctrl-C."""

import asyncio
import os
import sys
from collections import deque
from datetime import UTC, datetime
from typing import Final

from prompt_toolkit.input import Input
from prompt_toolkit.output import Output

from blink_cli.commands.command_context import CommandContext
from blink_cli.commands.live_view import LiveView
from blink_cli.commands.show.glyphs import glyphs_for
from blink_cli.commands.show.screen import FullScreen
from blink_cli.commands.show.stopping_process import STOPPED
from blink_cli.commands.show.styled import Line, Room
from blink_cli.commands.watch_keys import WatchKeys
from blink_cli.commands.watch_pictures import WatchPictures
from blink_cli.commands.watch_screen import screen_of
from blink_cli.core.api.replies.status import Status
from blink_cli.core.api.session_port import SessionPort
from blink_cli.core.errors import UsageError
from blink_cli.runtime.tasks import TaskOwner

KEPT_SENTENCES: Final = 200
"""More than any screen shows."""


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
    glyphs = glyphs_for(os.environ)

    def tell(sentence: str, happened_at: datetime | None = None) -> None:
        moment = (happened_at or datetime.now(UTC)).astimezone()
        sentences.append(f"{moment:%H:%M:%S}  {sentence}")

    def drawn(room: Room) -> list[Line]:
        if view.status is None:
            return []
        above = pictures.lines(room)
        below = screen_of(
            view.status,
            view.readings,
            sentences,
            room._replace(rows=room.rows - len(above)),
            watching=keys.state,
            lasted_s=_lasted_s(view.status),
            glyphs=glyphs,
        )
        return [*above, *below]

    def redraw() -> None:
        screen.redraw()

    async with TaskOwner("watch") as tasks:
        view = LiveView(session, changed=redraw, tell=tell, with_mesh=True)
        pictures = WatchPictures(
            session,
            view,
            tasks,
            color=context.options.color,
            changed=redraw,
            covered=lambda: keys.state.helps,
        )
        keys = WatchKeys(session, view, tasks, tell=tell, changed=redraw, pictures=pictures.toggle)
        screen = FullScreen(
            drawn,
            color=context.options.color,
            takes_key=keys.press,
            draws_over=pictures.attach,
            stops_with_it=lambda: STOPPED if context.source.is_here and view.is_in_call else "",
            terminal_input=terminal_input,
            terminal_output=terminal_output,
        )
        tasks.start(view.refresh(), name="refresh")
        tasks.start(view.follow_levels(), name="levels")
        tasks.start(pictures.follow(), name="pictures")
        following = tasks.start(view.follow(), name="events")
        showing = tasks.start(screen.run(), name="screen")
        await asyncio.wait({showing, following}, return_when=asyncio.FIRST_COMPLETED)
    if not showing.cancelled():
        showing.result()
    elif following.done():
        context.output.message("the session has ended")


def _lasted_s(status: Status) -> float | None:
    """How long the session has been in its call, by the wall clock."""
    if status.call is None:
        return None
    return max((datetime.now(UTC) - datetime.fromisoformat(status.call.since)).total_seconds(), 0.0)
