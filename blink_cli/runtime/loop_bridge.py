"""From other threads to the event loop."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import TypeVarTuple

Arguments = TypeVarTuple("Arguments")


class LoopBridge:
    """Has calls made on the event loop on which it was made."""

    def __init__(self) -> None:
        """To be made on the running event loop."""
        self._loop = asyncio.get_running_loop()

    def call(self, callback: Callable[[*Arguments], object], *arguments: *Arguments) -> None:
        """Any thread: have this called soon, on the event loop; return at once. Calls keep the order of one thread.

        When the loop has closed nobody is left to be told: then nothing happens.
        """
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(callback, *arguments)
