"""Every call whose key this session holds: pending, just left, current. What is heard of the calls that it is not in.

The book opens a call's topics when it writes it down and closes them when it strikes it out, so neither can be forgotten.
"""

import math
from collections.abc import Callable, Iterator

from blink_cli.core.call.effects import (
    CallEffect,
    CloseTopics,
    DropKey,
    OpenTopics,
    SendToCall,
    SendToPeer,
    StopSending,
    UseKey,
)
from blink_cli.core.call.facts import CallCancelled, EndReason, IncomingCall
from blink_cli.core.call.group_key import GroupKey
from blink_cli.core.call.ignored import Ignored
from blink_cli.core.call.membership import CallRecord, Member, News, RoomShown
from blink_cli.core.call.pending import LISTED, WAITING, crowded_out
from blink_cli.core.call.rekeying import told_key
from blink_cli.core.call.settings import CallSettings
from blink_cli.core.call.transitions import Phase, Trigger
from blink_cli.core.fact import Emit
from blink_cli.core.identity.nickname import harmless_nickname
from blink_cli.core.ids import CallId, Did
from blink_cli.core.signaling.sender_class import SenderClass
from blink_cli.core.signaling.signals import (
    ANY_INCARNATION,
    Announce,
    Attending,
    Cancel,
    Decline,
    Leave,
    NewKey,
    Offer,
    SessionDescription,
)


