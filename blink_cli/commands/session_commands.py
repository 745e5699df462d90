"""Commands for the session that runs."""

from contextlib import aclosing
from typing import TYPE_CHECKING, Annotated

import typer

from blink_cli.api.documents import ProgramVersion, reply_document
from blink_cli.commands.command import command
from blink_cli.commands.command_context import CommandContext
from blink_cli.commands.status_text import status_lines
from blink_cli.core.api.replies.document import Done
from blink_cli.core.api.replies.status import Status, Trace
from blink_cli.core.api.requests import GetStatus, GetTrace, Quit
from blink_cli.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from blink_cli.core.api.events import Event


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    command(app, "status", loop_for=("wait",), prints=Status | Trace)(status)
    command(app, "quit", prints=Done)(quit_session)
    command(app, "version", prints=ProgramVersion)(version)


async def status(
    context: CommandContext,
    *,
    trace: Annotated[
        bool,
        typer.Option(
            "--trace",
            help="Instead: what the rules of calls were told and did last, for a bug report. Keys in it are stand-ins.",
        ),
    ] = False,
    wait: Annotated[
        float | None,
        typer.Option(
            "--wait",
            metavar="S",
            min=0,
            help="Wait up to S seconds until a session is there; 4 if none comes.",
        ),
    ] = None,
) -> None:
    """Show the session at a glance.

    For example `blink status --wait 10 --json`, when a session is just being started elsewhere.
    """
    if trace and wait is not None:
        raise UsageError("--trace and --wait do not go together.", hint="Run `blink status --wait S` first.")
    if trace:
        await _show_trace(context)
        return
    if wait is None:
        reply = await context.ask(GetStatus())
    else:
        from blink_cli.commands.session_waiting import status_of_coming  # noqa: PLC0415 - asyncio: `--help` needs none

        reply = await status_of_coming(context, wait)
    if context.output.json:
        context.output.document(reply_document(reply))
    else:
        for line in status_lines(reply):
            context.output.line(line)


async def _show_trace(context: CommandContext) -> None:
    async with context.source.running() as session:
        page = await session.ask(GetTrace())
        steps = list(page.steps)
        first, did = page.first, page.did
        while page.more and page.steps:
            page = await session.ask(GetTrace(first=page.first + len(page.steps)))
            steps.extend(page.steps)
    if context.output.json:
        context.output.document(reply_document(Trace(did=did, first=first, more=False, steps=tuple(steps))))
        return
    from blink_cli.commands.trace_text import trace_lines  # noqa: PLC0415 - only here

    for line in trace_lines(steps):
        context.output.line(line)


async def quit_session(context: CommandContext) -> None:
    """End the session: it leaves its call, and its profile is free when this returns.

    Files of its recording that are still being made are waited for, for a minute.
    """
    from blink_cli.app.control.control_client import ControlClient  # noqa: PLC0415 - asyncio: `--help` needs none

    async with context.source.running() as session:
        if isinstance(session, ControlClient):
            async with aclosing(session.events()) as events:
                await anext(events)  # the state, with which listening begins
                done = await session.ask(Quit())
                await _tell_what_is_late(context, events)
        else:
            done = await session.ask(Quit())
    context.report(done, "the session has ended")


async def _tell_what_is_late(context: CommandContext, events: "AsyncIterator[Event | Status]") -> None:
    """Say why the session does not end yet; returns when it has ended and freed its profile."""
    from blink_cli.commands.event_sentences import Narrator  # noqa: PLC0415 - as above
    from blink_cli.core.api.events import RecordingFilesLate  # noqa: PLC0415 - as above

    narrator = Narrator()
    async for happened in events:
        if isinstance(happened, RecordingFilesLate) and (sentence := narrator.tell(happened)) is not None:
            context.output.message(sentence)


async def version(context: CommandContext) -> None:
    """Print the version."""
    from blink_cli.commands.version import show_version  # noqa: PLC0415 - rarely asked for

    show_version(context)
