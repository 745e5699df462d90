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
from typing import assert_never

from blink_cli.core.call.book import CallBook
from blink_cli.core.call.conversation import Conversation, OwnState
from blink_cli.core.call.dialling import Epochs
from blink_cli.core.call.farewells import Farewells
from blink_cli.core.call.ignored import Ignored
from blink_cli.core.call.membership import KnownCall, Member
from blink_cli.core.call.pending import CURRENT, LISTED
from blink_cli.core.call.settings import LAN, CallSettings
from blink_cli.core.call.snapshot import CallsSnapshot
from blink_cli.core.call.transitions import Phase, Turn
from blink_cli.core.call.views import view_current, view_pending
from blink_cli.core.call_effects import CallEffect, Emit, SendToPeer, StopSending
from blink_cli.core.errors import NotFoundError, StateError, UsageError
from blink_cli.core.events import CallTerminated, EndReason, OfferDelivered
from blink_cli.core.names import CALL_ID_BYTES, GROUP_KEY_BYTES, CallId, Did
from blink_cli.core.signals import (
    Announce,
    Busy,
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
        self._out: list[CallEffect] = []
        self._book = CallBook(own, settings, self._out)
        self._conversation: Conversation | None = None
        self._state = OwnState()
        self._epochs = Epochs()
        self._farewells = Farewells(settings)
        self._ignored: Counter[Ignored] = Counter()
        self._due: float = math.inf
        self._awake_at = -math.inf
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
            rumour_s=self._settings.rumour_s,
        )
        self._book.write(call, Turn.WE_OFFER)
        talk = self._enter(call, nickname, now, wall_ms)
        talk.invite()
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
        for call in self._book:
            self._book.strike(call, Turn.WE_SHUT_DOWN)
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
        reason = Ignored.STOPPED if self._stopped else self._hear(sender, signal, call_id, now)
        if reason is not None:
            self._ignored[reason] += 1
        return self._end(now)

    def acknowledged(self, peer: Did, signal: Signal, now: float) -> Effects:
        """A direct signal is known to have reached its peer."""
        self._begin(now)
        if isinstance(signal, Offer):
            call = self._book.get(signal.call_id)
            member = call.members.get(peer) if call is not None else None
            if call is not None and member is not None and not member.delivered and call.phase in CURRENT:
                member.delivered = True
                self._out.append(Emit(OfferDelivered(call_id=call.call_id, did=peer)))
        return self._end(now)

    # media layer

    def local_description(self, peer: Did, epoch: int, sdp: str, now: float) -> Effects:
        """The media layer has made its half of this dialling: an SDP offer after Dial, an answer after Answer."""
        return self._media(
            now, lambda talk: peer in talk.links and talk.links[peer].local_description(epoch, sdp, now)
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
        self._book.wake(now)
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
        return tuple(call.call_id for call in self._book if call.phase in LISTED)

    @property
    def ringing(self) -> tuple[CallId, ...]:
        """The calls that nobody here has decided about, in the order in which they came."""
        return tuple(call.call_id for call in self._book if call.phase is Phase.RINGING)

    def snapshot(self, now: float) -> CallsSnapshot:
        """Everything about calls at this moment, as frozen values."""
        assert now >= 0, "monotonic time is not negative"
        return CallsSnapshot(
            call=None if self._conversation is None else view_current(self._conversation, self._state),
            pending=tuple(view_pending(call) for call in self._book if call.phase in LISTED),
            muted=self._state.muted,
            deafened=self._state.deafened,
            recording=self._state.recording,
            ignored=tuple(sorted((reason.value, count) for reason, count in self._ignored.items())),
        )

    # hearing: each says why it ignored something, or None

    def _hear(self, sender: Did, signal: Signal, call_id: CallId | None, now: float) -> Ignored | None:
        match signal:
            case Announce() | Leave():
                return self._hear_in_call(sender, signal, call_id, now)
            case Offer() | Cancel() | Decline() | Busy():
                return self._hear_to_peer(sender, signal, call_id, now)
            case SessionDescription() | Redial():
                return self._hear_dialling(sender, signal, call_id, now)
            case Presence():
                return Ignored.WRONG_TOPIC
            case _:
                assert_never(signal)

    def _hear_in_call(
        self, sender: Did, signal: Announce | Leave, call_id: CallId | None, now: float
    ) -> Ignored | None:
        if call_id is None:
            return Ignored.WRONG_TOPIC
        call = self._book.get(call_id)
        if call is None:
            return Ignored.UNKNOWN_CALL
        if sender == self._own:
            return self._hear_own_other_session(call, signal, now)
        member = call.members.get(sender)
        if member is None:
            return Ignored.NOT_INVITED
        if isinstance(signal, Leave):
            self._hear_leave(call, member, signal, now)
            return None
        return self._hear_announce(call, member, signal, now)

    def _hear_leave(self, call: KnownCall, member: Member, leave: Leave, now: float) -> None:
        talk = self._talk_in(call)
        if talk is not None:
            talk.heard_leave(member, leave, now)
        else:
            self._book.hear_leave(call, member, leave, now)

    def _hear_announce(
        self, call: KnownCall, member: Member, announce: Announce, now: float
    ) -> Ignored | None:
        talk = self._talk_in(call)
        if talk is None:
            return self._book.hear_announce(call, member, announce, now)
        return None if talk.heard_announce(member, announce, now) else Ignored.STALE

    def _hear_to_peer(
        self, sender: Did, signal: Offer | Cancel | Decline | Busy, call_id: CallId | None, now: float
    ) -> Ignored | None:
        if call_id is not None:
            return Ignored.WRONG_TOPIC
        if isinstance(signal, Offer):
            return self._hear_offer(sender, signal, now)
        talk = self._conversation
        if talk is not None and talk.call.call_id == signal.call_id:
            return self._hear_about_current(talk, sender, signal, now)
        if isinstance(signal, Cancel):
            return self._book.hear_cancel(sender, signal)
        if isinstance(signal, Busy):
            return Ignored.NOT_IN_THIS_CALL
        return self._book.hear_decline(sender, signal)

    def _hear_offer(self, sender: Did, offer: Offer, now: float) -> Ignored | None:
        is_new = self._book.get(offer.call_id) is None
        ignored = self._book.hear_offer(sender, offer, now)
        if ignored is None and is_new and self._conversation is not None:
            self._out.append(SendToPeer(sender, Busy(offer.call_id), offer.call_id))
        return ignored

    def _hear_about_current(
        self, talk: Conversation, sender: Did, signal: Cancel | Decline | Busy, now: float
    ) -> Ignored | None:
        member = talk.call.members.get(sender)
        if member is None:
            return Ignored.NOT_INVITED
        if isinstance(signal, Decline):
            return None if talk.heard_decline(member) else Ignored.STALE
        if isinstance(signal, Busy):
            return None if talk.heard_busy(member) else Ignored.STALE
        if sender != talk.call.caller:
            return Ignored.NOT_THE_CALLER
        talk.heard_withdrawal(member)
        if not talk.call.present:
            self._end_current(Turn.CALLER_WITHDRAWS, EndReason.WITHDRAWN, now)
        return None

    def _hear_dialling(
        self, sender: Did, signal: SessionDescription | Redial, call_id: CallId | None, now: float
    ) -> Ignored | None:
        if call_id is not None and call_id != signal.call_id:
            return Ignored.WRONG_TOPIC
        talk = self._conversation
        if talk is None or talk.call.call_id != signal.call_id:
            return Ignored.NOT_IN_THIS_CALL
        member = talk.call.members.get(sender)
        if member is None:
            return Ignored.NOT_INVITED
        if isinstance(signal, SessionDescription):
            believed = talk.heard_description(member, signal, now)
        else:
            believed = talk.heard_redial(member, signal, now)
        return None if believed else Ignored.STALE

    def _hear_own_other_session(
        self, call: KnownCall, signal: Announce | Leave, now: float
    ) -> Ignored | None:
        """Another session of this identity: the newer joining wins, and the older one goes without a word."""
        talk = self._talk_in(call)
        if isinstance(signal, Leave):
            call.own_heard_instance = max(call.own_heard_instance, signal.instance)
            if talk is not None:
                talk.heard_own_leave(signal.instance, now)
            return None
        if signal.instance <= call.own_instance:
            if talk is not None and signal.instance < call.own_instance:
                talk.insist(now)
            return Ignored.STALE
        call.own_heard_instance = max(call.own_heard_instance, signal.instance)
        if talk is not None:
            self._end_current(Turn.TAKEN_ELSEWHERE, EndReason.JOINED_ELSEWHERE, now)
        elif call.phase is Phase.RINGING:
            self._book.cancel(call, Turn.TAKEN_ELSEWHERE, EndReason.JOINED_ELSEWHERE)
        return None

    # the moves

    def _talk_in(self, call: KnownCall) -> Conversation | None:
        talk = self._conversation
        return talk if talk is not None and talk.call is call else None

    def _enter(self, call: KnownCall, nickname: str, now: float, wall_ms: int) -> Conversation:
        assert self._conversation is None, "the current call is left before another is entered"
        talk = Conversation(
            call, nickname, self._state, self._epochs, self._settings, self._out, now, wall_ms
        )
        self._conversation = talk
        talk.join(now)
        return talk

    def _leave_current(self, now: float) -> None:
        """Leave and listen on for a while; an offer that nobody followed is withdrawn and forgotten."""
        if self._conversation is None:
            return
        if self._conversation.call.phase is Phase.OFFERING and not self._conversation.call.visited:
            self._end_current(Turn.WE_WITHDRAW, EndReason.LEFT, now)
            return
        call = self._close_conversation()
        call.turn(Turn.WE_LEAVE)
        self._book.say_leave(call, now, copies=self._settings.leave_copies)
        self._out.append(Emit(CallTerminated(call_id=call.call_id, reason=EndReason.LEFT)))
        self._book.forget_if_over(call, now)

    def _end_current(self, turn: Turn, reason: EndReason, now: float) -> None:
        """The current call is over and not kept."""
        call = self._close_conversation()
        if turn is not Turn.TAKEN_ELSEWHERE:
            self._book.say_leave(call, now, copies=self._settings.leave_copies)
            if call.caller == self._own:
                self._withdraw(call, now)
        self._book.strike(call, turn)
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
        talk = self._conversation
        assert talk is not None, "only a call that was entered ends"
        self._conversation = None
        talk.close()
        return talk.call

    def _pending_call(self, call_id: CallId) -> KnownCall:
        call = self._book.get(call_id)
        if call is None:
            raise NotFoundError(
                f"No call {call_id} can be joined.",
                hint="It may be over; `blink calls` lists what can be joined.",
            )
        if call.phase in CURRENT:
            raise StateError("This session is already in that call.", hint="`blink leave` leaves it.")
        return call

    def _refuse_after_shutdown(self) -> None:
        if self._stopped:
            raise StateError("The session is ending.", hint="Start another with `blink` or `blink serve`.")

    # the frame of every input

    def _begin(self, now: float) -> None:
        assert not self._out, "the effects of the last input were handed out"
        # An input that came since the wake was due shows that we were awake then: what we slept is excused once.
        slept_s = now - max(self._due, self._awake_at)
        self._awake_at = max(self._awake_at, now)
        if slept_s > self._settings.oversleep_s:
            self._book.excuse(slept_s)
            if self._conversation is not None:
                self._conversation.excuse(slept_s)

    def _end(self, now: float) -> Effects:
        ending = None if self._conversation is None else self._conversation.ending(now)
        if ending is not None:
            turn, reason = ending
            self._end_current(turn, reason, now)
        self._due = math.inf if self._stopped else self._when_due()
        effects = tuple(self._out)
        self._out.clear()
        return effects

    def _when_due(self) -> float:
        talk = math.inf if self._conversation is None else self._conversation.next_wake()
        return min(talk, self._book.next_wake(), self._farewells.due_at)

    def _media(self, now: float, report: Callable[[Conversation], bool]) -> Effects:
        self._begin(now)
        if self._conversation is None or not report(self._conversation):
            self._ignored[Ignored.OLD_LINK] += 1
        return self._end(now)
