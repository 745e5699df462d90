"""Commands that listen."""

import contextlib
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Annotated

import typer

from blink_cli.api.already_happened import already
from blink_cli.api.documents import event_document
from blink_cli.commands.command import command
from blink_cli.commands.command_context import CommandContext
from blink_cli.commands.event_sentences import Narrator, happened_at
from blink_cli.commands.mark_words import mark_sentence
from blink_cli.commands.shell_completion import complete_event
from blink_cli.commands.status_text import status_lines
from blink_cli.core.api.events import EVENT_NAMES, Event
from blink_cli.core.api.replies.calls import MarkMade
from blink_cli.core.api.replies.status import Status
from blink_cli.core.api.requests import Mark
from blink_cli.core.errors import NotFoundError, UsageError
from blink_cli.core.text.path_text import readable
from blink_cli.core.text.utc_text import utc_text


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    command(app, "events", prints=Status | Event)(events)
    command(app, "wait", prints=Event)(wait)
    command(app, "mark", loop_for=(), prints=MarkMade)(mark)
    command(app, "watch")(watch)


async def events(
    context: CommandContext,
    *,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with every event, until the session ends.")
    ] = False,
) -> None:
    """Show the session's snapshot, and with --follow every event from then on."""
    from blink_cli.commands.unread_output import ends_unread  # noqa: PLC0415 - asyncio: `--help` needs none

    narrator = Narrator()
    async with (
        context.source.running() as session,
        ends_unread(),
        contextlib.aclosing(session.events()) as stream,
    ):
        async for event in stream:
            heard_at = datetime.now(UTC)
            if isinstance(event, Status):
                narrator.learn(event)
            if context.output.json:
                context.output.document(event_document(event, heard_at))
            elif isinstance(event, Status):
                for line in status_lines(event):
                    context.output.line(line)
            elif (sentence := narrator.tell(event)) is not None:
                context.output.line(f"{utc_text(happened_at(event) or heard_at)}  {sentence}")
            if not follow:
                return


async def wait(
    context: CommandContext,
    *,
    event: Annotated[
        str,
        typer.Argument(
            metavar="EVENT", help="Its name, as in `events --json`.", autocompletion=complete_event
        ),
    ],
    timeout: Annotated[  # noqa: ASYNC109 - the option's name
        float | None,
        typer.Option(
            "--timeout", min=0, metavar="S", help="Fail with 3 after S seconds.", show_default=False
        ),
    ] = None,
    new: Annotated[bool, typer.Option("--new", help="Only what happens from now on counts.")] = False,
) -> None:
    """Wait for an event, and print it.

    A call that rings already counts as incoming_call, and a call that the session is in as call_joined, so that a script need not be faster
    than its session; with --new only what happens from now on does. All other events count from now on.
    """
    import asyncio  # noqa: PLC0415 - 40 ms that `--help` does not need

    name = event_name(event)
    try:
        async with asyncio.timeout(timeout):
            happened, narrator = await _next(context, name, new=new)
    except TimeoutError as error:
        raise NotFoundError(
            f"No {name} came within {timeout:g} s.", hint="`blink events --follow` shows what does come."
        ) from error
    if happened is None:
        raise NotFoundError(f"The session ended before {name} came.")
    if context.output.json:
        context.output.document(event_document(happened, datetime.now(UTC)))
    else:
        context.output.line(narrator.tell(happened) or name.replace("_", " "))


async def mark(
    context: CommandContext,
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="TEXT...", help="What happened; `mark 1` and so on if left out."),
    ] = None,
) -> None:
    """Mark this moment of the call: in `events`, in the RTP log and in the recording, where these run.

    For example `blink mark "bob moved to the other room"`. The others in the call do not learn of it.
    """
    reply = await context.ask(Mark(text=readable(" ".join(words or ()))))
    context.report(reply, mark_sentence(reply))


async def watch(context: CommandContext) -> None:
    """Show the call, full screen, until q or Ctrl-C."""
    from blink_cli.commands.full_screen import watch_session  # noqa: PLC0415 - prompt_toolkit takes 200 ms

    async with context.source.running() as session:
        await watch_session(context, session)


def event_name(text: str) -> str:
    """Return the name of an event.

    Raises:
        UsageError: There is none of that name; lists those that there are.

    """
    name = text.strip().lower().replace("-", "_")
    if name not in EVENT_NAMES:
        close = get_close_matches(name, EVENT_NAMES, n=2)
        meant = f" Did you mean {' or '.join(close)}?" if close else ""
        raise UsageError(
            f"There is no event {text!r}.{meant}", hint=f"The events are {', '.join(EVENT_NAMES)}."
        )
    return name


async def _next(context: CommandContext, name: str, *, new: bool) -> tuple[Event | None, Narrator]:
    narrator = Narrator()
    async with context.source.running() as session, contextlib.aclosing(session.events()) as stream:
        async for event in stream:
            if isinstance(event, Status):
                narrator.learn(event)
                if not new and (happened := already(name, event)) is not None:
                    return happened, narrator
            elif event_document(event, datetime.now(UTC))["event"] == name:
                return event, narrator
            else:
                narrator.tell(event)
    return None, narrator
