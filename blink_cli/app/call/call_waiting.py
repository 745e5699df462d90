"""Waiting for something to happen in a call, for requests with `wait_s`."""

import asyncio
from collections.abc import Callable
from typing import Final, TypeVar

from blink_cli.app.event_hub import EventHub
from blink_cli.core.errors import session_ended

T = TypeVar("T")

LOOK_EVERY_S: Final = 0.2
"""Not everything is told by an event: a call that was just left can be joined again when its next announce is heard."""


async def until(hub: EventHub, ready: Callable[[], T | None], patience_s: float) -> T | None:
    """What `ready` gives, as soon as it is not None; asked now, after every event, and every `LOOK_EVERY_S`.

    None when time is up. Cancelling is safe.

    Raises:
        NoSessionError: The session ends meanwhile.

    """
    listener = hub.listen()
    loop = asyncio.get_running_loop()
    ends_s = loop.time() + patience_s
    try:
        while (value := ready()) is None:
            try:
                async with asyncio.timeout_at(min(ends_s, loop.time() + LOOK_EVERY_S)):
                    if await listener.next_event() is None:
                        raise session_ended()
            except TimeoutError:
                if loop.time() >= ends_s:
                    return ready()
        return value
    finally:
        hub.forget(listener)
