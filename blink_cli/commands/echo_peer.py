"""Runs an echo peer in the foreground, and says whom it answers."""

from contextlib import aclosing

import msgspec
from msgspec.structs import replace

from blink_cli.api.documents import SessionReady
from blink_cli.commands import running
from blink_cli.commands.call_commands import ECHO_NAME
from blink_cli.commands.command_context import CommandContext
from blink_cli.commands.event_sentences import Narrator
from blink_cli.commands.global_options import GlobalOptions
from blink_cli.commands.stopping import either, stop_signals
from blink_cli.core.api.events import CallTerminated, IncomingCall, LinkChanged
from blink_cli.core.api.replies.status import Status
from blink_cli.core.api.requests import GetStatus
from blink_cli.core.api.session_options import SessionOptions
from blink_cli.core.api.session_port import SessionPort
from blink_cli.runtime.tasks import TaskOwner


async def be_echo_peer(context: CommandContext, options: SessionOptions) -> None:
    """Answer calls until SIGINT, SIGTERM, or until there were enough.

    Raises:
        StateError: A session of its profile runs already.
        BlinkError: It cannot be opened.

    """
    async with (
        stop_signals() as stopped,
        running.host(_of_echo(context.options), options) as session,
        TaskOwner("echo") as tasks,
    ):
        snapshot = await session.ask(GetStatus())
        tasks.start(_tell_calls(context, session), name="tell calls")
        if context.output.json:
            ready = SessionReady(
                profile=snapshot.profile, did=snapshot.did, nickname=snapshot.nickname, pid=snapshot.pid
            )
            context.output.document(msgspec.to_builtins(ready))
        else:
            echo = options.echo
            longest = "" if echo is None else f", {echo.longest_s:g} s at most"
            context.output.line(
                f"ready: {snapshot.nickname} ({snapshot.did}) answers everybody, one after the other{longest}:"
                f" `blink offer {snapshot.nickname} --hold 25`"
            )
        await either(session.ended, stopped)


def _of_echo(options: GlobalOptions) -> GlobalOptions:
    """The profile of the command line; if it names none, one for echo peers, whatever the environment says of those who call."""
    named = options.profile != GlobalOptions.from_environment().profile
    return options if named else replace(options, profile=ECHO_NAME)


async def _tell_calls(context: CommandContext, session: SessionPort) -> None:
    narrator = Narrator()
    async with aclosing(session.events()) as events:
        async for event in events:
            if isinstance(event, Status):
                narrator.learn(event)
                continue
            sentence = narrator.tell(event)
            if sentence is not None and isinstance(event, IncomingCall | LinkChanged | CallTerminated):
                context.output.message(sentence)
