"""The call machine: everything a session knows of calls, and what it does about them. One per session.

    commands     offer accept reject leave set_state shutdown        raise StateError, NotFoundError, UsageError
    signals      signal (authenticated, opened), acknowledged        what does not fit is ignored and counted
    media layer  local_description dial_failed link_connected link_closed heard reception
    time         next_wake wake

Every input takes the monotonic `now` in seconds and returns the effects to carry out, in order. Nothing here reads a clock,
waits or fails because of what a peer sent.
"""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Final, assert_never

from blink_cli.core.call.conversation import Conversation, OwnState
from blink_cli.core.call.farewells import Farewells
from blink_cli.core.call.membership import KnownCall, Member, News
from blink_cli.core.call.pending import LISTED, WAITING, crowded_out
from blink_cli.core.call.settings import LAN, CallSettings
from blink_cli.core.call.snapshot import CallsSnapshot, CallState, CallView, ParticipantView, PendingView
from blink_cli.core.call.transitions import Phase, Turn
from blink_cli.core.call_effects import (
    CallEffect,
    CloseTopics,
    Emit,
    OpenTopics,
    SendToCall,
    SendToPeer,
    StopSending,
)
from blink_cli.core.errors import NotFoundError, StateError, UsageError
from blink_cli.core.events import (
    CallCancelled,
    CallTerminated,
    EndReason,
    IncomingCall,
    LinkState,
    OfferDelivered,
)
from blink_cli.core.names import CALL_ID_BYTES, GROUP_KEY_BYTES, CallId, Did
from blink_cli.core.signals import (
    Announce,
    Cancel,
    Decline,
    Leave,
    Offer,
    Presence,
    Redial,
    SessionDescription,
    Signal,
)

Effects = tuple[CallEffect, ...]


class Ignored(StrEnum):
    """Why a signal or a report was ignored. Counted, so that a hostile neighbour is seen."""

    UNKNOWN_CALL = "unknown_call"
    NOT_INVITED = "not_invited"
    NOT_IN_THIS_CALL = "not_in_this_call"
    """A description or redial for a call that this session is not in."""
    WRONG_TOPIC = "wrong_topic"
    """It names another call than the one whose key it came by, or came the wrong way."""
    STALE = "stale"
    """Of an earlier life, an older epoch, or already known."""
    UNFIT_OFFER = "unfit_offer"
    """Does not name us or its sender, names somebody twice, or too many."""
    CHANGED_OFFER = "changed_offer"
    """A second offer of a call with another key or other participants."""
    WITHDRAWN_OFFER = "withdrawn_offer"
    """Its Cancel came first."""
    LIST_FULL = "list_full"
    NOT_THE_CALLER = "not_the_caller"
    OLD_LINK = "old_link"
    """The media layer reports about a link that this session has given up."""
    STOPPED = "stopped"
    """After shutdown."""


_CURRENT: Final = (Phase.OFFERING, Phase.JOINING, Phase.IN_CALL)

_SHOWN: Final = {
    Phase.OFFERING: CallState.OFFERING,
    Phase.JOINING: CallState.JOINING,
    Phase.IN_CALL: CallState.IN_CALL,
}


