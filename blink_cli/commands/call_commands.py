"""Commands for peers and calls."""

from typing import Annotated, Final

import typer

from blink_cli.api.documents import reply_document
from blink_cli.commands.command import command
from blink_cli.commands.command_context import CommandContext
from blink_cli.commands.hold import Hold
from blink_cli.commands.names_shown import other_version, short_call
from blink_cli.commands.shell_completion import complete_call, complete_peer
from blink_cli.core.api.replies.calls import CallAccepted, Calls, OfferPlaced, Participants
from blink_cli.core.api.replies.document import Done
from blink_cli.core.api.replies.echo import EchoVerdict
from blink_cli.core.api.replies.peers import Peer
from blink_cli.core.api.requests import (
    AcceptCall,
    GetCalls,
    GetParticipants,
    GetPeers,
    LeaveCall,
    PlaceOffer,
    RejectCall,
)
from blink_cli.core.api.session_options import SessionOptions
from blink_cli.core.call.room_policy import Via
from blink_cli.core.errors import UsageError
from blink_cli.core.identity.shown_name import shown_name
from blink_cli.core.text.clock_words import TOLD_FROM_S, clock_sentence

ECHO_NAME: Final = "echo"
"""What echo peers call themselves, if nobody says otherwise."""

FOREVER_S: Final = 1e9
"""Thirty years: a session of its own that was told to accept has nothing else to do."""

HoldOption = Annotated[
    float | None,
    typer.Option(
        "--hold",
        min=0,
        metavar="S",
        help="Leave the call after S seconds; with --wait, S seconds after audio is connected. Holds with and without a running session; the command ends then.",
        show_default=False,
    ),
]
UntilOption = Annotated[
    str | None,
    typer.Option(
        "--until",
        metavar="left",
        help="Do not return before the call is over. Without a running session it is so anyway, unless --hold is given.",
        show_default=False,
    ),
]
CallArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="CALL", help="Its id or a prefix; left out where one fits.", autocompletion=complete_call
    ),
]


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    command(app, "peers", loop_for=(), prints=tuple[Peer, ...])(peers)
    command(app, "offer", hosts=True, prints=OfferPlaced | EchoVerdict)(offer)
    command(app, "accept", hosts=True, prints=CallAccepted)(accept)
    command(app, "reject", loop_for=(), prints=Done)(reject)
    command(app, "leave", loop_for=(), prints=Done)(leave)
    command(app, "calls", loop_for=(), prints=Calls)(calls)
    command(app, "participants", loop_for=(), prints=Participants)(participants)


async def peers(context: CommandContext) -> None:
    """List the peers seen on the network."""
    reply = await context.ask(GetPeers())
    if context.output.json:
        context.output.document(reply_document(reply))
    elif not reply.peers:
        context.output.message("nobody seen yet")
    if reply.why_nobody is not None:
        context.output.message(reply.why_nobody)
    else:
        for other in reply.other_versions:
            context.output.message(f"{other_version(other)}.")
    if context.output.json or not reply.peers:
        return
    from blink_cli.commands.show.tables import peers_table  # noqa: PLC0415 - 20 ms, for people only

    context.output.table(peers_table(reply))
    for peer in reply.peers:
        if peer.clock_ahead_s is not None and abs(peer.clock_ahead_s) >= TOLD_FROM_S:
            name = shown_name(peer.nickname, peer.did)
            context.output.line(
                clock_sentence(name, peer.clock_ahead_s, proved=bool(peer.clock_proved)) + "."
            )


async def offer(
    context: CommandContext,
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
            help="Return when the first one's audio is connected; fail after S seconds. A peer that is not there yet may come meanwhile.",
        ),
    ] = None,
    via: Annotated[
        Via,
        typer.Option(
            "--via",
            help="sfu: through an SFU; mesh: by direct connections; auto (default): by the call's size.",
            metavar="WAY",
        ),
    ] = Via.AUTO,
    hold: HoldOption = None,
    until: UntilOption = None,
    judge: Annotated[
        bool,
        typer.Option(
            "--judge",
            help="The peer is an echo peer: say at the end what came back. So it is with a peer called echo.",
        ),
    ] = False,
) -> None:
    """Call one or more peers, and print the call's id.

    Without a running session it runs its own in the foreground, until the call is over or as long as --hold says.
    For example `blink offer bob --wait 10 --hold 60`. `blink offer echo --wait 10 --hold 25` calls the echo peer of this network (`blink echo`), and ends with a verdict for each direction; 6 when your voice did not come back.
    """
    from blink_cli.commands.holding import hold_call  # noqa: PLC0415 - asyncio: `--help` needs none

    holding = _hold(hold, until)
    async with context.source.running_or_own(session_options) as (session, own):
        held = holding or (Hold(None) if own else None)
        request = PlaceOffer(peers=tuple(peer), wait_s=wait, via=via, withdraw=held is not None)
        if held is not None and (judge or [name.casefold() for name in peer] == [ECHO_NAME]):
            from blink_cli.commands.echo_call import judged_call  # noqa: PLC0415 - as above

            await judged_call(context, session, request, held)
        else:
            await hold_call(context, session, request, held)


async def accept(
    context: CommandContext,
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
    async with context.source.running_or_own(session_options) as (session, own):
        if own and wait is None:
            wait = FOREVER_S
            context.output.message("waiting for a call")
        request = AcceptCall(call=call, wait_s=wait)
        await hold_call(context, session, request, holding or (Hold(None) if own else None))


async def reject(context: CommandContext, call: CallArgument = None) -> None:
    """Decline a pending call; it stays listed while it goes on, and can be accepted later."""
    context.report(await context.ask(RejectCall(call=call)), "rejected")


async def leave(context: CommandContext) -> None:
    """Leave the current call."""
    context.report(await context.ask(LeaveCall()), "left")


async def calls(context: CommandContext) -> None:
    """List the current call and those that can be joined."""
    reply = await context.ask(GetCalls())
    if context.output.json:
        context.output.document(reply_document(reply))
        return
    if reply.call is not None:
        context.output.line(
            f"in call {short_call(reply.call.id)}, {reply.call.state.replace('_', ' ')}, since {reply.call.since}"
        )
    if reply.pending_calls:
        from blink_cli.commands.show.tables import pending_table  # noqa: PLC0415 - 20 ms, for people only

        context.output.table(pending_table(reply.pending_calls))
    if reply.call is None and not reply.pending_calls:
        context.output.message("no calls")


async def participants(context: CommandContext) -> None:
    """List who is in, or invited to, the current call."""
    reply = await context.ask(GetParticipants())
    if context.output.json:
        context.output.document(reply_document(reply))
        return
    from blink_cli.commands.show.tables import participants_table  # noqa: PLC0415 - 20 ms, for people only

    context.output.table(participants_table(reply))


def _hold(hold_s: float | None, until: str | None) -> Hold | None:
    if until is not None and until != "left":
        raise UsageError(
            f"--until {until}: only `left` is known.", hint="`--until left` stays until the call is over."
        )
    if hold_s is not None and until is not None:
        raise UsageError("--hold and --until say different things.", hint="Give one of them.")
    if hold_s is None and until is None:
        return None
    return Hold(hold_s)
