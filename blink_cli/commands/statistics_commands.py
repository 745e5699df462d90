"""Commands for figures."""

import sys
from collections.abc import Callable
from typing import Annotated

import typer

from blink_cli.api.documents import reply_document
from blink_cli.commands.command import command
from blink_cli.commands.command_context import CommandContext
from blink_cli.commands.rtp_figures import EVERY_S, show
from blink_cli.core.api.replies.calls import Mesh
from blink_cli.core.api.replies.network import IceServerList
from blink_cli.core.api.replies.statistics import RtpStatistics, StatisticsReset
from blink_cli.core.api.requests import GetIceServers, GetMesh, GetRtpStatistics, ResetStatistics
from blink_cli.core.api.session_port import SessionPort


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    command(app, "rtp-stats", loop_for=("watch",), prints=RtpStatistics)(rtp_stats)
    command(app, "mesh", loop_for=(), prints=Mesh)(mesh)
    stats = typer.Typer(name="stats", help="What is counted of the current call.", rich_markup_mode=None)
    command(stats, "reset", loop_for=(), prints=StatisticsReset)(reset)
    app.add_typer(stats)
    command(app, "ice-servers", loop_for=(), prints=IceServerList)(ice_servers)


async def rtp_stats(
    context: CommandContext,
    *,
    watch: Annotated[
        bool, typer.Option("--watch", help="Again every second, until Ctrl-C or the end of the call.")
    ] = False,
    total: Annotated[
        bool,
        typer.Option(
            "--total", help="From the beginning of the call, whatever `stats reset` has set to zero."
        ),
    ] = False,
) -> None:
    """Show the figures of the current call, per peer, both directions.

    Columns: rtt: round trip. way in, way out: each direction alone, where clocks tell it (--json says how, and why not). recv, lost, late: packets received, lost on the way, too late to be played. fixed: packets recovered by FEC or redundancy. conceal: share of the sound that was made up. jitter: RFC 3550. delay: from arrival to the speaker, now. mos: estimated quality, 1 to 4.5. sent: packets sent. far lost: share that the peer reports as lost. red: redundant copies in each packet.
    """
    async with context.source.running() as session:
        request = GetRtpStatistics(total=total)
        first = await session.ask(request)
        if not watch:
            show(context, first)
        elif context.output.json or not sys.stdout.isatty():
            from blink_cli.commands.unread_output import ends_unread  # noqa: PLC0415 - asyncio: `--help` needs none

            async with ends_unread():
                await _repeat(session, request, first, lambda statistics: show(context, statistics))
        else:
            from blink_cli.commands.figures_screen import watch_figures  # noqa: PLC0415 - prompt_toolkit takes 200 ms

            await watch_figures(context, session, request, first)


async def _repeat(
    session: SessionPort,
    request: GetRtpStatistics,
    statistics: RtpStatistics,
    present: Callable[[RtpStatistics], None],
) -> None:
    import asyncio  # noqa: PLC0415 - 40 ms that `--help` does not need

    while True:
        present(statistics)
        await asyncio.sleep(EVERY_S)
        statistics = await session.ask(request)


async def reset(context: CommandContext) -> None:
    """Count the figures of the current call from now on: of `rtp-stats`, `watch` and the panel.

    For example `blink stats reset`, then what is to be measured, then `blink rtp-stats --json`. The totals stay: `blink rtp-stats --total`. What peers are told,
    RTP logs and events of quality know of no reset.
    """
    reply = await context.ask(ResetStatistics())
    context.report(reply, "counted from now on")


async def mesh(context: CommandContext) -> None:
    """Show who of the call has a link to whom, by each one's own word.

    A row is who hears, a column whom: ok, or the share of packets lost on the way in the last seconds; ... connects; lost; blank: nothing is known.
    """
    reply = await context.ask(GetMesh())
    if context.output.json:
        context.output.document(reply_document(reply))
        return
    from blink_cli.commands.show.mesh_table import mesh_table  # noqa: PLC0415 - 20 ms, for people only

    context.output.table(mesh_table(reply))


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
