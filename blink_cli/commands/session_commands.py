"""Commands for the session itself."""

from typing import Annotated

import typer

from blink_cli.commands.command import command
from blink_cli.commands.desk import Desk, expect
from blink_cli.commands.documents import reply_document
from blink_cli.commands.status_text import status_lines
from blink_cli.core.replies import SCHEMA, Done, Status
from blink_cli.core.requests import GetStatus, Quit
from blink_cli.core.session_options import SessionOptions


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    command(app, "repl", hosts=True)(repl)
    command(app, "serve", hosts=True)(serve)
    command(app, "status")(status)
    command(app, "quit")(quit_session)
    command(app, "version")(version)


async def repl(
    desk: Desk,
    session_options: SessionOptions,
    *,
    keep_going: Annotated[
        bool, typer.Option("--keep-going", help="Piped commands: go on after one that failed.")
    ] = False,
) -> None:
    """Open a session and its prompt; the same as `blink` alone."""
    from blink_cli.commands.interactive import prompt_or_script  # noqa: PLC0415 - asyncio: `--help` needs none

    await prompt_or_script(desk, session_options, keep_going=keep_going)


async def serve(desk: Desk, session_options: SessionOptions) -> None:
    """Run a session without a prompt, until `blink quit`, SIGINT or SIGTERM."""
    from blink_cli.commands import running  # noqa: PLC0415 - asyncio and what a session needs: `--help` needs neither
    from blink_cli.commands.event_sentences import Narrator  # noqa: PLC0415 - as below
    from blink_cli.commands.stopping import either, stop_signals  # noqa: PLC0415 - as above

    async with stop_signals() as stopped, running.host(desk.options, session_options) as session:
        snapshot = expect(await session.ask(GetStatus()), Status)
        narrator = Narrator()
        narrator.learn(snapshot)
        for notice in session.notices:
            desk.output.message(narrator.tell(notice))
        if desk.output.json:
            ready = {
                "schema": SCHEMA,
                "event": "ready",
                "profile": snapshot.profile,
                "did": snapshot.did,
                "nickname": snapshot.nickname,
                "pid": snapshot.pid,
            }
            desk.output.document(ready)
        else:
            desk.output.line(
                f"ready: {snapshot.nickname} ({snapshot.did}), profile {snapshot.profile}, process {snapshot.pid}"
            )
        await either(session.ended, stopped)


async def status(desk: Desk) -> None:
    """Show the session at a glance."""
    reply = await desk.ask(GetStatus(), Status)
    if desk.output.json:
        desk.output.document(reply_document(reply))
    else:
        for line in status_lines(reply):
            desk.output.line(line)


async def quit_session(desk: Desk) -> None:
    """End the session: it leaves its call, and its profile is free when this returns."""
    from blink_cli.app.control_client import ControlClient  # noqa: PLC0415 - asyncio: `--help` needs none

    async with desk.source.running() as session:
        done = expect(await session.ask(Quit()), Done)
        if isinstance(session, ControlClient):
            await session.wait_ended()
    desk.report(done, "the session has ended")


async def version(desk: Desk) -> None:
    """Print the version."""
    from blink_cli.commands.version import program_version  # noqa: PLC0415 - reads the installed package's data

    if desk.output.json:
        desk.output.document({"schema": SCHEMA, "version": program_version()})
    else:
        desk.output.line(program_version())
