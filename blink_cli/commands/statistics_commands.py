"""Commands for figures."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Final

import typer

from blink_cli.commands.command import command
from blink_cli.commands.desk import Desk, expect
from blink_cli.commands.documents import reply_document
from blink_cli.commands.session_sources import ProfileSource
from blink_cli.core.replies import IceServerList, RtpStatistics
from blink_cli.core.requests import GetIceServers, GetRtpStatistics
from blink_cli.core.session_port import SessionPort

if TYPE_CHECKING:
    from rich.console import RenderableType

EVERY_S: Final = 1.0
"""Between two looks: figures over the last second mean something, and a person can read them."""


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    command(app, "rtp-stats")(rtp_stats)
    command(app, "ice-servers")(ice_servers)


async def rtp_stats(
    desk: Desk,
    *,
    watch: Annotated[
        bool, typer.Option("--watch", help="Again every second, until Ctrl-C or the end of the call.")
    ] = False,
) -> None:
    """Show the figures of the current call, per peer, both directions."""
    async with desk.source.running() as session:
        first = expect(await session.ask(GetRtpStatistics()), RtpStatistics)
        if not watch:
            show(desk, first)
        elif desk.output.json or not redraws(desk):
            await _repeat(session, first, lambda statistics: show(desk, statistics))
        else:
            from blink_cli.commands.redrawing import Redrawing  # noqa: PLC0415 - rich takes 80 ms

            with Redrawing(desk.output.console()) as screen:
                await _repeat(session, first, lambda statistics: screen.draw(picture(statistics)))


async def _repeat(
    session: SessionPort, statistics: RtpStatistics, present: Callable[[RtpStatistics], None]
) -> None:
    import asyncio  # noqa: PLC0415 - 40 ms that `--help` does not need

    while True:
        present(statistics)
        await asyncio.sleep(EVERY_S)
        statistics = expect(await session.ask(GetRtpStatistics()), RtpStatistics)


def redraws(desk: Desk) -> bool:
    """Whether a table can be drawn in its own place: on a terminal, where no prompt owns the lines below it."""
    return sys.stdout.isatty() and isinstance(desk.source, ProfileSource)


async def ice_servers(desk: Desk) -> None:
    """List the configured STUN and TURN servers: which are alive, and which calls use."""
    reply = await desk.ask(GetIceServers(), IceServerList)
    if desk.output.json:
        desk.output.document(reply_document(reply))
        return
    if not reply.servers:
        desk.output.message("No STUN or TURN servers are configured; none are needed on one network.")
        return
    from blink_cli.commands.tables import ice_servers_table  # noqa: PLC0415 - rich takes 80 ms

    desk.output.table(ice_servers_table(reply))
    if reply.transport == "relay":
        desk.output.message("Audio goes through a TURN server only.")


def show(desk: Desk, statistics: RtpStatistics) -> None:
    """Print the figures."""
    if desk.output.json:
        desk.output.document(reply_document(statistics))
        return
    desk.output.table(picture(statistics))


def picture(statistics: RtpStatistics) -> "RenderableType":
    """Return the figures as rich renders them: one row a peer, one line a device."""
    from rich.console import Group  # noqa: PLC0415 - rich takes 80 ms
    from rich.text import Text  # noqa: PLC0415 - as above

    from blink_cli.commands.tables import device_lines, statistics_table  # noqa: PLC0415 - as above

    return Group(statistics_table(statistics), *(Text(line) for line in device_lines(statistics)))
