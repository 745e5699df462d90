"""Commands for peers and calls."""

from typing import Annotated, Final

import typer

from blink_cli.commands.command import command
from blink_cli.commands.desk import Desk
from blink_cli.commands.documents import reply_document
from blink_cli.commands.hold import Hold
from blink_cli.commands.names_shown import short_call
from blink_cli.commands.shell_completion import complete_call, complete_peer
from blink_cli.core.errors import UsageError
from blink_cli.core.replies import CallAccepted, Calls, Done, OfferPlaced, Participants, Peers
from blink_cli.core.requests import (
    AcceptCall,
    GetCalls,
    GetParticipants,
    GetPeers,
    LeaveCall,
    PlaceOffer,
    RejectCall,
)
from blink_cli.core.session_options import SessionOptions

FOREVER_S: Final = 1e9
"""Thirty years: a session of its own that was told to accept has nothing else to do."""

HoldOption = Annotated[
    float | None,
    typer.Option("--hold", min=0, metavar="S", help="Leave after S seconds.", show_default=False),
]
UntilOption = Annotated[
    str | None,
    typer.Option("--until", metavar="left", help="Stay until the call is over.", show_default=False),
]
CallArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="[CALL]", help="Its id or a prefix; left out where one fits.", autocompletion=complete_call
    ),
]


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    command(app, "peers")(peers)
    command(app, "offer", hosts=True)(offer)
    command(app, "accept", hosts=True)(accept)
    command(app, "reject")(reject)
    command(app, "leave")(leave)
    command(app, "calls")(calls)
    command(app, "participants")(participants)


async def peers(desk: Desk) -> None:
    """List the peers seen on the network."""
    reply = await desk.ask(GetPeers(), Peers)
    if desk.output.json:
        desk.output.document(reply_document(reply))
        return
    if not reply.peers:
        desk.output.message("nobody seen yet")
        return
    from blink_cli.commands.tables import peers_table  # noqa: PLC0415 - rich takes 80 ms

    desk.output.table(peers_table(reply))


async def offer(
    desk: Desk,
    session_options: SessionOptions,
    *,
    peer: Annotated[
        list[str],
        typer.Argument(
            metavar="PEER...",
            help="Nicknames, DIDs, or prefixes that fit one only.",
            autocompletion=complete_peer,
        ),
    ],
    wait: Annotated[
        float | None,
        typer.Option(
            "--wait",
            min=0,
            metavar="S",
            help="Return when the first one's audio is connected; fail after S seconds.",
        ),
    ] = None,
    hold: HoldOption = None,
    until: UntilOption = None,
) -> None:
    """Call one or more peers, and print the call's id.

    Without a running session it runs its own in the foreground, until the call is over or as long as --hold says.
    """
    from blink_cli.commands.holding import hold_call  # noqa: PLC0415 - asyncio: `--help` needs none

    holding = _hold(hold, until)
    async with desk.source.running_or_own(session_options) as (session, own):
        request = PlaceOffer(peers=tuple(peer), wait_s=wait)
        await hold_call(desk, session, request, OfferPlaced, holding or (Hold(None) if own else None))


async def accept(
    desk: Desk,
    session_options: SessionOptions,
    *,
    call: CallArgument = None,
    wait: Annotated[
        float | None,
        typer.Option(
            "--wait",
            min=0,
            metavar="S",
            help="Wait up to S seconds for an offer, and until audio is connected.",
        ),
    ] = None,
    hold: HoldOption = None,
    until: UntilOption = None,
) -> None:
    """Join a pending call, and print its id.

    Without a running session it runs its own in the foreground and waits for a call, for ever if --wait is left out.
    """
    from blink_cli.commands.holding import hold_call  # noqa: PLC0415 - asyncio: `--help` needs none

    holding = _hold(hold, until)
    async with desk.source.running_or_own(session_options) as (session, own):
        if own and wait is None:
            wait = FOREVER_S
            desk.output.message("waiting for a call")
        request = AcceptCall(call=call, wait_s=wait)
        await hold_call(desk, session, request, CallAccepted, holding or (Hold(None) if own else None))


async def reject(desk: Desk, call: CallArgument = None) -> None:
    """Decline a pending call; it stays listed while it goes on, and can be accepted later."""
    desk.report(await desk.ask(RejectCall(call=call), Done), "rejected")


async def leave(desk: Desk) -> None:
    """Leave the current call."""
    desk.report(await desk.ask(LeaveCall(), Done), "left")


async def calls(desk: Desk) -> None:
    """List the current call and those that can be joined."""
    reply = await desk.ask(GetCalls(), Calls)
    if desk.output.json:
        desk.output.document(reply_document(reply))
        return
    if reply.call is not None:
        desk.output.line(
            f"in call {short_call(reply.call.id)}, {reply.call.state.replace('_', ' ')}, since {reply.call.since}"
        )
    if reply.pending_calls:
        from blink_cli.commands.tables import pending_table  # noqa: PLC0415 - rich takes 80 ms

        desk.output.table(pending_table(reply.pending_calls))
    if reply.call is None and not reply.pending_calls:
        desk.output.message("no calls")


async def participants(desk: Desk) -> None:
    """List who is in, or invited to, the current call."""
    reply = await desk.ask(GetParticipants(), Participants)
    if desk.output.json:
        desk.output.document(reply_document(reply))
        return
    from blink_cli.commands.tables import participants_table  # noqa: PLC0415 - rich takes 80 ms

    desk.output.table(participants_table(reply))


def _hold(hold_s: float | None, until: str | None) -> Hold | None:
    if until is not None and until != "left":
        raise UsageError(
            f"--until {until}: only `left` is known.", hint="--until left stays until the call is over"
        )
    if hold_s is not None and until is not None:
        raise UsageError("--hold and --until say different things.", hint="give one of them")
    if hold_s is None and until is None:
        return None
    return Hold(hold_s)
