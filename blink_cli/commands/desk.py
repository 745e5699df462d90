"""What a command works at: the options that hold, its output, and the way to a session."""

from contextlib import AbstractAsyncContextManager
from typing import Protocol, TypeVar

from blink_cli.commands.documents import reply_document
from blink_cli.commands.global_options import GlobalOptions
from blink_cli.commands.output import Output
from blink_cli.core.errors import BlinkError
from blink_cli.core.replies import Reply
from blink_cli.core.requests import Request
from blink_cli.core.session_options import SessionOptions
from blink_cli.core.session_port import SessionPort

R = TypeVar("R", bound=Reply)


class SessionSource(Protocol):
    """Where a command finds the session that it asks."""

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


class Desk:
    """Made for one command line."""

    def __init__(self, options: GlobalOptions, source: SessionSource) -> None:
        self.options = options
        self.output = Output(json=options.json, color=options.color, quiet=options.verbosity < 0)
        self.source = source

    async def ask(self, request: Request, kind: type[R]) -> R:
        """Ask the running session, and check that the reply is of the kind that the request promises."""
        async with self.source.running() as session:
            return expect(await session.ask(request), kind)

    def report(self, reply: Reply, sentence: str) -> None:
        """Say that something is so now: the document with `--json`, else a message."""
        if self.output.json:
            self.output.document(reply_document(reply))
        else:
            self.output.message(sentence)


def expect(reply: Reply, kind: type[R]) -> R:
    """Return the reply as the kind that its request promises.

    Raises:
        BlinkError: It is another: the session is of a version that this program does not understand.

    """
    if not isinstance(reply, kind):
        raise BlinkError(
            f"The session answered with {type(reply).__name__} where {kind.__name__} was expected.",
            hint="end it and start it again with this version: `blink quit`",
        )
    return reply
