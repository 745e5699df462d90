"""How a program that runs until it is told to stop hears it."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from blink_cli.commands.ending_signals import ending_signals
from blink_cli.runtime.tasks import TaskOwner


class Stopped(asyncio.Event):
    """Set by the first signal. Each one that comes when it is set calls `when_again`, if anybody wants to know."""

    when_again: Callable[[], None] | None = None

    def told(self) -> None:
        """Take a signal."""
        if self.is_set() and self.when_again is not None:
            self.when_again()
        self.set()


@asynccontextmanager
async def stop_signals() -> AsyncIterator[Stopped]:
    """Turn SIGINT, SIGTERM and SIGHUP into an event, for as long as the context lasts.

    On Windows the event loop cannot do that: Ctrl-C cancels the main task there, which ends the contexts inside just as well.
    """
    stopped = Stopped()
    if sys.platform == "win32":
        yield stopped
        return
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in ending_signals()}
    for number in before:
        loop.add_signal_handler(number, stopped.told)
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
