"""Waiting: told by events, by time, and not for ever."""

import asyncio

import pytest

from blink_cli.app.call.call_waiting import until
from blink_cli.app.event_hub import EventHub
from blink_cli.core.api.events import SessionEnding
from blink_cli.core.errors import NoSessionError

pytestmark = pytest.mark.real_time


def nothing() -> int | None:
    return None


@pytest.mark.asyncio
async def test_what_is_there_already_is_given_at_once() -> None:
    assert await until(EventHub(), lambda: 5, 0.0) == 5


@pytest.mark.asyncio
@pytest.mark.parametrize("announced", [True, False], ids=["with an event", "without one"])
async def test_what_comes_later_is_noticed(announced: bool) -> None:  # noqa: FBT001
    hub = EventHub()
    found: list[int] = []

    def happen() -> None:
        found.append(1)
        if announced:
            hub.publish(SessionEnding())

    asyncio.get_running_loop().call_later(0.02, happen)
    assert await until(hub, lambda: found[0] if found else None, 30.0) == 1


@pytest.mark.asyncio
async def test_it_ends_with_its_time() -> None:
    assert await until(EventHub(), nothing, 0.05) is None


@pytest.mark.asyncio
async def test_it_ends_with_the_session() -> None:
    hub = EventHub()
    asyncio.get_running_loop().call_later(0.02, hub.close)
    async with asyncio.timeout(10):
        with pytest.raises(NoSessionError, match="The session ended before it answered"):
            await until(hub, nothing, 30.0)
