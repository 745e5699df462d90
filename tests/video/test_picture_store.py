"""What was seen last of everybody."""

import asyncio
import threading

import pytest

from blink_cli.core.api.camera_name import PictureSize
from blink_cli.core.ids import Did
from blink_cli.video.picture import Picture, black
from blink_cli.video.picture_store import PictureStore

pytestmark = pytest.mark.no_clock

ANNA, BERT = Did("did:key:anna"), Did("did:key:bert")


def picture(captured_at: float = 1.0) -> Picture:
    return black(PictureSize(16, 16), captured_at)


async def test_it_holds_the_newest_of_each() -> None:
    store = PictureStore()
    assert store.latest(ANNA) is None
    pictures = [picture(k) for k in range(3)]
    for one in pictures:
        store.put(ANNA, one)
    store.put(BERT, picture())
    latest = store.latest(ANNA)
    assert latest is not None
    assert (latest.number, latest.picture) == (3, pictures[-1])
    assert set(store.seen()) == {ANNA, BERT}


async def test_numbers_go_on_when_a_camera_was_off() -> None:
    store = PictureStore()
    store.put(ANNA, picture())
    store.remove(ANNA)
    assert store.latest(ANNA) is None
    store.put(ANNA, picture())
    latest = store.latest(ANNA)
    assert latest is not None
    assert latest.number == 2


async def test_who_waits_gets_what_another_thread_puts() -> None:
    store = PictureStore()
    waiting = [asyncio.create_task(store.newer(ANNA, 0, 60)) for _ in range(2)]  # noqa: TID251 - awaited below
    other = asyncio.create_task(store.newer(BERT, 0, 60))  # noqa: TID251 - cancelled below
    await asyncio.sleep(0)
    shown = picture()
    thread = threading.Thread(target=store.put, args=(ANNA, shown))
    thread.start()
    thread.join()
    for task in waiting:
        seen = await task
        assert seen is not None
        assert (seen.number, seen.picture) == (1, shown)
    assert not other.done()
    other.cancel()
    with pytest.raises(asyncio.CancelledError):
        await other


async def test_who_comes_late_misses_those_in_between() -> None:
    store = PictureStore()
    store.put(ANNA, picture())
    first = await store.newer(ANNA, 0, 60)
    assert first is not None
    for _ in range(5):
        store.put(ANNA, picture())
    newest = await store.newer(ANNA, first.number, 60)
    assert newest is not None
    assert newest.number == 6


async def test_waiting_ends_when_nothing_comes() -> None:
    store = PictureStore()
    store.put(ANNA, picture())
    assert await store.newer(ANNA, 1, 0.01) is None