class CallTable:
    """Bounded by `max_pending` of each class and one current call. Methods that hear something say why they ignored it, or None."""

    def __init__(
        self,
        own: Did,
        settings: CallSettings,
        out: list[CallEffect],
        class_of: Callable[[Did], SenderClass],
    ) -> None:
        self._own = own
        self._class_of = class_of
        self._settings = settings
        self._out = out
        self._calls: dict[CallId, CallRecord] = {}
        self._cancelled: dict[CallId, Did] = {}

    def __iter__(self) -> Iterator[CallRecord]:
        """All of them, in the order in which they came."""
        return iter(tuple(self._calls.values()))

    def get(self, call_id: CallId) -> CallRecord | None:
        """The call of this id, if it is known."""
        return self._calls.get(call_id)

    def add(self, call: CallRecord, turn: Trigger) -> None:
        """Know a call and listen to it."""
        call.turn(turn)
        self._calls[call.call_id] = call
        self._out.append(OpenTopics(call.call_id, call.group_key, call.participants))

    def remove(self, call: CallRecord, turn: Trigger) -> None:
        """Forget a call and its key."""
        if call.phase in {Phase.RINGING, Phase.REJECTED}:  # that it was busy, or declined
            self._out.append(StopSending(call.call_id, None))
        # An offer of before may still be on its way, whoever left last.
        caller = call.members.get(call.caller)
        if turn is Trigger.CALLER_WITHDRAWS or (caller is not None and caller.withdrew):
            self._remember_cancel(call.caller, call.call_id)
        call.turn(turn)
        del self._calls[call.call_id]
        self._out.append(CloseTopics(call.call_id))

    def cancel(self, call: CallRecord, turn: Trigger, reason: EndReason) -> None:
        """A call that this session is not in cannot be joined any more."""
        was_listed = call.phase in LISTED
        self.remove(call, turn)
        if was_listed:
            self._out.append(Emit(CallCancelled(call_id=call.call_id, reason=reason)))

    def say_leave(self, call: CallRecord, now: float, *, copies: int) -> None:
        """Tell the call that this session's last life in it is over."""
        call.leave_sent_at = now
        self._out.append(SendToCall(call.call_id, Leave(call.own_incarnation), copies=copies, straight=True))

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
            self._offered_again(known, sender, offer, now)
            return None
        if self._cancelled.get(offer.call_id) == sender:
            return Ignored.WITHDRAWN_OFFER
        fits, going = crowded_out(self._calls.values(), sender, self._settings, self._class_of)
        if not fits:
            return Ignored.LIST_FULL
        if going is not None:
            self.cancel(going, Trigger.CROWDED_OUT, EndReason.CROWDED_OUT)
        self._ring(sender, offer, now)
        return None

    def hear_new_key(self, call: CallRecord, member: Member, new_key: NewKey, now: float) -> Ignored | None:
        """Somebody in a call that this session is not in tells its key: to us too, so it does not know that we are out."""
        if call.heard_incarnation(member, new_key.incarnation, now) is News.STALE:
            return Ignored.STALE
        self._told_key(call, member, told_key(new_key.current), now)
        return None

    def hear_description(self, sender: Did, description: SessionDescription, now: float) -> Ignored | None:
        """The caller of a call that rings here says how it can be reached, should this session accept. Nothing is made of it before."""
        call = self._calls.get(description.call_id)
        is_early = description.kind == "offer" and description.to_incarnation == ANY_INCARNATION
        if call is None or call.phase is not Phase.RINGING or not is_early:
            return Ignored.NOT_IN_THIS_CALL
        if sender != call.caller:
            return Ignored.NOT_THE_CALLER
        member = call.members[sender]
        if call.heard_incarnation(member, description.from_incarnation, now) is News.STALE:
            return Ignored.STALE
        if member.early is not None and member.early[0].epoch >= description.epoch:
            return Ignored.STALE
        member.early = description, now + self._settings.early_description_lasts_s
        return None

    def hear_attending(
        self, call: CallRecord, member: Member, attending: Attending, now: float
    ) -> Ignored | None:
        """Somebody is in a call that this session may come to, or come back to."""
        if call.heard_attending(member, attending.incarnation, now) is News.STALE:
            return Ignored.STALE
        call.keys.heard_epoch(attending.epoch, now)
        if call.phase in {Phase.LEAVING, Phase.LEFT}:
            self._known_to_be_out(call, known=call.own_place in {out.place for out in attending.out}, now=now)
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
        self, call: CallRecord, member: Member, announce: Announce, room: RoomShown | None, now: float
    ) -> Ignored | None:
        """Somebody is in a call that this session is not in."""
        if call.heard_announce(member, announce, now) is News.STALE:
            return Ignored.STALE
        if room is not None:
            call.heard_of_room(member, room)
        member.shows(announce)
        if call.phase in {Phase.LEAVING, Phase.LEFT}:
            counted_in = any(
                h.did == self._own and h.link != "absent" and h.incarnation <= call.own_incarnation
                for h in announce.hears
            )
            self._known_to_be_out(call, known=not counted_in, now=now)
        return None

    def _known_to_be_out(self, call: CallRecord, *, known: bool, now: float) -> None:
        """Somebody in a call that we left knows that we did, or does not."""
        if not known:
            if now >= call.leave_sent_at + self._settings.leave_repeat_s:
                self.say_leave(call, now, copies=0)
        elif call.phase is Phase.LEAVING:
            call.turn(Trigger.GOES_ON_WITHOUT_US)

    def hear_leave(self, call: CallRecord, member: Member, leave: Leave, now: float) -> None:
        """Somebody left a call that this session is not in."""
        call.heard_leave(member, leave, now)
        self.forget_if_over(call, now)

    # time

    def next_timeout(self) -> float:
        """When a waiting call may have to be forgotten."""
        due = math.inf
        for call in self._calls.values():
            due = min(due, call.keys.due_at)
            if call.phase in WAITING:
                due = min(due, call.heard_at + self._settings.pending_silence_s, call.rumours_end_at)
        return due

    def handle_timeout(self, now: float) -> None:
        """Forget waiting calls in which nobody is any more."""
        for call in self:
            if call.phase in WAITING:
                self.forget_if_over(call, now)

    def forget_keys(self, now: float) -> None:
        """Forget the keys that are not read any more."""
        for call in self._calls.values():
            self._out.extend(DropKey(call.call_id, key_id) for key_id in call.keys.forget_former(now))

    def forget_if_over(self, call: CallRecord, now: float) -> None:
        """Whether by silence or by everybody's word."""
        call.forget_old_rumours(now)
        call.let_go_of_silent(now - self._settings.pending_silence_s)
        if now >= call.heard_at + self._settings.pending_silence_s:
            self.cancel(call, Trigger.EVERYONE_IS_GONE, EndReason.EMPTY)
        elif call.abandoned:
            self._cancel_abandoned(call)

    def shift_deadlines(self, slept_s: float) -> None:
        """This session was stopped for so long: nobody's silence in that time counts."""
        for call in self._calls.values():
            call.shift_deadlines(slept_s)

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

    def _offered_again(self, call: CallRecord, sender: Did, offer: Offer, now: float) -> None:
        """A repeated offer brings the key that the call has by now. To who is out it says that this is not known."""
        member = call.members[sender]
        if offer.current is not None and not member.is_out:
            self._told_key(call, member, told_key(offer.current), now)
        elif call.phase in {Phase.LEAVING, Phase.LEFT}:
            self._known_to_be_out(call, known=False, now=now)

    def _told_key(self, call: CallRecord, member: Member, key: GroupKey, now: float) -> None:
        call.keys.heard_epoch(key.epoch, now)
        if call.phase is Phase.RINGING and call.keys.is_greater(key):
            self._use(call, key, now)
        elif call.phase is Phase.REJECTED:
            self._out.append(SendToPeer(member.did, Decline(call.call_id), call.call_id))
        elif call.phase in {Phase.LEAVING, Phase.LEFT}:
            self._known_to_be_out(call, known=False, now=now)

    def _use(self, call: CallRecord, key: GroupKey, now: float) -> None:
        call.keys.adopt(key, now)
        self._out.append(UseKey(call.call_id, key.key))

    def _ring(self, sender: Did, offer: Offer, now: float) -> None:
        call = CallRecord(
            call_id=offer.call_id,
            group_key=offer.group_key,
            participants=offer.participants,
            caller=sender,
            nickname=harmless_nickname(offer.nickname),
            began_at=now,
            own=self._own,
            hearsay_s=self._settings.hearsay_s,
            handover_s=self._settings.key_handover_s,
        )
        self.add(call, Trigger.OFFER_ARRIVES)
        if offer.current is not None and call.keys.is_greater(told_key(offer.current)):
            self._use(call, told_key(offer.current), now)
        ringing = IncomingCall(
            call_id=call.call_id, caller=sender, nickname=call.nickname, participants=call.participants
        )
        self._out.append(Emit(ringing))

    def _cancel_abandoned(self, call: CallRecord) -> None:
        if call.only_caller_came:
            self.cancel(call, Trigger.CALLER_WITHDRAWS, EndReason.WITHDRAWN)
        else:
            self.cancel(call, Trigger.EVERYONE_IS_GONE, EndReason.EMPTY)

    def _remember_cancel(self, sender: Did, call_id: CallId) -> None:
        self._cancelled[call_id] = sender
        while len(self._cancelled) > self._settings.max_cancelled_remembered:
            del self._cancelled[next(iter(self._cancelled))]
