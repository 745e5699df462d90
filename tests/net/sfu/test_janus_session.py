"""Sessions at a real Janus: what it answers, and how soon its end is noticed."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from blink_cli.core.media.room import room_place
from blink_cli.lab.janus_server import JanusServer
from blink_cli.net.sfu import video_room
from blink_cli.net.sfu.janus_session import JanusSession, SfuError
from blink_cli.runtime.tasks import TaskOwner

KEY = b"k" * 32


@pytest.fixture(scope="module")
def janus() -> Iterator[JanusServer]:
    with JanusServer() as server:
        yield server


@pytest_asyncio.fixture
async def tasks() -> AsyncIterator[TaskOwner]:
    async with TaskOwner("test") as owner:
        yield owner


def nobody(reason: str) -> None:
    raise AssertionError(reason)


async def test_who_finds_no_room_makes_it_and_others_come_in(janus: JanusServer, tasks: TaskOwner) -> None:
    place = room_place(janus.url, KEY)
    async with (
        JanusSession(janus.url, tasks, lost=nobody) as one,
        JanusSession(janus.url, tasks, lost=nobody) as two,
    ):
        entrances = await asyncio.gather(
            *[video_room.enter(await session.attach(), place) for session in (one, two)]
        )
        feeds = [entrance.feed for entrance in entrances]
        assert len(set(feeds)) == 2
        assert sum(entrance.secret is not None for entrance in entrances) == 1, "one of them has made it"
        with pytest.raises(SfuError) as refused:
            await video_room.subscribe(await one.attach(), place, 1, video_room.VOICE_MID)
        assert refused.value.number == video_room.NO_SUCH_FEED
        for request in ("kick", "edit", "destroy"):
            wanted = {"request": request, "room": place.room, "secret": place.pin, "id": feeds[0]}
            with pytest.raises(SfuError, match="Unauthorized"):
                await (await two.attach()).request(wanted)
        with pytest.raises(SfuError, match="pin"):
            await video_room.enter(
                await two.attach(), room_place(janus.url, KEY).__class__(place.url, place.room, "x")
            )


async def test_who_made_a_room_ends_it_when_he_is_the_last_to_leave(
    janus: JanusServer, tasks: TaskOwner
) -> None:
    place = room_place(janus.url, b"another" + KEY[7:])
    async with JanusSession(janus.url, tasks, lost=nobody) as maker:
        handle = await maker.attach()
        made = await video_room.enter(handle, place)
        assert made.secret is not None
        async with JanusSession(janus.url, tasks, lost=nobody) as guest:
            assert (await video_room.enter(await guest.attach(), place)).secret is None
            assert await video_room.others_in(handle, place, made.feed)
        async with asyncio.timeout(10):
            while await video_room.others_in(handle, place, made.feed):
                pass  # the server has not done yet what the guest said last
        await video_room.take_down(handle, place, made.secret)
    async with JanusSession(janus.url, tasks, lost=nobody) as later:
        assert (await video_room.enter(await later.attach(), place)).secret is not None, "there was none"


async def test_it_is_told_once_that_the_server_is_gone(tasks: TaskOwner) -> None:
    with JanusServer() as server:
        told: list[str] = []
        async with JanusSession(server.url, tasks, lost=told.append) as session:
            server.kill()
            began_s = time.monotonic()
            with pytest.raises(SfuError, match="closed the connection"):
                await session.attach()
            assert time.monotonic() - began_s < 1
            assert len(told) == 1
            assert server.url in told[0]


async def test_a_server_that_stands_still_is_noticed_in_three_seconds(
    janus: JanusServer, tasks: TaskOwner
) -> None:
    lost = asyncio.get_running_loop().create_future()
    async with JanusSession(janus.url, tasks, lost=lost.set_result):
        janus.freeze()
        try:
            began_s = time.monotonic()
            assert "does not answer" in await asyncio.wait_for(lost, 5)
            assert time.monotonic() - began_s < 3.2
        finally:
            janus.thaw()


@pytest.mark.parametrize("host", ["127.0.0.1:9", "a" * 64 + ".invalid:9", "a..invalid:9"])
async def test_where_nothing_can_listen_it_is_said_at_once(tasks: TaskOwner, host: str) -> None:
    with pytest.raises(SfuError, match="cannot be reached"):
        async with JanusSession(f"ws://{host}", tasks, lost=nobody):
            pass
