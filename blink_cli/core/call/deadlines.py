"""When something is due in a call because of its participants; worked out anew only as far as an input can have changed it.

With thirty others there are thirty announces a second, and packets of some, and each of those only puts off what a look at all thirty would find again.
While sixty come, each of them hears each of the others some ten times.
"""

import math
from collections.abc import Callable, Collection

from blink_cli.core.ids import Did


class Deadlines:
    """Of one call. Unless an input says otherwise, everything may be due sooner behind it."""

    def __init__(
        self,
        participants: Collection[Did],
        due_with: Callable[[Did], float],
        due_besides: Callable[[float], float],
    ) -> None:
        """Know nothing yet.

        Args:
            participants: Who may be in the call.
            due_with: When something is due because of one of them alone, in monotonic seconds.
            due_besides: The earlier of this moment and whatever else is due.

        """
        self._participants = participants
        self._due_with = due_with
        self._due_besides = due_besides
        self._due_of: dict[Did, float] = {}
        self._soonest = -math.inf
        self._only_later = False
        self._is_narrow = False
        self._touched: dict[Did, None] = {}
        self._all_moved = True

    def bear_on(self, did: Did) -> None:
        """The present input changes what is due because of this participant, and of those who are `touched` behind it."""
        self._is_narrow = True
        self._touched[did] = None

    def touched(self, did: Did) -> None:
        """What is due because of this participant may have changed too, and may be sooner."""
        self._touched[did] = None
        self._only_later = False

    def only_later(self) -> None:
        """The present input has put off what is due, and brought nothing forward."""
        self._only_later = True

    def all_moved(self) -> None:
        """What is due because of each participant has changed."""
        self._all_moved = True

    def next_timeout(self) -> float:
        """When something is due, or earlier; to be asked behind every input."""
        if not self._only_later:
            self._soonest = self._search()
        self._only_later = self._is_narrow = False
        return self._soonest

    def _search(self) -> float:
        narrow = self._is_narrow and not self._all_moved
        for did in self._touched if narrow else self._participants:
            self._due_of[did] = self._due_with(did)
        self._touched, self._all_moved = {}, False
        return self._due_besides(min(self._due_of.values(), default=math.inf))
