"""The end of a command whose output nobody reads any more: `blink events --follow | head -1`.

A program that writes learns it from its next write. One that waits for an event of a quiet session would never write, and so never end.
"""

import asyncio
import contextlib
import os
import select
import stat
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


@asynccontextmanager
async def ends_unread() -> AsyncIterator[None]:
    """Raise BrokenPipeError inside the context, at its next await, as soon as the reader of stdout is gone.

    Files and terminals have no reader that could go (a terminal that closes sends SIGHUP). Cancelling passes through. Not on Windows,
    whose pipes cannot be waited on: there the next write notices.
    """
    task = asyncio.current_task()
    assert task is not None  # we are in one
    loop = asyncio.get_running_loop()
    descriptor = _duplicate_of_stdout()
    if descriptor is None:
        yield
        return
    unread = False

    def look() -> None:
        nonlocal unread
        if not _is_unread(descriptor):
            return  # a socket that its other side writes to
        unread = True
        loop.remove_reader(descriptor)
        task.cancel()

    loop.add_reader(descriptor, look)  # an error on the writing end wakes readers of it too
    try:
        yield
    except asyncio.CancelledError:
        if unread and task.uncancel() == 0:
            raise BrokenPipeError from None
        raise
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)


def _duplicate_of_stdout() -> int | None:
    """A descriptor of our own for stdout if it is a pipe or a socket, else None."""
    if sys.platform == "win32":
        return None
    with contextlib.suppress(OSError, ValueError):  # closed, or no file at all
        descriptor = sys.stdout.fileno()
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode):
            return os.dup(descriptor)
    return None


def _is_unread(descriptor: int) -> bool:
    poll = select.poll()
    poll.register(descriptor, 0)
    return bool(poll.poll(0))  # errors and hang-ups are told without being asked for
