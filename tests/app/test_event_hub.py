"""A slow reader loses the oldest events, is told so, and never holds up the others."""

import asyncio

import pytest

from blink_cli.app.event_hub import BACKLOG_EVENTS, EventHub
from blink_cli.core.api.events import EventsMissed, PeerVanished
from blink_cli.core.ids import Did

pytestmark = pytest.mark.no_clock


def _event(number: int) -> PeerVanished:
    return PeerVanished(did=Did(f"did:key:{number}"), nickname="")


async def test_a_slow_reader_is_told_how_many_events_it_missed() -> None:
    hub = EventHub()
    slow = hub.listen()
    for number in range(BACKLOG_EVENTS + 3):
        hub.publish(_event(number))
    assert await slow.next_event() == EventsMissed(count=3)
    assert await slow.next_event() == _event(3)


async def test_closing_gives_the_reader_what_is_left_and_then_ends() -> None:
    hub = EventHub()
    reader = hub.listen()
    hub.publish(_event(1))
    hub.close()
    assert await reader.next_event() == _event(1)
    assert await reader.next_event() is None


async def test_a_cancelled_read_loses_nothing() -> None:
    hub = EventHub()
    reader = hub.listen()
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(reader.next_event(), name="reader")
        await asyncio.sleep(0)
        waiting.cancel()
    hub.publish(_event(7))
    assert await reader.next_event() == _event(7)
