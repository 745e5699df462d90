"""The door between a user interface and a session: in this process, or behind the control socket."""

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Protocol

from blink_cli.core.api.replies.status import Status
from blink_cli.core.api.requests import R, Request

if TYPE_CHECKING:
    from blink_cli.core.api.events import Event


class SessionPort(Protocol):
    """Ask, and listen. Both implementations behave the same, errors included."""

    async def ask(self, request: Request[R]) -> R:
        """Carry out a request, and return the reply that it names.

        Cancelling is safe: a request that waits (`wait_s`) stops waiting, and what it began (the offer, the accepted call) stays.

        Raises:
            BlinkError: What went wrong, for the user.

        """
        ...

    def events(self) -> "AsyncGenerator[Event | Status, None]":
        """The snapshot first, then every event. Ends when the session ends. A slow reader gets `EventsMissed`. Close it (`contextlib.aclosing`)."""
        ...
