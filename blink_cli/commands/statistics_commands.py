"""Commands for figures."""

import sys
from collections.abc import Callable
from typing import Annotated

import typer

from blink_cli.commands.command import command
from blink_cli.commands.command_context import CommandContext
from blink_cli.commands.documents import reply_document
from blink_cli.commands.rtp_figures import EVERY_S, show
from blink_cli.core.api.replies import IceServerList, RtpStatistics
from blink_cli.core.api.requests import GetIceServers, GetRtpStatistics
from blink_cli.core.api.session_port import SessionPort


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    command(app, "rtp-stats", prints=RtpStatistics)(rtp_stats)
    command(app, "ice-servers", prints=IceServerList)(ice_servers)


async def rtp_stats(
    context: CommandContext,
    *,
    watch: Annotated[
        bool, typer.Option("--watch", help="Again every second, until Ctrl-C or the end of the call.")
    ] = False,
) -> None:
    """Show the figures of the current call, per peer, both directions.

    Columns: rtt: round trip. recv, lost, late: packets received, lost on the way, too late to be played. fixed: packets recovered by FEC or redundancy. conceal: share of the sound that was made up. jitter: RFC 3550. delay: from arrival to the speaker, now. mos: estimated quality, 1 to 4.5. sent: packets sent. far lost: share that the peer reports as lost. red: redundant copies in each packet.
    """
    async with context.source.running() as session:
        first = await session.ask(GetRtpStatistics())
        if not watch:
            show(context, first)
        elif context.output.json or not sys.stdout.isatty():
            from blink_cli.commands.unread_output import ends_unread  # noqa: PLC0415 - asyncio: `--help` needs none

            async with ends_unread():
                await _repeat(session, first, lambda statistics: show(context, statistics))
        else:
            from blink_cli.commands.figures_screen import watch_figures  # noqa: PLC0415 - prompt_toolkit takes 200 ms

            await watch_figures(context, session, first)


async def _repeat(
    session: SessionPort, statistics: RtpStatistics, present: Callable[[RtpStatistics], None]
) -> None:
    import asyncio  # noqa: PLC0415 - 40 ms that `--help` does not need

    while True:
        present(statistics)
        await asyncio.sleep(EVERY_S)
        statistics = await session.ask(GetRtpStatistics())


async def ice_servers(context: CommandContext) -> None:
    """List the configured STUN and TURN servers: which are alive, and which calls use."""
    reply = await context.ask(GetIceServers())
    if context.output.json:
        context.output.document(reply_document(reply))
        return
    if not reply.servers:
        context.output.message("No STUN or TURN servers are configured; none are needed on one network.")
        return
    from blink_cli.commands.show.tables import ice_servers_table  # noqa: PLC0415 - 20 ms, for people only

    context.output.table(ice_servers_table(reply))
    if reply.transport == "relay":
        context.output.message("Audio goes through a TURN server only.")
