"""Tells those who may come, or come back, that this session is in the call: as long as there are any who may not have our key."""

import math

from blink_cli.core.call.effects import SendToCall
from blink_cli.core.call.joining import Joining
from blink_cli.core.call.membership import Member
from blink_cli.core.call.missing import Missing
from blink_cli.core.signaling.signals import Attending, Out


class Attendance:
    """Of one joining. Its effects go into the outbox; moments are monotonic seconds."""

    def __init__(self, joining: Joining, missing: Missing) -> None:
        """Have told nobody."""
        self._call = joining.call
        self._links = joining.links
        self._missing = missing
        self._settings = joining.settings
        self._out = joining.out
        self._told_at = -math.inf
        """When they were last told."""
        self._tell_at = math.inf
        """When they are to be told because one of them asks."""

    @property
    def due_at(self) -> float:
        """When they are told next. Who is lost may have left without our hearing it."""
        call = self._call
        if not call.keys.current.epoch:
            return self._tell_at
        if not self._missing.anybody and all(member.present for member in call.members.values()):
            return self._tell_at
        return min(self._tell_at, self._told_at + self._settings.attending_interval_s)

    def unheeded(self, member: Member, now: float) -> None:
        """It is in the call with a life that we believe is over, and may have no key by which our announces could tell it so."""
        if member.unheeded_at == now and self._call.keys.current.epoch:
            self.hurry(now)

    def hurry(self, now: float) -> None:
        """Tell them soon."""
        self._tell_at = min(self._tell_at, max(now, self._told_at + self._settings.reply_gap_s))

    def tell(self, now: float) -> None:
        """Tell them."""
        self._told_at, self._tell_at = now, math.inf
        call = self._call
        out = tuple(Out(place, call.left_incarnation_at(place)) for place in call.out_places)
        # No announce can tell it: who is lost and comes back in an older life is told the newest here.
        if call.keys.lapsed:
            since = now - self._settings.unheeded_s
            out += tuple(
                Out(call.places[did], member.incarnation)
                for did, member in call.members.items()
                if self._links[did].awaits_sign and member.is_unheeded(since)
            )
        attending = Attending(call.own_incarnation, call.keys.current.epoch, out)
        self._out.append(SendToCall(call.call_id, attending, copies=0))
