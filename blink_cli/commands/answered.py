"""A session as the lines of a prompt ask it: an event of what a line did says again what its answer says, and is not told.

    mark hello  ->  marked: hello     the answer; the event `marked` would be a second line like it

The event comes before the answer or behind it, as tasks happen to run. What other terminals do, and what the session does by itself, is told.
"""

import math
import time
from collections.abc import AsyncGenerator, Callable
from typing import Any, Final

from blink_cli.core.api.events import (
    CodecChanged,
    DeviceChanged,
    Event,
    ImpairmentChanged,
    Marked,
    RtpLogStarted,
    RtpLogStopped,
)
from blink_cli.core.api.replies.status import Status
from blink_cli.core.api.requests import (
    Mark,
    R,
    Request,
    SetCodec,
    SetDevice,
    SetImpairment,
    StartRtpLog,
    StopRtpLog,
)
from blink_cli.core.api.session_port import SessionPort

BEHIND_S: Final = 1.0
"""An event of the same kind that comes so long after the answer is of something else."""

_EVENTS: Final[dict[type[Request[Any]], type[Event]]] = {
    SetDevice: DeviceChanged,
    SetCodec: CodecChanged,
    SetImpairment: ImpairmentChanged,
    Mark: Marked,
    StartRtpLog: RtpLogStarted,
    StopRtpLog: RtpLogStopped,
}


class AnsweredSession:
    """A `SessionPort` that knows which events its answers have told. Belongs to one event loop."""

    def __init__(self, session: SessionPort, *, now_s: Callable[[], float] = time.monotonic) -> None:
        self._session = session
        self._now_s = now_s
        self._told: type[Event] | None = None
        self._until_s = 0.0

    async def ask(self, request: Request[R]) -> R:
        """See `SessionPort.ask`."""
        told = _EVENTS.get(type(request))
        if told is None:
            return await self._session.ask(request)
        self._told, self._until_s = told, math.inf
        try:
            reply = await self._session.ask(request)
        except BaseException:
            self._told = None  # nobody tells it: whatever comes is news
            raise
        self._until_s = self._now_s() + BEHIND_S
        return reply

    def events(self) -> "AsyncGenerator[Event | Status, None]":
        """See `SessionPort.events`."""
        return self._session.events()

    def has_told(self, event: Event) -> bool:
        """Whether an answer tells what this event does; once for each answer."""
        if self._told is None or not isinstance(event, self._told) or self._now_s() > self._until_s:
            return False
        self._told = None
        return True
