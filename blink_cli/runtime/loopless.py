"""Coroutines that wait for nothing, or in system calls that block: they run to their end without an event loop, and without what one takes to load."""

import sys
from collections.abc import Coroutine
from typing import Any


def has_event_loop() -> bool:
    """Whether an event loop runs in this thread."""
    if "asyncio" not in sys.modules:
        return False
    import asyncio  # noqa: PLC0415 - it is there

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def run_to_its_end(work: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine that never waits for an event loop.

    Raises:
        RuntimeError: It does.

    """
    try:
        work.send(None)
    except StopIteration:
        return
    work.close()
    raise RuntimeError(f"{work!r} waits for an event loop.")
