"""Commands for the session itself."""

import os
from contextlib import aclosing
from typing import TYPE_CHECKING, Annotated, get_args

import msgspec
import typer

from blink_cli.api.documents import ProgramVersion, SessionReady, reply_document
from blink_cli.commands.command import command
from blink_cli.commands.command_context import CommandContext
from blink_cli.commands.shell_completion import complete_shell
from blink_cli.commands.shell_words import ShellName
from blink_cli.commands.status_text import status_lines
from blink_cli.core.api.events import CallNotAccepted, MicrophoneMuted, RecordingFilesLate
from blink_cli.core.api.replies import Done, Status, Trace
from blink_cli.core.api.requests import GetStatus, GetTrace, Quit
from blink_cli.core.api.session_options import SessionOptions
from blink_cli.core.errors import UsageError
from blink_cli.core.text.path_text import shown

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from blink_cli.commands.event_sentences import Narrator
    from blink_cli.core.api.events import Event
    from blink_cli.core.api.session_port import SessionPort


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    command(app, "repl", hosts=True)(repl)
    command(app, "serve", hosts=True, prints=SessionReady)(serve)
    command(app, "status", prints=Status | Trace)(status)
    command(app, "quit", prints=Done)(quit_session)
    command(app, "version", prints=ProgramVersion)(version)
    command(app, "completion")(completion)


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

    narrator = Narrator()
    async for happened in events:
        if isinstance(happened, RecordingFilesLate) and (sentence := narrator.tell(happened)) is not None:
            context.output.message(sentence)


async def version(context: CommandContext) -> None:
    """Print the version."""
    from blink_cli.commands.version import show_version  # noqa: PLC0415 - reads the installed package's data

    show_version(context)


async def completion(
    context: CommandContext,
    shell: Annotated[
        str | None,
        typer.Argument(
            metavar="[SHELL]",
            help="bash, zsh or fish; the one that asks, if left out.",
            autocompletion=complete_shell,
        ),
    ] = None,
    *,
    install: Annotated[
        bool, typer.Option("--install", help="Put it where the shell finds it when it starts next.")
    ] = False,
) -> None:
    """Print the script that makes Tab complete `blink`: `source <(blink completion bash)`."""
    from pathlib import Path  # noqa: PLC0415 - only here

    from blink_cli.commands import completion_scripts  # noqa: PLC0415 - only here

    name = _shell_named(shell)
    if install:
        where = completion_scripts.install(name, Path.home())
        context.output.message(f"completion for {name} is in {shown(where)}; it begins with the next {name}")
    else:
        context.output.line(completion_scripts.SCRIPTS[name].rstrip("\n"))


def _shell_named(text: str | None) -> ShellName:
    wanted = text
    if wanted is None:
        import shellingham  # noqa: PLC0415 - only here

        try:
            wanted, _ = shellingham.detect_shell()
        except shellingham.ShellDetectionFailure:
            wanted = ""
    for name in get_args(ShellName):
        if wanted == name:
            return name  # type: ignore[no-any-return]
    which = f"{wanted!r} is no shell that can complete" if wanted else "It is not known which shell asks"
    raise UsageError(f"{which}.", hint="Write bash, zsh or fish: `blink completion bash`.")
