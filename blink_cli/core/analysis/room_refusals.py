"""What came through a room and was refused, of one call: counted, and told when it lasts.

A server that is honest passes on what was sealed, once and unchanged. Now and then one is refused all the same: a packet under a key of which this
session has not heard yet. Pure.
"""

from dataclasses import dataclass
from typing import Final

from blink_cli.core.analysis.quality import LastingProblem, ProblemChange
from blink_cli.core.sframe.frame_opener import OpenCounters

LOOK_S: Final = 1.0
LASTING_S: Final = 5.0
"""A change of keys takes two round trips; a member that missed it asks for the key, and has it sooner."""

LEAST_EACH_LOOK: Final = 5
"""A tenth of one voice."""


@dataclass(frozen=True, slots=True)
class RefusalsChange:
    """To be told."""

    began: bool
    """Else they are over."""

    since: OpenCounters
    """What was refused since it began."""


class RoomRefusals:
    """Of one call, in whatever rooms it is."""

    def __init__(self) -> None:
        """Have refused nothing."""
        self.counters: Final = OpenCounters()
        self._before = 0
        self._due_s = 0.0
        self._lasting = LastingProblem(LASTING_S)
        self._begin = OpenCounters()

    def look(self, now_s: float) -> RefusalsChange | None:
        """Return what is to be told; to be called some times a second."""
        if now_s < self._due_s:
            return None
        self._due_s = now_s + LOOK_S
        refused, self._before = self.counters.refused - self._before, self.counters.refused
        was_told = self._lasting.told
        wrong = refused >= LEAST_EACH_LOOK
        if not wrong and not was_told:
            self._begin = self.counters.copy()
        change = self._lasting.update(wrong=wrong, now_s=now_s)
        if change is None:
            return None
        since = self.counters.less(self._begin)
        if change is ProblemChange.ENDED:
            self._begin = self.counters.copy()
        return RefusalsChange(change is ProblemChange.BEGAN, since)