class CallMachine:
    """The calls of one session. Not safe for several threads; belongs to the event loop."""

    def __init__(self, own: Did, entropy: Callable[[int], bytes], settings: CallSettings = LAN) -> None:
        """Know no call.

        Args:
            own: This session's identity.
            entropy: Returns so many unpredictable bytes, for call ids and group keys.
            settings: Timings and bounds.

        """
        self._own = own
        self._entropy = entropy
        self._settings = settings
        self._calls: dict[CallId, KnownCall] = {}
        """Every call whose topics are open: pending, just left, and the current one."""
        self._conversation: Conversation | None = None
        self._state = OwnState()
        self._farewells = Farewells(settings)
        self._cancelled: dict[CallId, Did] = {}
        self._ignored: Counter[Ignored] = Counter()
        self._out: list[CallEffect] = []
        self._due: float = math.inf
        self._stopped = False

    # commands

    def offer(self, peers: Sequence[Did], nickname: str, now: float, wall_ms: int) -> Effects:
        """Invite these peers to a new call and be in it; leaves the current call first.

        Args:
            peers: Whom to invite; one named twice is invited once.
            nickname: What this session calls itself.
            now: Monotonic seconds.
            wall_ms: Wall clock in milliseconds, which names this life in the call.

        Raises:
            UsageError: Nobody is named, this session itself is, or too many are.
            StateError: The session is ending.

        """
        self._begin(now)
        self._refuse_after_shutdown()
        others = tuple(dict.fromkeys(peers))
        if not others:
            raise UsageError(
                "Nobody to call.", hint="Name one or more peers; `blink peers` lists who is there."
            )
        if self._own in others:
            raise UsageError("A session cannot call itself.", hint="Leave your own name out.")
        if len(others) >= self._settings.max_participants:
            raise UsageError(
                f"A call holds at most {self._settings.max_participants} participants, you included.",
                hint=f"{len(others)} peers were named; invite fewer.",
            )
        self._leave_current(now)
        call = KnownCall(
            call_id=CallId(self._entropy(CALL_ID_BYTES).hex()),
            group_key=self._entropy(GROUP_KEY_BYTES),
            participants=(self._own, *others),
            caller=self._own,
            nickname=nickname,
            began_at=now,
            own=self._own,
        )
        self._know(call, Turn.WE_OFFER)
        self._enter(call, nickname, now, wall_ms)
        self._in_call.invite(Offer(call.call_id, call.group_key, call.participants, nickname))
        return self._end(now)

    def accept(self, call_id: CallId, nickname: str, now: float, wall_ms: int) -> Effects:
        """Join a pending call (ringing, rejected before, or left before); leaves the current call first.

        Raises:
            NotFoundError: No such call can be joined.
            StateError: This session is in it already, or is ending.

        """
        self._begin(now)
        self._refuse_after_shutdown()
        call = self._pending_call(call_id)
        self._leave_current(now)
        if call.phase is Phase.REJECTED:
            self._out.append(StopSending(call_id, None))
        call.turn(Turn.WE_ACCEPT)
        self._enter(call, nickname, now, wall_ms)
        return self._end(now)

    def reject(self, call_id: CallId, now: float) -> Effects:
        """Decline a ringing call and tell everyone invited; it stays listed while somebody is in it.

        Raises:
            NotFoundError: No such call is pending.
            StateError: It was decided before, or is the current call.

        """
        self._begin(now)
        self._refuse_after_shutdown()
        call = self._pending_call(call_id)
        if call.phase is not Phase.RINGING:
            raise StateError(
                "This call does not ring any more: it was rejected or left before.",
                hint="`blink accept` still joins it while somebody is in it.",
            )
        call.turn(Turn.WE_REJECT)
        for did in call.members:
            self._out.append(SendToPeer(did, Decline(call_id), call_id))
        return self._end(now)

    def leave(self, now: float) -> Effects:
        """Leave the current call; an offer that nobody has followed is withdrawn.

        Raises:
            StateError: This session is in no call.

        """
        self._begin(now)
        if self._conversation is None:
            raise StateError("This session is in no call.", hint="`blink calls` lists what can be joined.")
        self._leave_current(now)
        return self._end(now)

    def set_state(self, *, muted: bool, deafened: bool, recording: bool, now: float) -> Effects:
        """Show this to everyone from now on, in this call and the next."""
        self._begin(now)
        state = OwnState(muted, deafened, recording)
        if state != self._state:
            self._state.muted, self._state.deafened, self._state.recording = muted, deafened, recording
            if self._conversation is not None:
                self._conversation.state_changed(now)
        return self._end(now)

    def shutdown(self, now: float) -> Effects:
        """Leave or withdraw and close every topic; nothing happens afterwards. Safe to call twice.

        A Cancel or Leave in the effects should be given a moment to be repeated before the gossip is closed.
        """
        self._begin(now)
        if self._stopped:
            return ()
        self._leave_current(now)
        for call in list(self._calls.values()):
            self._forget(call, Turn.WE_SHUT_DOWN)
        self._stopped = True
        return self._end(now)

    # signals

    def signal(self, sender: Did, signal: Signal, call_id: CallId | None, now: float) -> Effects:
        """Hear an authenticated signal.

        Args:
            sender: Whose key signed it.
            signal: Decoded and within the bounds of its type.
            call_id: The call by whose key or topic it came; None when it came to this peer's own topic.
            now: Monotonic seconds. No wall clock: every signal is judged by its instance and epoch.

        """
        self._begin(now)
        if self._stopped:
            self._ignore(Ignored.STOPPED)
        else:
            self._route(sender, signal, call_id, now)
        return self._end(now)

    def acknowledged(self, peer: Did, signal: Signal, now: float) -> Effects:
        """A direct signal is known to have reached its peer."""
        self._begin(now)
        if isinstance(signal, Offer):
            call = self._calls.get(signal.call_id)
            member = call.members.get(peer) if call is not None else None
            if call is not None and member is not None and not member.delivered and call.phase in _CURRENT:
                member.delivered = True
                self._out.append(Emit(OfferDelivered(call_id=call.call_id, did=peer)))
        return self._end(now)

    # media layer

    def local_description(self, peer: Did, epoch: int, sdp: str, now: float) -> Effects:
        """The media layer has made its half of this dialling: an SDP offer after Dial, an answer after Answer."""
        return self._media(
            now, lambda talk: peer in talk.links and talk.links[peer].local_description(epoch, sdp)
        )

    def dial_failed(self, peer: Did, epoch: int, reason: str, now: float) -> Effects:
        """The connection of this epoch could not be made; `reason` is for the log."""
        assert reason, "a failure has a reason"
        return self._media(now, lambda talk: peer in talk.links and talk.links[peer].failed(epoch, now))

    def link_connected(self, peer: Did, epoch: int, now: float) -> Effects:
        """ICE and DTLS of this epoch are through."""
        return self._media(now, lambda talk: peer in talk.links and talk.link_stands(peer, epoch, now))

    def link_closed(self, peer: Did, epoch: int, reason: str, now: float) -> Effects:
        """The connection of this epoch was closed by the other side or died; `reason` is for the log."""
        assert reason, "a closing has a reason"
        return self._media(now, lambda talk: peer in talk.links and talk.links[peer].closed(epoch, now))

    def heard(self, peer: Did, epoch: int, now: float) -> Effects:
        """RTP or RTCP of this peer arrived over this epoch. Call it a few times a second while it does, not for every packet."""
        return self._media(now, lambda talk: peer in talk.links and talk.media_heard(peer, epoch, now))

    def reception(self, peer: Did, loss_permille: int, longest_burst_packets: int) -> None:
        """How this peer's packets arrived in the last seconds; said in the next announce."""
        if self._conversation is not None and peer in self._conversation.links:
            self._conversation.reception(peer, loss_permille, longest_burst_packets)

    # time

    def next_wake(self) -> float | None:
        """When `wake` must be called, in monotonic seconds; None when nothing is due. Changes with every input."""
        return None if self._due == math.inf else self._due

    def wake(self, now: float) -> Effects:
        """Do what is due: announce, notice silence and missed deadlines, dial again, forget."""
        self._begin(now)
        if self._conversation is not None:
            self._conversation.wake(now)
        for call in [call for call in self._calls.values() if call.phase in WAITING]:
            self._forget_if_over(call, now)
        self._out.extend(StopSending(call_id, None) for call_id in self._farewells.ended(now))
        return self._end(now)

    # reading

    @property
    def current(self) -> CallId | None:
        """The call that this session is in."""
        return None if self._conversation is None else self._conversation.call.call_id

    @property
    def pending(self) -> tuple[CallId, ...]:
        """The calls that could be joined, in the order in which they came."""
        return tuple(call.call_id for call in self._calls.values() if call.phase in LISTED)

    @property
    def ringing(self) -> tuple[CallId, ...]:
        """The calls that nobody here has decided about, in the order in which they came."""
        return tuple(call.call_id for call in self._calls.values() if call.phase is Phase.RINGING)

    def snapshot(self, now: float) -> CallsSnapshot:
        """Everything about calls at this moment, as frozen values."""
        assert now >= 0, "monotonic time is not negative"
        return CallsSnapshot(
            call=self._view_current(),
            pending=tuple(_view_pending(call) for call in self._calls.values() if call.phase in LISTED),
            muted=self._state.muted,
            deafened=self._state.deafened,
            recording=self._state.recording,
            ignored=tuple(sorted((reason.value, count) for reason, count in self._ignored.items())),
        )

    # hearing

    def _route(self, sender: Did, signal: Signal, call_id: CallId | None, now: float) -> None:
        match signal:
            case Presence():
                self._ignore(Ignored.WRONG_TOPIC)
            case Announce() | Leave():
                self._hear_in_call(sender, signal, call_id, now)
            case Offer() | Cancel() | Decline():
                self._hear_to_peer(sender, signal, call_id, now)
            case SessionDescription() | Redial():
                self._hear_dialling(sender, signal, call_id, now)
            case _:
                assert_never(signal)

    def _hear_in_call(
        self, sender: Did, signal: Announce | Leave, call_id: CallId | None, now: float
    ) -> None:
        if call_id is None:
            self._ignore(Ignored.WRONG_TOPIC)
            return
        call = self._calls.get(call_id)
        if call is None:
            self._ignore(Ignored.UNKNOWN_CALL)
        elif sender == self._own:
            self._hear_own_other_session(call, signal, now)
        elif sender not in call.members:
            self._ignore(Ignored.NOT_INVITED)
        elif isinstance(signal, Announce):
            self._hear_announce(call, call.members[sender], signal, now)
        else:
            self._hear_leave(call, call.members[sender], signal, now)

    def _hear_to_peer(
        self, sender: Did, signal: Offer | Cancel | Decline, call_id: CallId | None, now: float
    ) -> None:
        if call_id is not None:
            self._ignore(Ignored.WRONG_TOPIC)
        elif isinstance(signal, Offer):
            self._hear_offer(sender, signal, now)
        elif isinstance(signal, Cancel):
            self._hear_cancel(sender, signal, now)
        else:
            self._hear_decline(sender, signal)

    def _hear_offer(self, sender: Did, offer: Offer, now: float) -> None:
        if not self._fits(sender, offer):
            self._ignore(Ignored.UNFIT_OFFER)
            return
        known = self._calls.get(offer.call_id)
        if known is not None:
            self._hear_offer_again(known, offer, now)
            return
        if self._cancelled.get(offer.call_id) == sender:
            self._ignore(Ignored.WITHDRAWN_OFFER)
            return
        fits, going = crowded_out(self._calls.values(), sender, self._settings)
        if not fits:
            self._ignore(Ignored.LIST_FULL)
            return
        if going is not None:
            self._cancel_pending(going, Turn.CROWDED_OUT, EndReason.CROWDED_OUT)
        call = KnownCall(
            call_id=offer.call_id,
            group_key=offer.group_key,
            participants=offer.participants,
            caller=sender,
            nickname=offer.nickname,
            began_at=now,
            own=self._own,
        )
        self._know(call, Turn.OFFER_ARRIVES)
        ringing = IncomingCall(
            call_id=call.call_id, caller=sender, nickname=offer.nickname, participants=call.participants
        )
        self._out.append(Emit(ringing))

    def _fits(self, sender: Did, offer: Offer) -> bool:
        named = set(offer.participants)
        return (
            sender != self._own
            and self._own in named
            and sender in named
            and len(named) == len(offer.participants)
            and len(named) <= self._settings.max_participants
        )

    def _hear_offer_again(self, call: KnownCall, offer: Offer, now: float) -> None:
        if not call.same_invitation(offer):
            self._ignore(Ignored.CHANGED_OFFER)
        else:
            call.heard_at = now

    def _hear_cancel(self, sender: Did, cancel: Cancel, now: float) -> None:
        call = self._calls.get(cancel.call_id)
        if call is None:
            self._remember_cancel(sender, cancel.call_id)
            return
        caller = call.members.get(sender)
        if caller is None or sender != call.caller:
            self._ignore(Ignored.NOT_THE_CALLER)
            return
        talk = self._conversation
        if talk is not None and talk.call is call:
            talk.heard_withdrawal(caller)
            if not call.present:
                self._end_current(Turn.CALLER_WITHDRAWS, EndReason.WITHDRAWN, now)
            return
        caller.left_instance = caller.instance
        caller.gone()
        if not call.present:
            self._cancel_pending(call, Turn.CALLER_WITHDRAWS, EndReason.WITHDRAWN)

    def _hear_decline(self, sender: Did, decline: Decline) -> None:
        call = self._calls.get(decline.call_id)
        if call is None:
            self._ignore(Ignored.UNKNOWN_CALL)
            return
        member = call.members.get(sender)
        if member is None:
            self._ignore(Ignored.NOT_INVITED)
            return
        talk = self._conversation
        if talk is not None and talk.call is call:
            if not talk.heard_decline(member):
                self._ignore(Ignored.STALE)
        elif not member.present:
            member.declined = True

    def _hear_dialling(
        self, sender: Did, signal: SessionDescription | Redial, call_id: CallId | None, now: float
    ) -> None:
        talk = self._conversation
        if call_id is not None and call_id != signal.call_id:
            self._ignore(Ignored.WRONG_TOPIC)
            return
        if talk is None or talk.call.call_id != signal.call_id:
            self._ignore(Ignored.NOT_IN_THIS_CALL)
            return
        member = talk.call.members.get(sender)
        if member is None:
            self._ignore(Ignored.NOT_INVITED)
            return
        if isinstance(signal, SessionDescription):
            believed = talk.heard_description(member, signal, now)
        else:
            believed = talk.heard_redial(member, signal, now)
        if not believed:
            self._ignore(Ignored.STALE)

    def _hear_own_other_session(self, call: KnownCall, signal: Announce | Leave, now: float) -> None:
        """Another session of this identity: the newer joining wins, and the older one goes without a word."""
        if isinstance(signal, Leave):
            return
        talk = self._conversation if self._conversation and self._conversation.call is call else None
        if signal.instance <= call.own_instance:
            if talk is not None and signal.instance < call.own_instance:
                talk.insist(now)
            return
        call.own_heard_instance = max(call.own_heard_instance, signal.instance)
        if talk is not None:
            self._end_current(Turn.TAKEN_ELSEWHERE, EndReason.JOINED_ELSEWHERE, now, silently=True)
        elif call.phase is Phase.RINGING:
            self._cancel_pending(call, Turn.TAKEN_ELSEWHERE, EndReason.JOINED_ELSEWHERE)

    def _hear_announce(self, call: KnownCall, member: Member, announce: Announce, now: float) -> None:
        talk = self._conversation
        if talk is not None and talk.call is call:
            if not talk.heard_announce(member, announce, now):
                self._ignore(Ignored.STALE)
            return
        if call.heard_announce(member, announce, now) is News.STALE:
            self._ignore(Ignored.STALE)
            return
        member.muted, member.deafened, member.recording = (
            announce.muted,
            announce.deafened,
            announce.recording,
        )
        if call.phase in (Phase.LEAVING, Phase.LEFT):
            self._answer_announce_after_leaving(call, announce, now)

    def _answer_announce_after_leaving(self, call: KnownCall, announce: Announce, now: float) -> None:
        if any(h.did == self._own and h.instance <= call.own_instance for h in announce.hears):
            if now >= call.leave_sent_at + self._settings.leave_repeat_s:
                self._say_leave(call, now, copies=0)
        elif call.phase is Phase.LEAVING:
            call.turn(Turn.GOES_ON_WITHOUT_US)

    def _hear_leave(self, call: KnownCall, member: Member, leave: Leave, now: float) -> None:
        talk = self._conversation
        if talk is not None and talk.call is call:
            talk.heard_leave(member, leave, now)
            return
        call.heard_leave(member, leave, now)
        self._forget_if_over(call, now)

    # the moves

    @property
    def _in_call(self) -> Conversation:
        assert self._conversation is not None, "a call was just entered"
        return self._conversation

    def _know(self, call: KnownCall, turn: Turn) -> None:
        call.turn(turn)
        self._calls[call.call_id] = call
        self._out.append(OpenTopics(call.call_id, call.group_key))

    def _enter(self, call: KnownCall, nickname: str, now: float, wall_ms: int) -> None:
        assert self._conversation is None, "the current call is left before another is entered"
        self._conversation = Conversation(
            call, nickname, self._state, self._settings, self._out, now, wall_ms
        )
        self._conversation.join(now)

    def _leave_current(self, now: float) -> None:
        talk = self._conversation
        if talk is None:
            return
        call = talk.call
        if call.phase is Phase.OFFERING and not call.visited:
            self._end_current(Turn.WE_WITHDRAW, EndReason.LEFT, now)
            return
        self._close_conversation()
        call.turn(Turn.WE_LEAVE)
        self._say_leave(call, now, copies=self._settings.leave_copies)
        self._out.append(Emit(CallTerminated(call_id=call.call_id, reason=EndReason.LEFT)))
        self._forget_if_over(call, now)

    def _end_current(self, turn: Turn, reason: EndReason, now: float, *, silently: bool = False) -> None:
        """The current call is over and not kept."""
        call = self._close_conversation()
        if not silently:
            self._say_leave(call, now, copies=self._settings.leave_copies)
        if call.caller == self._own and not silently:
            self._withdraw(call, now)
        self._forget(call, turn)
        self._out.append(Emit(CallTerminated(call_id=call.call_id, reason=reason)))

    def _withdraw(self, call: KnownCall, now: float) -> None:
        """Tell those who never came that there is nothing to come to."""
        waiting = [member.did for member in call.members.values() if not member.instance]
        for did in waiting:
            self._out.append(SendToPeer(did, Cancel(call.call_id), call.call_id))
        if waiting:
            stopping = self._farewells.begin(call.call_id, now)
            self._out.extend(StopSending(gone, None) for gone in stopping)

    def _close_conversation(self) -> KnownCall:
        talk = self._in_call
        self._conversation = None
        talk.close()
        return talk.call

    def _say_leave(self, call: KnownCall, now: float, *, copies: int) -> None:
        call.leave_sent_at = now
        self._out.append(SendToCall(call.call_id, Leave(call.own_instance), copies=copies))

    def _cancel_pending(self, call: KnownCall, turn: Turn, reason: EndReason) -> None:
        was_listed = call.phase in LISTED
        if turn is Turn.CALLER_WITHDRAWS:
            self._remember_cancel(call.caller, call.call_id)
        self._forget(call, turn)
        if was_listed:
            self._out.append(Emit(CallCancelled(call_id=call.call_id, reason=reason)))

    def _forget(self, call: KnownCall, turn: Turn) -> None:
        if call.phase is Phase.REJECTED:
            self._out.append(StopSending(call.call_id, None))
        call.turn(turn)
        del self._calls[call.call_id]
        self._out.append(CloseTopics(call.call_id))

    def _forget_if_over(self, call: KnownCall, now: float) -> None:
        call.let_go_of_silent(now - self._settings.pending_silence_s)
        if now >= call.heard_at + self._settings.pending_silence_s:
            self._cancel_pending(call, Turn.EVERYONE_IS_GONE, EndReason.EMPTY)
        elif call.abandoned(now, self._settings.rumour_s):
            only_the_caller_came = all(
                not member.instance or member.did == call.caller for member in call.members.values()
            )
            if only_the_caller_came and not call.own_instance:
                self._cancel_pending(call, Turn.CALLER_WITHDRAWS, EndReason.WITHDRAWN)
            else:
                self._cancel_pending(call, Turn.EVERYONE_IS_GONE, EndReason.EMPTY)

    def _remember_cancel(self, sender: Did, call_id: CallId) -> None:
        self._cancelled[call_id] = sender
        while len(self._cancelled) > self._settings.max_cancelled_remembered:
            del self._cancelled[next(iter(self._cancelled))]

    def _pending_call(self, call_id: CallId) -> KnownCall:
        call = self._calls.get(call_id)
        if call is None:
            raise NotFoundError(
                f"No call {call_id} can be joined.",
                hint="It may be over; `blink calls` lists what can be joined.",
            )
        if call.phase in _CURRENT:
            raise StateError("This session is already in that call.", hint="`blink leave` leaves it.")
        return call

    # the frame of every input

    def _begin(self, now: float) -> None:
        assert not self._out, "effects of an earlier input were not handed out"
        slept_s = now - self._due
        if slept_s > self._settings.oversleep_s:
            for call in self._calls.values():
                call.excuse(slept_s)
            if self._conversation is not None:
                self._conversation.excuse(slept_s)

    def _end(self, now: float) -> Effects:
        talk = self._conversation
        ending = talk.ending(now) if talk is not None else None
        if ending is not None:
            turn, reason = ending
            self._end_current(turn, reason, now)
        self._due = math.inf if self._stopped else self._when_due()
        effects = tuple(self._out)
        self._out.clear()
        return effects

    def _when_due(self) -> float:
        due = math.inf if self._conversation is None else self._conversation.next_wake()
        for call in self._calls.values():
            if call.phase in WAITING:
                due = min(due, call.heard_at + self._settings.pending_silence_s)
                for heard_at in call.rumours.values():
                    due = min(due, heard_at + self._settings.rumour_s)
        farewell = self._farewells.due_at
        return due if farewell is None else min(due, farewell)

    def _media(self, now: float, report: Callable[[Conversation], bool]) -> Effects:
        self._begin(now)
        if self._conversation is None or not report(self._conversation):
            self._ignore(Ignored.OLD_LINK)
        return self._end(now)

    def _ignore(self, reason: Ignored) -> None:
        self._ignored[reason] += 1

    def _refuse_after_shutdown(self) -> None:
        if self._stopped:
            raise StateError("The session is ending.", hint="Start another with `blink` or `blink serve`.")

    def _view_current(self) -> CallView | None:
        talk = self._conversation
        if talk is None:
            return None
        call = talk.call
        return CallView(
            call_id=call.call_id,
            state=_SHOWN[call.phase],
            caller=call.caller,
            since_s=talk.since_s,
            since_wall_ms=talk.since_wall_ms,
            instance=talk.instance,
            participants=tuple(self._view_participant(talk, did) for did in call.participants),
        )

    def _view_participant(self, talk: Conversation, did: Did) -> ParticipantView:
        if did == self._own:
            return ParticipantView(
                did=did,
                nickname=talk.nickname,
                link=LinkState.SELF,
                epoch=0,
                present=True,
                declined=False,
                delivered=True,
                muted=self._state.muted,
                deafened=self._state.deafened,
                recording=self._state.recording,
                instance=talk.instance,
                hears=talk.hears,
            )
        member = talk.call.members[did]
        link = talk.links[did]
        return ParticipantView(
            did=did,
            nickname=member.nickname,
            link=link.state,
            epoch=link.epoch,
            present=member.present,
            declined=member.declined,
            delivered=member.delivered,
            muted=member.present and member.muted,
            deafened=member.present and member.deafened,
            recording=member.present and member.recording,
            instance=member.instance,
            hears=member.hears,
        )


def _view_pending(call: KnownCall) -> PendingView:
    return PendingView(
        call_id=call.call_id,
        caller=call.caller,
        nickname=call.nickname,
        participants=call.participants,
        joined=tuple(member.did for member in call.present),
        rejected=call.phase is Phase.REJECTED,
        left=call.phase is Phase.LEFT,
        since_s=call.began_at,
    )
