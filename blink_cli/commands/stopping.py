"""How a program that runs until it is told to stop hears it."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from blink_cli.runtime.tasks import TaskOwner

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


async def either(first: asyncio.Event, second: asyncio.Event) -> None:
    """Return when one of the two is set. Cancelling is safe."""
    async with TaskOwner("waiting") as tasks:
        waiting = {
            tasks.start(event.wait(), name=name) for event, name in ((first, "first"), (second, "second"))
        }
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
