"""What a client of the control socket hears. Only one that listens loads this: the events' classes and their decoder take longer than a whole question."""

import msgspec

from blink_cli.app.event_hub import Listener
from blink_cli.core.api.event_content import decode_event
from blink_cli.core.api.events import Event


class EventStream:
    """The events of one subscription, from the socket to who reads them."""

    def __init__(self) -> None:
        self._listener = Listener()

    def take(self, content: msgspec.Raw) -> None:
        """Hear an event; one of a later version is passed over. Never blocks."""
        event = decode_event(content)
        if event is not None:
            self._listener.offer(event)

    def close(self) -> None:
        """No more comes: the reader gets what is left, then the end."""
        self._listener.close()

    async def next_event(self) -> Event | None:
        """The oldest unread event; None at the end. Cancelling is safe: no event is lost."""
        return await self._listener.next_event()
