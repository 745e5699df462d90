"""Commands that are a session."""

import os
from contextlib import aclosing
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from blink_cli.api.documents import SessionReady
from blink_cli.commands.command import command
from blink_cli.commands.command_context import CommandContext
from blink_cli.core.api.events import CallNotAccepted, MicrophoneMuted
from blink_cli.core.api.replies.status import Status
from blink_cli.core.api.requests import GetStatus
from blink_cli.core.api.session_options import SessionOptions

if TYPE_CHECKING:
    from blink_cli.commands.event_sentences import Narrator
    from blink_cli.core.api.session_port import SessionPort


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    command(app, "repl", hosts=True)(repl)
    command(app, "serve", hosts=True, prints=SessionReady)(serve)


async def repl(
    context: CommandContext,
    session_options: SessionOptions,
    *,
    keep_going: Annotated[
        bool, typer.Option("--keep-going", help="Piped commands: go on after one that failed.")
    ] = False,
) -> None:
    """Open a session and its prompt; the same as `blink` alone."""
    from blink_cli.commands.interactive import prompt_or_script  # noqa: PLC0415 - asyncio: `--help` needs none

    await prompt_or_script(context, session_options, keep_going=keep_going)


async def serve(
    context: CommandContext,
    session_options: SessionOptions,
    *,
    detach: Annotated[
        bool,
        typer.Option(
            "--detach",
            help="Return when it is ready: it goes on in the background, without this terminal, until `blink quit`.",
        ),
    ] = False,
) -> None:
    """Run a session without a prompt, until `blink quit`, SIGINT or SIGTERM.

    For example `blink serve --detach --auto-accept=contacts`, and to end it `blink quit`. `blink log` shows what a session in the background says.
    """
    from blink_cli.commands import running  # noqa: PLC0415 - asyncio and what a session needs: `--help` needs neither
    from blink_cli.commands.detaching import Detaching, start_detached  # noqa: PLC0415 - as above
    from blink_cli.commands.event_sentences import Narrator  # noqa: PLC0415 - as below
    from blink_cli.commands.stopping import either, stop_signals  # noqa: PLC0415 - as above
    from blink_cli.runtime.tasks import TaskOwner  # noqa: PLC0415 - as above

    detaching = Detaching.of(os.environ) if detach else None
    if detach and detaching is None:
        await start_detached()
        return
    async with stop_signals() as stopped, running.host(context.options, session_options) as session:
        stopped.when_again = session.hurry
        snapshot = await session.ask(GetStatus())
        narrator = Narrator()
        narrator.learn(snapshot)
        for notice in session.notices:
            if (sentence := narrator.tell(notice)) is not None:
                context.output.message(sentence)
        if context.output.json:
            ready = SessionReady(
                profile=snapshot.profile, did=snapshot.did, nickname=snapshot.nickname, pid=snapshot.pid
            )
            context.output.document(msgspec.to_builtins(ready))
        else:
            context.output.line(
                f"ready: {snapshot.nickname} ({snapshot.did}), profile {snapshot.profile}, process {snapshot.pid}"
            )
        if detaching is not None:
            detaching.leave()
        async with TaskOwner("serve") as tasks:
            if session_options.auto_accept is not None:
                tasks.start(_tell_what_waits(context, session, narrator), name="tell what waits")
            await either(session.ended, stopped)
        stopped.set()  # whoever told it to end: a signal that comes now is one more


async def _tell_what_waits(context: CommandContext, session: "SessionPort", narrator: "Narrator") -> None:
    """Say which calls wait for somebody to accept them: nobody watches a session without a prompt."""
    async with aclosing(session.events()) as events:
        async for happened in events:
            if isinstance(happened, Status):
                narrator.learn(happened)
                continue
            sentence = narrator.tell(happened)
            if isinstance(happened, CallNotAccepted | MicrophoneMuted) and sentence is not None:
                context.output.message(sentence)
