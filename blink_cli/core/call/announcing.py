"""When this session announces itself in its call."""

import math

from blink_cli.core.call.settings import CallSettings


class Announcer:
    """The schedule of one joining's announces: hurried after a change, then about every second."""

    __slots__ = ("_hurried_at", "_last_at", "_reply_at", "_sequence", "_settings")

    def __init__(self, settings: CallSettings, now: float) -> None:
        self._settings = settings
        self._sequence = 0
        self._last_at = now - settings.announce_interval_s
        self._hurried_at: list[float] = []
        self._reply_at = math.inf

    @property
    def due_at(self) -> float:
        """When the next announce is due."""
        hurried_at = self._hurried_at[0] if self._hurried_at else math.inf
        return min(self._last_at + self._settings.announce_interval_s, hurried_at, self._reply_at)

    def repeats_news(self, now: float) -> bool:
        """Whether an announce that goes out now says again what has changed lately."""
        waiting = self._hurried_at
        return 0 < len(waiting) < len(self._settings.hurried_announces_s) and waiting[0] <= now

    def hurry(self, now: float) -> None:
        """Something changed: announce now and a few times more in the next half second."""
        self._hurried_at = [now + distance for distance in self._settings.hurried_announces_s]

    def reply(self, now: float) -> None:
        """Somebody does not know us: announce now, or as soon as the gap since the last one allows."""
        self._reply_at = min(self._reply_at, max(now, self._last_at + self._settings.reply_gap_s))

    def take(self, now: float) -> int:
        """An announce goes out now: its sequence number."""
        self._hurried_at = [at for at in self._hurried_at if at > now]
        self._reply_at = math.inf
        self._last_at = now
        return self.number()

    def number(self) -> int:
        """The sequence number of what is said next."""
        self._sequence += 1
        return self._sequence
