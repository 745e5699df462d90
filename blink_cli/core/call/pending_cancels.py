"""What is still being said after its call is gone: Cancels, repeated until acknowledged, but not for ever."""

import math

from blink_cli.core.call.settings import CallSettings
from blink_cli.core.ids import CallId


class PendingCancels:
    """Calls that are gone here and whose last direct signals may still be repeated; bounded in number and time."""

    __slots__ = ("_settings", "_until")

    def __init__(self, settings: CallSettings) -> None:
        self._settings = settings
        self._until: dict[CallId, float] = {}

    def __len__(self) -> int:
        return len(self._until)

    @property
    def due_at(self) -> float:
        """When the oldest ends; infinity when there is none."""
        return next(iter(self._until.values()), math.inf)

    def begin(self, call_id: CallId, now: float) -> tuple[CallId, ...]:
        """Keep saying goodbye in this call; returns the calls whose repetition must stop to make room."""
        self._until[call_id] = now + self._settings.farewell_s
        crowded = tuple(self._until)[: max(0, len(self._until) - self._settings.max_pending_cancels)]
        for gone in crowded:
            del self._until[gone]
        return crowded

    def ended(self, now: float) -> tuple[CallId, ...]:
        """The calls whose time is up."""
        over = tuple(call_id for call_id, until in self._until.items() if until <= now)
        for gone in over:
            del self._until[gone]
        return over
