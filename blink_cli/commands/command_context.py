"""What a command works at: the options that hold, its output, and the way to a session."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from blink_cli.api.documents import reply_document
from blink_cli.commands.global_options import GlobalOptions
from blink_cli.commands.output import Output
from blink_cli.core.api.reply import Reply
from blink_cli.core.api.requests import R, Request
from blink_cli.core.api.session_options import SessionOptions
from blink_cli.core.api.session_port import SessionPort


class SessionSource(Protocol):
    """Where a command finds the session that it asks."""

    is_here: bool
    """Whether the session runs in this process, and stops with it."""

    def running(self) -> AbstractAsyncContextManager[SessionPort]:
        """The session that runs.

        Raises:
            NoSessionError: None does.

        """

    def running_or_own(
        self, options: SessionOptions
    ) -> AbstractAsyncContextManager[tuple[SessionPort, bool]]:
        """The session that runs, or one of its own for as long as it is needed; and whether it is its own.

        Raises:
            UsageError: One runs, and the options would have to be another's.

        """


class PromptPictures(Protocol):
    """The pictures above a prompt."""

    async def show(self, peers: Sequence[str], fps: float) -> None:
        """Show what is to be seen of these, `me` of oneself, beside each other above the line from now on; of nobody: show none.

        Raises:
            UsageError: The terminal can show none.

        """


class CommandContext:
    """Made for one command line."""

    def __init__(
        self,
        options: GlobalOptions,
        source: SessionSource,
        output: type[Output] = Output,
        *,
        commands: Callable[[], Any],
        prompt_pictures: PromptPictures | None = None,
    ) -> None:
        """Hold these for a command.

        Args:
            options: As given before and behind the command.
            source: The way to a session.
            output: Its wording.
            commands: Returns what reads the lines of a prompt or a script, where a command opens one: `program.entry_point`.
            prompt_pictures: Of the prompt at which this was typed; None elsewhere.

        """
        self.prompt_pictures = prompt_pictures
        self.options = options
        self.commands = commands
        self.output = options.output(output)
        self.source = source

    async def ask(self, request: Request[R]) -> R:
        """Ask the running session."""
        async with self.source.running() as session:
            return await session.ask(request)

    def report(self, reply: Reply, sentence: str) -> None:
        """Say that something is so now: the document with `--json`, else a message."""
        if self.output.json:
            self.output.document(reply_document(reply))
        else:
            self.output.message(sentence)
