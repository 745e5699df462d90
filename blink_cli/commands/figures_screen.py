"""`rtp-stats --watch` on a terminal: the figures on the whole screen, again every second; the last ones stay when it ends."""

import asyncio

from blink_cli.commands.command_context import CommandContext
from blink_cli.commands.impairment_text import impairment_lines
from blink_cli.commands.parsing import ExitWith
from blink_cli.commands.rtp_figures import EVERY_S, show
from blink_cli.commands.show.screen import FullScreen
from blink_cli.commands.show.styled import Line, Room, wrapped_lines
from blink_cli.commands.show.tables import device_lines
from blink_cli.commands.watch_screen import figure_lines
from blink_cli.core.api.replies.statistics import RtpStatistics
from blink_cli.core.api.requests import GetRtpStatistics
from blink_cli.core.api.session_port import SessionPort
from blink_cli.core.exit_codes import ExitCode
from blink_cli.core.identity.shown_name import printable
from blink_cli.runtime.tasks import TaskOwner


async def watch_figures(
    context: CommandContext, session: SessionPort, request: GetRtpStatistics, first: RtpStatistics
) -> None:
    """Show the figures until a key, or the end of the call. `first` is what the request was answered with first.

    Raises:
        BlinkError: The call, or the session, is over.
        ExitWith: Ctrl-C ended it, as it ends any command.

    """
    newest = first

    def drawn(room: Room) -> list[Line]:
        return figures_screen(newest, room)

    async def refresh() -> None:
        nonlocal newest
        while True:
            await asyncio.sleep(EVERY_S)
            newest = await session.ask(request)
            screen.redraw()

    screen = FullScreen(drawn, color=context.options.color)
    async with TaskOwner("figures", on_failure=_read_here) as tasks:
        refreshing = tasks.start(refresh(), name="refresh")
        showing = tasks.start(screen.run(), name="screen")
        await asyncio.wait({refreshing, showing}, return_when=asyncio.FIRST_COMPLETED)
    show(context, newest)
    if refreshing.done() and not refreshing.cancelled():
        refreshing.result()
    if not showing.cancelled() and showing.result():
        raise ExitWith(ExitCode.INTERRUPTED)


def figures_screen(statistics: RtpStatistics, where: Room) -> list[Line]:
    """Return the whole screen: what is impaired on purpose, everybody's figures, and the devices below them where they fit."""
    marks = [
        one
        for text in impairment_lines(statistics.impairment)
        for one in wrapped_lines(printable(text), where.columns, "bold red", hang=4)
    ][: where.rows // 2]
    room = Room(where.columns, where.rows - len(marks), where.scrolled)
    devices = [one for text in device_lines(statistics) for one in wrapped_lines(text, room.columns, hang=8)]
    everybody = figure_lines(statistics, room)
    below = devices if len(everybody) + len(devices) <= room.rows else []
    return [*marks, *everybody, *below]


def _read_here(name: str, failure: BaseException) -> None:
    """Whoever waits for the task reads its failure."""
