"""Every call whose key this session holds: pending, just left, current. What is heard of the calls that it is not in.

The book opens a call's topics when it writes it down and closes them when it strikes it out, so neither can be forgotten.
"""

import math
from collections.abc import Iterator

from blink_cli.core.call.ignored import Ignored
from blink_cli.core.call.membership import KnownCall, Member, News
from blink_cli.core.call.pending import LISTED, WAITING, crowded_out
from blink_cli.core.call.settings import CallSettings
from blink_cli.core.call.transitions import Phase, Turn
from blink_cli.core.call_effects import (
    CallEffect,
    CloseTopics,
    Emit,
    OpenTopics,
    SendToCall,
    StopSending,
)
from blink_cli.core.events import CallCancelled, EndReason, IncomingCall
from blink_cli.core.names import CallId, Did
from blink_cli.core.signals import Announce, Cancel, Decline, Leave, Offer


class CallBook:
    """Bounded by `max_pending` and one current call. Methods that hear something say why they ignored it, or None."""

    def __init__(self, own: Did, settings: CallSettings, out: list[CallEffect]) -> None:
        self._own = own
        self._settings = settings
        self._out = out
        self._calls: dict[CallId, KnownCall] = {}
        self._cancelled: dict[CallId, Did] = {}

    def __iter__(self) -> Iterator[KnownCall]:
        """All of them, in the order in which they came."""
        return iter(tuple(self._calls.values()))

    def get(self, call_id: CallId) -> KnownCall | None:
        """The call of this id, if it is known."""
        return self._calls.get(call_id)

    def write(self, call: KnownCall, turn: Turn) -> None:
        """Know a call and listen to it."""
        call.turn(turn)
        self._calls[call.call_id] = call
        self._out.append(OpenTopics(call.call_id, call.group_key))

    def strike(self, call: KnownCall, turn: Turn) -> None:
        """Forget a call and its key."""
        if call.phase in {Phase.RINGING, Phase.REJECTED}:  # that it was busy, or declined
            self._out.append(StopSending(call.call_id, None))
        if turn is Turn.CALLER_WITHDRAWS:
            self._remember_cancel(call.caller, call.call_id)
        call.turn(turn)
        del self._calls[call.call_id]
        self._out.append(CloseTopics(call.call_id))

    def cancel(self, call: KnownCall, turn: Turn, reason: EndReason) -> None:
        """A call that this session is not in cannot be joined any more."""
        was_listed = call.phase in LISTED
        self.strike(call, turn)
        if was_listed:
            self._out.append(Emit(CallCancelled(call_id=call.call_id, reason=reason)))

    def say_leave(self, call: KnownCall, now: float, *, copies: int) -> None:
        """Tell the call that this session's last life in it is over."""
        call.leave_sent_at = now
        self._out.append(SendToCall(call.call_id, Leave(call.own_instance), copies=copies))

    # what is heard

    def hear_offer(self, sender: Did, offer: Offer, now: float) -> Ignored | None:
        """A call rings, or its invitation is repeated."""
        if not self._fits(sender, offer):
            return Ignored.UNFIT_OFFER
        known = self._calls.get(offer.call_id)
        if known is not None:
            if not known.same_invitation(offer):
                return Ignored.CHANGED_OFFER
            known.heard_at = now
            return None
        if self._cancelled.get(offer.call_id) == sender:
            return Ignored.WITHDRAWN_OFFER
        fits, going = crowded_out(self._calls.values(), sender, self._settings)
        if not fits:
            return Ignored.LIST_FULL
        if going is not None:
            self.cancel(going, Turn.CROWDED_OUT, EndReason.CROWDED_OUT)
        self._ring(sender, offer, now)
        return None

    def hear_cancel(self, sender: Did, cancel: Cancel) -> Ignored | None:
        """The caller withdraws a call that this session is not in."""
        call = self._calls.get(cancel.call_id)
        if call is None:
            self._remember_cancel(sender, cancel.call_id)
            return None
        if sender != call.caller or sender == self._own:
            return Ignored.NOT_THE_CALLER
        call.members[sender].leaves_for_good()
        if not call.present:
            self._cancel_abandoned(call)
        return None

    def hear_decline(self, sender: Did, decline: Decline) -> Ignored | None:
        """Somebody does not come to a call that this session is not in."""
        call = self._calls.get(decline.call_id)
        if call is None:
            return Ignored.UNKNOWN_CALL
        member = call.members.get(sender)
        if member is None:
            return Ignored.NOT_INVITED
        member.declined = not member.present
        return None

    def hear_announce(
        self, call: KnownCall, member: Member, announce: Announce, now: float
    ) -> Ignored | None:
        """Somebody is in a call that this session is not in."""
        if call.heard_announce(member, announce, now) is News.STALE:
            return Ignored.STALE
        member.shows(announce)
        if call.phase not in (Phase.LEAVING, Phase.LEFT):
            return None
        if any(
            h.did == self._own and h.link != "absent" and h.instance <= call.own_instance
            for h in announce.hears
        ):
            if now >= call.leave_sent_at + self._settings.leave_repeat_s:
                self.say_leave(call, now, copies=0)
        elif call.phase is Phase.LEAVING:
            call.turn(Turn.GOES_ON_WITHOUT_US)
        return None

    def hear_leave(self, call: KnownCall, member: Member, leave: Leave, now: float) -> None:
        """Somebody left a call that this session is not in."""
        call.heard_leave(member, leave, now)
        self.forget_if_over(call, now)

    # time

    def next_wake(self) -> float:
        """When a waiting call may have to be forgotten."""
        due = math.inf
        for call in self._calls.values():
            if call.phase in WAITING:
                due = min(due, call.heard_at + self._settings.pending_silence_s, call.rumours_end_at)
        return due

    def wake(self, now: float) -> None:
        """Forget waiting calls in which nobody is any more."""
        for call in self:
            if call.phase in WAITING:
                self.forget_if_over(call, now)

    def forget_if_over(self, call: KnownCall, now: float) -> None:
        """Whether by silence or by everybody's word."""
        call.forget_old_rumours(now)
        call.let_go_of_silent(now - self._settings.pending_silence_s)
        if now >= call.heard_at + self._settings.pending_silence_s:
            self.cancel(call, Turn.EVERYONE_IS_GONE, EndReason.EMPTY)
        elif call.abandoned:
            self._cancel_abandoned(call)

    def excuse(self, slept_s: float) -> None:
        """This session was stopped for so long: nobody's silence in that time counts."""
        for call in self._calls.values():
            call.excuse(slept_s)

    # the moves

    def _fits(self, sender: Did, offer: Offer) -> bool:
        named = set(offer.participants)
        return (
            sender != self._own
            and self._own in named
            and sender in named
            and len(named) == len(offer.participants)
            and len(named) <= self._settings.max_participants
        )

    def _ring(self, sender: Did, offer: Offer, now: float) -> None:
        call = KnownCall(
            call_id=offer.call_id,
            group_key=offer.group_key,
            participants=offer.participants,
            caller=sender,
            nickname=offer.nickname,
            began_at=now,
            own=self._own,
            rumour_s=self._settings.rumour_s,
        )
        self.write(call, Turn.OFFER_ARRIVES)
        ringing = IncomingCall(
            call_id=call.call_id, caller=sender, nickname=offer.nickname, participants=call.participants
        )
        self._out.append(Emit(ringing))

    def _cancel_abandoned(self, call: KnownCall) -> None:
        if call.only_caller_came:
            self.cancel(call, Turn.CALLER_WITHDRAWS, EndReason.WITHDRAWN)
        else:
            self.cancel(call, Turn.EVERYONE_IS_GONE, EndReason.EMPTY)

    def _remember_cancel(self, sender: Did, call_id: CallId) -> None:
        self._cancelled[call_id] = sender
        while len(self._cancelled) > self._settings.max_cancelled_remembered:
            del self._cancelled[next(iter(self._cancelled))]
