"""When this session announces itself in its call."""

from blink_cli.core.call.settings import CallSettings


class Announcer:
    """The schedule of one joining's announces: hurried after a change, then about every second."""

    __slots__ = ("_hurried_at", "_last_at", "_sequence", "_settings")

    def __init__(self, settings: CallSettings, now: float) -> None:
        self._settings = settings
        self._sequence = 0
        self._last_at = now - settings.announce_interval_s
        self._hurried_at: list[float] = []

    @property
    def due_at(self) -> float:
        """When the next announce is due."""
        regular = self._last_at + self._settings.announce_interval_s
        return min(regular, self._hurried_at[0]) if self._hurried_at else regular

    def hurry(self, now: float) -> None:
        """Something changed: announce now and a few times more in the next half second."""
        self._hurried_at = [now + distance for distance in self._settings.hurried_announces_s]

    def reply(self, now: float) -> None:
        """Somebody does not know us: announce now, or as soon as the gap since the last one allows."""
        at = max(now, self._last_at + self._settings.reply_gap_s)
        if at < self.due_at:
            self._hurried_at.insert(0, at)

    def take(self, now: float) -> int:
        """An announce goes out now: its sequence number."""
        self._hurried_at = [at for at in self._hurried_at if at > now]
        self._last_at = now
        self._sequence += 1
        return self._sequence
