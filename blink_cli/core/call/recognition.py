"""Whether the others know this session's present life in its call, or take a newer one for it that is over."""

import math
from dataclasses import dataclass

from blink_cli.core.call.facts import LinkState
from blink_cli.core.call.settings import CallSettings
from blink_cli.core.ids import Did
from blink_cli.core.signaling.signals import PeerReception

_OVER = (LinkState.ABSENT.value, LinkState.LOST.value)


@dataclass(slots=True)
class _Telling:
    """What one participant tells of a newer life of ours."""

    over: bool
    """Whether that one has left or is lost, for the teller."""
    since: float
    at: float


class Recognition:
    """What the others' announces say about the present life of this session. Moments are monotonic seconds.

    A newer life that somebody tells of is an earlier one of ours, from before a crash, or another session of this identity that took the
    call over. Only in the first case may this session take a newer one still.
    """

    def __init__(self, settings: CallSettings) -> None:
        self._settings = settings
        self.counted_in_at = -math.inf
        """When somebody's announce last showed that it knows this life; minus infinity before the first."""
        self._tellings: dict[Did, _Telling] = {}
        self._heeded: set[Did] = set()
        """On whose word alone this session took a newer life."""

    @property
    def was_counted_in(self) -> bool:
        """Whether anybody ever knew this life, or one before it of the same joining."""
        return self.counted_in_at > -math.inf

    def counted_in(self, by: Did, now: float) -> None:
        """This participant knows the present life."""
        self.counted_in_at = now
        self._tellings.pop(by, None)

    def tells_nothing(self, by: Did) -> None:
        """This participant tells of no newer life, or is gone."""
        self._tellings.pop(by, None)

    def is_passed_over(self, by: Did, hearing: PeerReception, now: float) -> bool:
        """Whether the newer life that this participant tells of is over, so that we have to take one that is newer still.

        It is when nobody ever counted the present life in; or when that one has left or is lost, and nobody counts us in now. Some may
        count us in who never heard of the newer life, while others wait for it: then it is when they have waited for a while and
        nobody hears it. Each of them is heeded so once, as nobody can make us drop our links again and again.
        """
        over = hearing.link in _OVER
        told = self._tellings.get(by)
        if told is None or told.over != over:
            told = self._tellings[by] = _Telling(over, now, now)
        told.at = now
        if not over:
            return not self.was_counted_in
        if now >= self.counted_in_at + self._settings.unheeded_s:
            return True
        if by in self._heeded or now < told.since + self._settings.overtaken_s or self._is_alive(now):
            return False
        self._heeded.add(by)
        return True

    def _is_alive(self, now: float) -> bool:
        since = now - self._settings.unheeded_s
        return any(not told.over and told.at > since for told in self._tellings.values())
