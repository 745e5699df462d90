"""Commands for figures."""

from typing import Annotated, Final

import typer

from blink_cli.commands.command import command
from blink_cli.commands.desk import Desk, expect
from blink_cli.commands.documents import reply_document
from blink_cli.core.replies import IceServerList, RtpStatistics
from blink_cli.core.requests import GetIceServers, GetRtpStatistics

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
    import asyncio  # noqa: PLC0415 - 40 ms that `--help` does not need

    async with desk.source.running() as session:
        while True:
            show(desk, expect(await session.ask(GetRtpStatistics()), RtpStatistics))
            if not watch:
                return
            await asyncio.sleep(EVERY_S)


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
    from blink_cli.commands.tables import device_lines, statistics_table  # noqa: PLC0415 - rich takes 80 ms

    desk.output.table(statistics_table(statistics))
    for line in device_lines(statistics):
        desk.output.line(line)
