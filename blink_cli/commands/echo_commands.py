"""`echo`: be an echo peer, or call one of one's own."""

from typing import Annotated, Final

import typer
from msgspec.structs import replace

from blink_cli.api.documents import SessionReady
from blink_cli.commands.call_commands import ECHO_NAME
from blink_cli.commands.command import command
from blink_cli.commands.command_context import CommandContext
from blink_cli.commands.session_sources import PresentSource
from blink_cli.core.api.replies.calls import OfferPlaced
from blink_cli.core.api.replies.echo import EchoVerdict
from blink_cli.core.api.session_options import EchoOptions, SessionOptions
from blink_cli.core.errors import UsageError

STRETCH_S: Final = 10.0
CALLED_STRETCH_S: Final = 4.0
"""Of an echo peer for one call: two turns in half a minute are enough for a test."""


def register(app: typer.Typer) -> None:
    """Add this command to the application."""
    command(
        app, "echo", hosts=True, prints=SessionReady | OfferPlaced | EchoVerdict, without={"auto_accept"}
    )(echo)


async def echo(
    context: CommandContext,
    session_options: SessionOptions,
    *,
    call: Annotated[
        bool,
        typer.Option(
            "--call",
            help="Instead: start an echo peer on this machine for one call, call it, and say what came back. At the prompt it is always so.",
        ),
    ] = False,
    hold: Annotated[
        float | None,
        typer.Option(
            "--hold",
            min=1,
            max=110,
            metavar="S",
            help="With --call: how long; the default is long enough to hear it once.",
            show_default=False,
        ),
    ] = None,
    stretch: Annotated[
        float | None,
        typer.Option(
            "--stretch",
            min=1,
            max=30,
            metavar="S",
            help="How long it listens before it says what it heard; default 10, with --call 4.",
            show_default=False,
        ),
    ] = None,
    live: Annotated[
        bool, typer.Option("--live", help="Send everything back at once. Use headphones: loudspeakers howl.")
    ] = False,
    longest: Annotated[
        float, typer.Option("--longest", min=1, max=3600, metavar="S", help="Leave a call after S seconds.")
    ] = 60.0,
    calls: Annotated[
        int | None,
        typer.Option("--calls", min=1, metavar="N", help="End after N calls.", show_default=False),
    ] = None,
    idle: Annotated[
        float | None,
        typer.Option(
            "--idle", min=1, metavar="S", help="End after S seconds without a call.", show_default=False
        ),
    ] = None,
) -> None:
    """Be an echo peer, which sends back what a caller says.

    Whoever calls hears a beep, speaks, hears another beep and then his own voice. It runs a session called echo of a profile called echo, has no microphone, answers everybody, calls of two only, one after the other, and leaves each after a minute.
    For example `blink echo`, and elsewhere on the network `blink offer echo --wait 10 --hold 25`; alone on one machine `blink echo --call`.
    """
    if live and stretch is not None:
        raise UsageError("--live and --stretch say different things.", hint="Give one of them.")
    if call or isinstance(context.source, PresentSource):
        from blink_cli.commands.echo_call import call_own_echo  # noqa: PLC0415 - asyncio: `--help` needs none

        await call_own_echo(
            context, session_options, stretch_s=0.0 if live else stretch or CALLED_STRETCH_S, hold_s=hold
        )
        return
    if hold is not None:
        raise UsageError("--hold is of --call.", hint="Use --longest to say when an echo peer leaves.")
    for option, given in (
        ("--input", session_options.input),
        ("--output", session_options.output),
    ):
        if given is not None:
            raise UsageError(f"An echo peer has no {option}.", hint="`blink serve` runs a session with one.")
    from blink_cli.commands.echo_peer import be_echo_peer  # noqa: PLC0415 - as above

    await be_echo_peer(
        context,
        replace(
            session_options,
            nickname=session_options.nickname or ECHO_NAME,
            input="echo:live" if live else f"echo:{stretch or STRETCH_S:g}",
            output="echo",
            echo=EchoOptions(longest_s=longest, calls=calls, idle_s=idle),
        ),
    )
