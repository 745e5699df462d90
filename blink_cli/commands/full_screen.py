"""`watch`: the call on the whole screen, what happened below it, until q or Ctrl-C."""

import asyncio
import shutil
import sys
from collections import deque
from datetime import datetime
from typing import Any, Final

from prompt_toolkit.application import Application
from prompt_toolkit.formatted_text import ANSI
from prompt_toolkit.input import Input
from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.layout import Layout
from prompt_toolkit.layout.containers import Window
from prompt_toolkit.layout.controls import FormattedTextControl
from prompt_toolkit.output import Output
from rich.console import Group, RenderableType
from rich.text import Text

from blink_cli.commands.desk import Desk
from blink_cli.commands.live_view import LiveView
from blink_cli.commands.panel import panel, to_ansi
from blink_cli.commands.tables import statistics_table
from blink_cli.core.errors import UsageError
from blink_cli.core.replies import RtpStatistics, Status
from blink_cli.core.session_port import SessionPort
from blink_cli.net.tasks import TaskOwner

KEPT_SENTENCES: Final = 200
"""More than any screen shows."""


async def watch_session(
    desk: Desk,
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
            hint="`events --follow --json` and `rtp-stats --watch --json` are for pipes",
        )
    sentences: deque[str] = deque(maxlen=KEPT_SENTENCES)

    def tell(sentence: str) -> None:
        sentences.append(f"{datetime.now().astimezone():%H:%M:%S}  {sentence}")

    def redraw() -> None:
        application.invalidate()

    def drawn() -> ANSI:
        size = shutil.get_terminal_size()
        if view.status is None:
            return ANSI("")
        screen = screen_of(view.status, view.statistics, list(sentences), size.columns, size.lines)
        return ANSI(to_ansi(screen, size.columns, color=desk.options.color))

    keys = KeyBindings()

    @keys.add("q")
    @keys.add("c-c")
    @keys.add("c-d")
    def _(event: Any) -> None:
        event.app.exit()

    application: Application[None] = Application(
        layout=Layout(Window(FormattedTextControl(drawn), always_hide_cursor=True)),
        key_bindings=keys,
        full_screen=True,
        input=terminal_input,
        output=terminal_output,
    )
    view = LiveView(session, changed=redraw, tell=tell)
    async with TaskOwner("watch") as tasks:
        tasks.start(view.refresh(), name="refresh")
        following = tasks.start(view.follow(), name="events")
        showing = tasks.start(application.run_async(), name="screen")
        await asyncio.wait({showing, following}, return_when=asyncio.FIRST_COMPLETED)
    if not showing.cancelled():
        showing.result()
    elif following.done():
        desk.output.message("the session has ended")


def screen_of(
    status: Status, statistics: RtpStatistics | None, sentences: list[str], columns: int, rows: int
) -> RenderableType:
    """Return the whole screen: the panel, the figures, and as many of the newest sentences as fit."""
    top = panel(status, statistics, columns)
    above: list[RenderableType] = [
        Text(f"{status.nickname}  {status.did}", style="bold", overflow="crop", no_wrap=True),
        top,
    ]
    if statistics is not None and statistics.peers:
        above.extend((Text(""), statistics_table(statistics)))
    above.append(Text(""))
    taken = len(to_ansi(Group(*above), columns, color=False).split("\n")) + 2
    room = max(rows - taken, 0)
    below = [
        Text(sentence, overflow="crop", no_wrap=True) for sentence in (sentences[-room:] if room else [])
    ]
    return Group(*above, *below, Text("q ends this view", style="dim"))
