"""A room that is left while it is being entered, at a server that takes its time, and with it the session."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request
from websockets.typing import Subprotocol

from blink_cli.app.media.room.room_media import RoomMedia
from blink_cli.core.api.events import Event
from blink_cli.core.call.inputs import MediaInput
from blink_cli.core.ids import Did
from blink_cli.core.media.codec_settings import CodecSettings
from blink_cli.core.media.room import room_place
from blink_cli.lab.links import LOOPBACK, certificate
from blink_cli.net.link.link_events import LinkEvents
from blink_cli.net.link.media_link import MediaLink
from blink_cli.runtime.clock import MonotonicClock
from blink_cli.runtime.tasks import TaskOwner
from tests.app.media.room.room_members import FIRST_KEY, INVITATION

STEPS = ("connect", "create", "publish")
"""Something begins after each of these: reading, keepalives, the connection of media."""


FAREWELL_TURNS = 10
"""Of the event loop, in which a session says goodbye before it closes."""


class SlowServer:
    """Answers as Janus does, but one step only when it is let."""

    def __init__(self, step: str, media: MediaLink) -> None:
        self.asked = asyncio.Event()
        self.goes_on = asyncio.Event()
        self._step = step
        self._media = media

    async def take(self, connection: ServerConnection, request: Request) -> None:
        """Somebody connects."""
        del connection, request
        await self._wait_at("connect")

    async def serve(self, connection: ServerConnection) -> None:
        """Answer whoever is connected."""
        async for message in connection:
            asked: dict[str, Any] = msgspec.json.decode(message)
            told = {"transaction": asked["transaction"], **await self._answer(asked)}
            await connection.send(msgspec.json.encode(told).decode())

    async def _answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        if asked["janus"] != "message":
            await self._wait_at(asked["janus"])
            return {"janus": "success", "data": {"id": 7}}
        answer: dict[str, Any] = {"janus": "event", "plugindata": {"data": {"id": 5}}}
        step = asked["body"]["request"]
        if step == "publish":
            await self._wait_at(step)
            answer["jsep"] = {
                "type": "answer",
                "sdp": await self._media.accept_offer(asked["jsep"]["sdp"]),
            }
        return answer

    async def _wait_at(self, step: str) -> None:
        if step == self._step:
            self.asked.set()
            await self.goes_on.wait()


@asynccontextmanager
async def listening(slow: SlowServer) -> AsyncIterator[str]:
    protocol = Subprotocol("janus-protocol")
    async with serve(
        slow.serve, "127.0.0.1", 0, subprotocols=[protocol], process_request=slow.take
    ) as server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.mark.parametrize("step", STEPS)
async def test_nothing_begins_any_more_when_the_session_ends_with_it(step: str) -> None:
    failures: list[tuple[str, BaseException]] = []
    tasks = TaskOwner("test", on_failure=lambda name, failure: failures.append((name, failure)))
    told: list[MediaInput] = []
    published: list[Event] = []

    def nobody(peer: Did) -> Any:
        raise AssertionError(f"{peer} is not heard before the room is entered")

    async with TaskOwner("server") as theirs, asyncio.timeout(15):
        media = MediaLink(LOOPBACK, certificate(), theirs, name="ann", events=LinkEvents())
        slow = SlowServer(step, media)
        async with listening(slow) as url, media:
            room = RoomMedia(
                Did("did:key:ann"),
                LOOPBACK,
                tasks,
                listener=nobody,
                tell=told.append,
                publish=published.append,
                codec=CodecSettings(),
                clock=MonotonicClock(),
            )
            room.use_keys(FIRST_KEY, ())
            room.enter(room_place(url, INVITATION))
            await slow.asked.wait()
            room.leave()
            for _ in range(FAREWELL_TURNS):
                await asyncio.sleep(0)
            asyncio.get_running_loop().call_soon(slow.goes_on.set)  # once nothing can be begun any more
            await tasks.aclose(patience_s=10.0)
    assert failures == []
    assert told == []
    assert published == []
