"""Pictures of one participant, asked for again and again."""

import asyncio
from typing import Any

import pytest

from blink_cli.commands.picture_feed import follow_pictures
from blink_cli.core.api.replies.pictures import PictureShown
from blink_cli.core.errors import NotFoundError
from blink_cli.core.identity.did import did_of

pytestmark = pytest.mark.no_clock(sockets=True)

BOB = did_of(bytes(32))


class _Overlay:
    def wanted(self, _: str) -> tuple[int, int]:
        return 2, 2

    async def until_free(self) -> None:
        return

    def remove(self, _: str) -> None:
        return


class _Session:
    """Where somebody else of the same name appears after the first question."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.often = asyncio.Event()

    async def ask(self, request: Any) -> PictureShown:
        self.asked.append(request.peer)
        if request.peer == "bob" and len(self.asked) > 1:
            raise NotFoundError("'bob' could be several peers.")
        if len(self.asked) == 3:
            self.often.set()
        return PictureShown(did=BOB, nickname="bob", visible=False, picture=None)


async def test_a_name_is_looked_up_once() -> None:
    session: Any = _Session()
    overlay: Any = _Overlay()
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        feed = tasks.create_task(
            follow_pictures(session, overlay, "bob", "bob", fps=60, noted=lambda _: None), name="feed"
        )
        await session.often.wait()
        feed.cancel()
    assert session.asked == ["bob", BOB, BOB]
