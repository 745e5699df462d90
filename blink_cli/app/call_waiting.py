"""Waiting for something to happen in a call, for requests with `wait_s`."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from blink_cli.app.event_hub import EventHub

T = TypeVar("T")


async def until(hub: EventHub, ready: Callable[[], T | None], patience_s: float) -> T | None:
    """What `ready` gives, as soon as it is not None; asked now and after every event. None when time is up or the session ends.

    Cancelling is safe.
    """
    listener = hub.listen()
    try:
        async with asyncio.timeout(patience_s):
            while (value := ready()) is None:
                if await listener.next_event() is None:
                    return None
            return value
    except TimeoutError:
        return None
    finally:
        hub.forget(listener)
