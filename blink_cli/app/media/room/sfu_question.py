"""Whether an SFU can carry a call: a room of nobody is made there, entered, connected to, and taken down again."""

import asyncio
import secrets
import time
from typing import Final

import msgspec
from typing_extensions import override

from blink_cli.core.api.sfu_server import SfuAccess
from blink_cli.core.errors import BlinkError
from blink_cli.core.media.room import RoomPlace, room_place
from blink_cli.net.link.link_events import LinkEvents
from blink_cli.net.link.media_link import MediaLink
from blink_cli.net.link_settings import (
    LinkCertificate,
    LinkClosed,
    LinkConnected,
    LinkFailed,
    LinkSettings,
    LinkState,
)
from blink_cli.net.sfu import video_room
from blink_cli.net.sfu.janus_session import JanusSession
from blink_cli.runtime.tasks import TaskOwner

MEDIA_S: Final = 4.0
"""A server whose media do not answer for so long is not reached by them."""

NO_MEDIA: Final = "its media are not reached"


class SfuAnswer(msgspec.Struct, frozen=True):
    """What was found."""

    problem: str | None
    """The end of a sentence that begins with the server; None: it can carry a call."""

    media_s: float | None = None
    """How long the connection took."""


class _Standing(LinkEvents):
    def __init__(self) -> None:
        self.stands: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    @override
    def state_changed(self, state: LinkState) -> None:
        if isinstance(state, LinkConnected | LinkFailed | LinkClosed) and not self.stands.done():
            self.stands.set_result(isinstance(state, LinkConnected))


async def ask_sfu(url: str, access: SfuAccess) -> SfuAnswer:
    """Try all that a call needs of this server. Takes some seconds at most, and leaves nothing there."""
    place = room_place(url, secrets.token_bytes(32))
    async with TaskOwner("ask an SFU") as tasks:
        try:
            async with JanusSession(url, tasks, lost=lambda _: None, access=access) as session:
                return await _tried(session, place, access, tasks)
        except BlinkError as failure:
            return SfuAnswer(failure.message.removeprefix(f"The SFU {url} ").rstrip("."))


async def _tried(session: JanusSession, place: RoomPlace, access: SfuAccess, tasks: TaskOwner) -> SfuAnswer:
    handle = await session.attach()
    entrance = await video_room.enter(handle, place, admin_key=access.admin_key)
    standing = _Standing()
    link = MediaLink(
        LinkSettings(redundancy=False, audio_level=False),
        LinkCertificate(),
        tasks,
        name="question",
        events=standing,
    )
    try:
        answer = await video_room.publish(handle, await link.create_offer())
        began_s = time.monotonic()
        await link.accept_answer(answer)
        async with asyncio.timeout(MEDIA_S):
            stands = await standing.stands
        return SfuAnswer(None if stands else NO_MEDIA, time.monotonic() - began_s)
    except TimeoutError:
        return SfuAnswer(NO_MEDIA)
    finally:
        await link.aclose()
        if entrance.secret is not None:
            await video_room.take_down(handle, place, entrance.secret)
