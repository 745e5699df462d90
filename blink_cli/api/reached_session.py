"""A session that a program holds: one that it has opened itself, or one of another process.

OpenedSession     app.session.Session in this process
AttachedSession   the control socket; a connection of its own for each that follows events
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Iterable
from typing import TYPE_CHECKING, Protocol

from blink_cli.app.control.control_client import ControlClient
from blink_cli.app.control.control_socket import ControlDoor
from blink_cli.core.api.events import Event
from blink_cli.core.api.replies.status import Status
from blink_cli.core.api.requests import R, Request
from blink_cli.core.api.session_port import SessionPort
from blink_cli.core.errors import StateError, session_ended
from blink_cli.core.media.tap_point import TapPoint

if TYPE_CHECKING:
    from blink_cli.app.media.sound_taps import SoundTap  # numpy


class ReachedSession(SessionPort, Protocol):
    """What `api.session.Session` needs."""

    async def until_ended(self) -> None:
        """Return when it has been told to end, or has ended. Cancelling is safe."""

    def tap(self, points: Iterable[TapPoint]) -> "SoundTap":
        """Hand out its sound.

        Raises:
            StateError: It is another process's.

        """


class TappableSession(SessionPort, Protocol):
    """What `app.session.Session` is to a program."""

    @property
    def ended(self) -> asyncio.Event:
        """Set when it was told to quit."""

    def tap(self, points: Iterable[TapPoint]) -> "SoundTap":
        """Hand out its sound."""


class OpenedSession:
    """A session of this process. Implements `ReachedSession`."""

    def __init__(self, session: TappableSession) -> None:
        self._session = session
        self._closed = False

    def close(self) -> None:
        """Refuse from now on: the session itself is closed by whoever opened it."""
        self._closed = True

    async def ask(self, request: Request[R]) -> R:
        """See `SessionPort.ask`.

        Raises:
            NoSessionError: It was closed.

        """
        if self._closed:
            raise session_ended()
        return await self._session.ask(request)

    def events(self) -> AsyncGenerator[Event | Status, None]:
        """See `SessionPort.events`.

        Raises:
            NoSessionError: It was closed.

        """
        if self._closed:
            raise session_ended()
        return self._session.events()

    async def until_ended(self) -> None:
        """See `ReachedSession`."""
        await self._session.ended.wait()

    def tap(self, points: Iterable[TapPoint]) -> "SoundTap":
        """See `ReachedSession`."""
        if self._closed:
            raise session_ended()
        return self._session.tap(points)


class AttachedSession:
    """A session of another process, or of another part of this one. Implements `ReachedSession`."""

    def __init__(self, door: ControlDoor, client: ControlClient) -> None:
        self._door = door
        self._client = client

    async def ask(self, request: Request[R]) -> R:
        """See `SessionPort.ask`.

        Raises:
            NoSessionError: It has ended.

        """
        return await self._client.ask(request)

    async def events(self) -> AsyncGenerator[Event | Status, None]:
        """See `SessionPort.events`. As many as one likes."""
        async with (
            await ControlClient.connect(self._door) as follower,
            contextlib.aclosing(follower.events()) as events,
        ):
            async for event in events:
                yield event

    async def until_ended(self) -> None:
        """See `ReachedSession`: it has ended, and its profile is free."""
        await self._client.until_ended()

    def tap(self, points: Iterable[TapPoint]) -> "SoundTap":
        """Refuse: sound does not pass the control socket."""
        del points
        raise StateError(
            "The sound of a session can be had in its own process only.",
            hint="Open it there with `open_session`; of another one `record.start` writes the sound to files.",
        )
