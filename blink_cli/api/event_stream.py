"""The events of a session, as a program reads them."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from types import TracebackType
from typing import Self

from blink_cli.core.api.events import Event
from blink_cli.core.api.replies.status import Status
from blink_cli.core.errors import session_ended
from blink_cli.runtime.tasks import TaskOwner


class EventStream:
    """Events by `async for`, until the session ends. One reader; a session has as many streams as one likes.

        async with session.events() as events:      what happens from here on is heard
            await session.offer("bob")
            async for event in events: ...

    Without `async with` it begins at the first step of `async for`. Who reads too slowly gets `EventsMissed` in place of what went.
    """

    def __init__(
        self,
        follow: Callable[[], AsyncGenerator[Event | Status, None]],
        closed: Callable[["EventStream"], None],
    ) -> None:
        self._follow = follow
        self._told_closed = closed
        self._source: AsyncGenerator[Event | Status, None] | None = None
        self._next: asyncio.Task[Event | Status | None] | None = None
        self._snapshot: Status | None = None
        self._tasks = TaskOwner("events", on_failure=lambda *_: None)  # each is awaited by the reader

    @property
    def snapshot(self) -> Status:
        """How the session was when the stream began: the events continue it.

        Raises:
            RuntimeError: It has not begun.

        """
        if self._snapshot is None:
            raise RuntimeError("the stream has not begun: use `async with`")
        return self._snapshot

    async def begin(self) -> None:
        """Listen from now on. Does nothing if it does. Cancelling is safe.

        Raises:
            NoSessionError: The session has ended.

        """
        while self._snapshot is None:
            first = await self._step()
            if first is None:
                raise session_ended()
            if isinstance(first, Status):
                self._snapshot = first

    async def aclose(self) -> None:
        """Listen no more. Safe to call twice."""
        await self._tasks.aclose()
        source, self._source = self._source, None
        if source is not None:
            await source.aclose()
        self._told_closed(self)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        """Return the next event. Cancelling is safe: no event is lost."""
        await self.begin()
        event = await self._step()
        if event is None:
            raise StopAsyncIteration
        assert not isinstance(event, Status), "the snapshot comes once"
        return event

    async def __aenter__(self) -> Self:
        try:
            await self.begin()
        except BaseException:
            await self.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def _step(self) -> Event | Status | None:
        """The next thing that is told; None at the end. A generator whose step is cancelled is over, so each step is a task of its own."""
        if self._tasks.closed:
            return None
        if self._source is None:
            self._source = self._follow()
        if self._next is None:
            self._next = self._tasks.start(_next_of(self._source), name="next")
        task = self._next
        await asyncio.wait((task,))
        self._next = None
        return None if task.cancelled() else task.result()


async def _next_of(source: AsyncGenerator[Event | Status, None]) -> Event | Status | None:
    return await anext(source, None)
