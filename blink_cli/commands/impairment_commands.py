"""Commands for bad networks on purpose."""

from typing import Annotated

import typer

from blink_cli.api.documents import reply_document
from blink_cli.api.impairment_words import impairment_request
from blink_cli.commands.command import command
from blink_cli.commands.command_context import CommandContext
from blink_cli.commands.impairment_text import impairment_lines
from blink_cli.commands.shell_completion import complete_impairment
from blink_cli.core.api.replies.impairment import ImpairmentShown
from blink_cli.core.api.requests import GetImpairment

Words = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[PEER] [in|out] KEY=VALUE... | off",
        show_default=False,
        help="loss=3% burst=4 delay=40ms jitter=20ms rate=256kbit/s queue=200ms reorder=1% duplicate=0.5% corrupt=0.1% outage=5s+800ms trace=FILE seed=7, and others.",
        autocompletion=complete_impairment,
    ),
]


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    command(app, "impair", loop_for=(), prints=ImpairmentShown)(impair)


async def impair(context: CommandContext, conditions: Words = None) -> None:
    """Make the network of calls bad on purpose, seeded, or good again with off. Alone: say what is impaired, and what it did.

    It acts on the audio links of this session, on what comes (in), what is sent (out) or both, from now on until off or the end of the session. Signals are not meant.
    For example `blink impair loss=3% burst=4 delay=40ms jitter=20ms seed=7`, `blink impair bob in outage=5s+2s`, `blink impair off`.
    """
    reply = await context.ask(impairment_request(conditions) if conditions else GetImpairment())
    if context.output.json:
        context.output.document(reply_document(reply))
        return
    for line in impairment_lines(reply.impairment) or ("nothing is impaired on purpose",):
        context.output.line(line, hang=4)
