"""Long work on a thread of its own, with a bar on stderr while somebody watches."""

import asyncio
import contextlib
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Protocol, TypeVar

from blink_cli.commands.command_context import CommandContext
from blink_cli.commands.session_sources import ProfileSource
from blink_cli.core.progress import Progress

T = TypeVar("T")


class _GivenUp(Exception):  # noqa: N818 - an ending that its own caller asked for
    """The command was interrupted."""


async def with_progress(context: CommandContext, title: str, work: Callable[[Progress], T]) -> T:
    """Run blocking work and return its result.

    Args:
        context: Says whether there is a terminal that a bar may be drawn on; a prompt keeps its own.
        title: What is done.
        work: Calls its argument with 0 to 1 as it goes on; that raises once the command is interrupted, and the work ends.

    Canceling it waits until the work has cleaned up.

    """
    given_up = threading.Event()
    with progress_bar(context, title) as show:

        def progress(done: float) -> None:
            if given_up.is_set():
                raise _GivenUp
            show(done)

        working = asyncio.get_running_loop().run_in_executor(None, work, progress)
        try:
            return await asyncio.shield(working)
        except asyncio.CancelledError:
            given_up.set()
            with contextlib.suppress(_GivenUp):
                await working
            raise


class Bar(Protocol):
    """Told how far the work is, by calling it."""

    def __call__(self, done: float) -> None:
        """Show how much is done, 0 to 1."""

    def entitle(self, title: str) -> None:
        """Show what is done now."""


class _NoBar:
    """Where nobody watches."""

    def __call__(self, done: float) -> None:
        """Show nothing."""

    def entitle(self, title: str) -> None:
        """Show nothing."""


@contextlib.contextmanager
def progress_bar(context: CommandContext, title: str) -> Iterator[Bar]:
    """A bar on stderr while somebody watches; what it gives is told how far the work is."""
    if (
        not sys.stderr.isatty()
        or context.options.verbosity < 0
        or not isinstance(context.source, ProfileSource)
    ):
        yield _NoBar()
        return
    from blink_cli.commands.rich_bar import rich_bar  # noqa: PLC0415 - rich takes 80 ms

    with rich_bar(title, color=context.options.color) as bar:
        yield bar
