"""How a program that runs until it is told to stop hears it."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Any

from blink_cli.net.tasks import TaskOwner

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@asynccontextmanager
async def stop_signals() -> AsyncIterator[asyncio.Event]:
    """Turn SIGINT and SIGTERM into an event, for as long as the context lasts; the second one changes nothing.

    On Windows the event loop cannot do that: Ctrl-C cancels the main task there, which ends the contexts inside just as well.
    """
    stopped = asyncio.Event()
    if sys.platform == "win32":
        yield stopped
        return
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, stopped.set)
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            loop.remove_signal_handler(number)
            signal.signal(number, handler)


async def either(ended: Awaitable[Any], stopped: asyncio.Event) -> None:
    """Return when the session has ended or the program was told to stop.

    Raises:
        BlinkError: The session ended because it could not go on.
    """

    async def wait_ended() -> None:
        await ended

    async with TaskOwner("stopping", on_failure=_read_below) as tasks:
        ending = tasks.start(wait_ended(), name="session")
        stopping = tasks.start(stopped.wait(), name="signal")
        done, _ = await asyncio.wait({ending, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if ending in done:
            ending.result()


def _read_below(name: str, failure: BaseException) -> None:
    """The failure is raised by `either` itself."""
