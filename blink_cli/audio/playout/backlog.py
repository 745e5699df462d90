"""How long sound may wait: playing faster catches up with a freeze, but what it does not catch up with would be delay for the rest of the call."""

from blink_cli.audio.playout.delay_target import DelayTarget
from blink_cli.audio.playout.settings import PlayoutSettings


class Backlog:
    """Of one stream. Times in seconds."""

    __slots__ = ("_capacity_s", "_in_excess_since_s", "_patience_s", "_target", "excess_s")

    def __init__(self, settings: PlayoutSettings, target: DelayTarget) -> None:
        self._target = target
        self._capacity_s = settings.capacity_ms / 1000
        self._patience_s = settings.excess_s
        self.excess_s = settings.excess_ms / 1000
        """Beyond the target by no more than this, nothing waits too long."""

        self._in_excess_since_s: float | None = None
        """Since when sound has been waiting longer than that."""

    def is_over(self) -> None:
        """Nothing waits, or not for longer than it may for good."""
        self._in_excess_since_s = None

    def allowed_delay_s(self, delay_s: float, now_s: float) -> float | None:
        """How long what waits may have waited, if it has waited for longer than the target and `excess_s`; None: as long as it has."""
        if self._in_excess_since_s is None:
            self._in_excess_since_s = now_s
        if now_s - self._in_excess_since_s > self._patience_s:
            self._in_excess_since_s = None
            return self._target.target_s
        return self._capacity_s if delay_s > self._capacity_s + self._target.target_s else None
