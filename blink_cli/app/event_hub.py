"""Hands every event to every listener, without ever waiting for one."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

from blink_cli.core.api.events import Event, EventsMissed

BACKLOG_EVENTS: Final = 512
"""What a listener may leave unread. A call of twelve makes some thirty events a second when everybody talks at once."""


class Listener:
    """One reader's backlog. When it is full the oldest event goes, and the reader is told how many went."""

    def __init__(self) -> None:
        self._backlog: deque[Event] = deque()
        self._missed = 0
        self._closed = False
        self._ready = asyncio.Event()

    def offer(self, event: Event) -> None:
        """Add an event; never blocks."""
        if len(self._backlog) >= BACKLOG_EVENTS:
            self._backlog.popleft()
            self._missed += 1
        self._backlog.append(event)
        self._ready.set()

    def close(self) -> None:
        """The reader gets what is left, then its iteration ends."""
        self._closed = True
        self._ready.set()

    async def next_event(self) -> Event | None:
        """The oldest unread event; None at the end. Cancelling is safe: no event is lost."""
        while not self._backlog:
            if self._closed:
                return None
            self._ready.clear()
            await self._ready.wait()
        if self._missed:
            missed, self._missed = self._missed, 0
            return EventsMissed(count=missed)
        return self._backlog.popleft()


class EventHub:
    """Belongs to the event loop's thread."""

    def __init__(self) -> None:
        self._listeners: set[Listener] = set()
        self._named: Callable[[Event], Event] = lambda event: event

    def name_with(self, named: Callable[[Event], Event]) -> None:
        """Let every event from now on have its peer's name as `named` gives it: what a peer calls itself is a claim."""
        self._named = named

    def publish(self, event: Event) -> None:
        """Give the event to everyone who listens now."""
        event = self._named(event)
        for listener in self._listeners:
            listener.offer(event)

    def listen(self) -> Listener:
        """Hear every event from now on, until `forget`."""
        listener = Listener()
        self._listeners.add(listener)
        return listener

    def forget(self, listener: Listener) -> None:
        """Stop collecting for a listener."""
        self._listeners.discard(listener)
        listener.close()

    def close(self) -> None:
        """End every iteration."""
        for listener in list(self._listeners):
            self.forget(listener)
