"""`blink` alone: a prompt in a terminal, a script behind a pipe."""

import asyncio
import contextlib
import os
import stat
import sys
from collections.abc import AsyncIterator

from blink_cli.commands import running
from blink_cli.commands.chosen_profile import profile_of
from blink_cli.commands.command_context import CommandContext, SessionSource
from blink_cli.commands.lines import Lines
from blink_cli.commands.parsing import ExitWith
from blink_cli.commands.script import run_script
from blink_cli.commands.session_sources import PresentSource, ProfileSource
from blink_cli.core.api.session_options import SessionOptions
from blink_cli.core.errors import NoSessionError


async def prompt_or_script(context: CommandContext, options: SessionOptions, *, keep_going: bool) -> None:
    """Open the prompt in a terminal; else run the lines of stdin.

    Raises:
        BlinkError: The session could not be opened.
        ExitWith: A line failed, and has said so.

    """
    if sys.stdin.isatty():
        await _prompt(context, options)
    else:
        await _script(context, options, keep_going=keep_going)


async def _prompt(context: CommandContext, options: SessionOptions) -> None:
    from blink_cli.commands.repl import Repl  # noqa: PLC0415 - prompt_toolkit takes 200 ms

    async with running.host(context.options, options) as session:
        history = profile_of(context.options).data_dir / "history"
        await Repl(context.options, session, history, context.commands).run(session.ended)


async def _script(context: CommandContext, options: SessionOptions, *, keep_going: bool) -> None:
    """Run the lines against the session that runs, or one of their own until they end."""
    async with contextlib.AsyncExitStack() as stack:
        source: SessionSource
        try:
            await stack.enter_async_context(await running.connect(context.options))
            source = ProfileSource(context.options)
        except NoSessionError:
            session = await stack.enter_async_context(running.host(context.options, options))
            source = PresentSource(session)
        lines = Lines(context.options, source, context.commands)
        failed = await run_script(lines, stdin_lines(), context, keep_going=keep_going)
    if failed is not None:
        raise ExitWith(failed)


async def stdin_lines() -> AsyncIterator[str]:
    """The lines of stdin, without holding up the event loop while a pipe is silent."""
    mode = os.fstat(sys.stdin.fileno()).st_mode
    if sys.platform == "win32" or not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)):
        # A file answers at once, and cannot be waited for.
        while line_bytes := sys.stdin.buffer.readline():
            yield line_bytes.decode(errors="surrogateescape")
        return

    reader = asyncio.StreamReader(limit=1 << 20)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    try:
        while line_bytes := await reader.readline():
            yield line_bytes.decode(errors="surrogateescape")  # a path in it may be of any bytes
    finally:
        transport.close()
