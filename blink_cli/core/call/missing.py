"""Participants of which nothing is heard, and that may have crashed and forgotten the call: they are offered it again, by one after the other of those who are here."""

import math
from collections.abc import Callable

from blink_cli.core.call.effects import SendToPeer, StopSending
from blink_cli.core.call.joining import Joining
from blink_cli.core.ids import Did
from blink_cli.core.signaling.signals import Offer


class Missing:
    """Of one joining. Its effects go into the outbox; moments are monotonic seconds."""

    def __init__(self, joining: Joining, offer: Callable[[], Offer]) -> None:
        """Miss nobody; `offer` is the call's of now."""
        self._call = joining.call
        self._links = joining.links
        self._settings = joining.settings
        self._out = joining.out
        self._offer = offer
        self._offer_at: dict[Did, float] = {}
        """When this session's turn comes to offer somebody the call again; infinity when that is done."""

    @property
    def anybody(self) -> bool:
        """Whether anybody is missing."""
        return bool(self._offer_at)

    def is_offered(self, did: Did) -> bool:
        """Whether this session has offered it the call again."""
        return self._offer_at.get(did) == math.inf

    def falls_silent(self, did: Did, now: float) -> None:
        """It is not heard for too long."""
        if did not in self._offer_at:
            self._offer_at[did] = now + self._turn() * self._settings.reoffer_step_s

    def is_lost(self, did: Did, now: float) -> None:
        """It is no participant any more for want of signs."""
        self._offer_at[did] = now

    def found(self, did: Did) -> None:
        """It was heard, or its media were."""
        if not self._links[did].awaits_sign:
            self.forget(did)

    def forget(self, did: Did) -> None:
        """Miss it no more."""
        if self._offer_at.pop(did, None) == math.inf:
            self._out.append(StopSending(self._call.call_id, did))

    @property
    def due_at(self) -> float:
        """When somebody is to be offered the call."""
        return min(self._offer_at.values(), default=math.inf)

    def handle_timeout(self, now: float) -> None:
        """Offer the call to those whose turn it is."""
        for did, offer_at in self._offer_at.items():
            if now >= offer_at:
                self._offer_at[did] = math.inf
                self._out.append(SendToPeer(did, self._offer(), self._call.call_id))

    def _turn(self) -> int:
        """How many others, not missing themselves, come before us in offering the call again."""
        return sum(
            1
            for member in self._call.members.values()
            if member.present and member.did < self._call.own and not self._links[member.did].awaits_sign
        )
