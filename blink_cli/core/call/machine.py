"""The call machine: everything a session knows of calls, and what it does about them. One per session.

    inputs       handle                          the values of inputs.py
    time         next_timeout handle_timeout
    effects      the values of effects.py

Every input comes with the monotonic `now` in seconds, and is answered with the effects to carry out, in order. Nothing here reads a clock,
waits or fails because of what a peer sent.
"""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from typing import assert_never

from blink_cli.core.call import inputs
from blink_cli.core.call.acquaintances import Acquaintances
from blink_cli.core.call.active_call import ActiveCall
from blink_cli.core.call.call_table import CallTable
from blink_cli.core.call.dialling import Epochs
from blink_cli.core.call.effects import CallEffect, ConfirmOffer, SendToPeer, StopSending
from blink_cli.core.call.facts import CallTerminated, EndReason, OfferDelivered
from blink_cli.core.call.ignored import Ignored
from blink_cli.core.call.inputs import CallInput, MediaInput, RoomInput
from blink_cli.core.call.membership import CallRecord, Member
from blink_cli.core.call.pending import CURRENT, LISTED
from blink_cli.core.call.pending_cancels import PendingCancels
from blink_cli.core.call.room_announcing import read_room_announce
from blink_cli.core.call.room_policy import RoomPolicy, Via
from blink_cli.core.call.settings import LAN, CallSettings
from blink_cli.core.call.shown_states import OwnState
from blink_cli.core.call.snapshot import CallsSnapshot
from blink_cli.core.call.transitions import Phase, Trigger
from blink_cli.core.call.views import view_current, view_pending
from blink_cli.core.errors import NotFoundError, StateError, UsageError
from blink_cli.core.fact import Emit
from blink_cli.core.ids import CALL_ID_BYTES, GROUP_KEY_BYTES, CallId, Did
from blink_cli.core.signaling.signals import (
    Announce,
    Attending,
    Busy,
    Cancel,
    ClockReply,
    ClockRequest,
    Decline,
    Leave,
    NewKey,
    Offer,
    Presence,
    Redial,
    RoomAnnounce,
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
        self._acquaintances = Acquaintances()
        self._call_table = CallTable(own, settings, self._out, self._acquaintances.class_of)
        self._active_call: ActiveCall | None = None
        self._state = OwnState()
        self._unlinked: frozenset[Did] = frozenset()
        self._policy = RoomPolicy()
        self._epochs = Epochs()
        self._pending_cancels = PendingCancels(settings)
        self._ignored: Counter[Ignored] = Counter()
        self._due: float = math.inf
        self._awake_at = -math.inf
        self._stopped = False

    def handle(self, told: CallInput, now: float) -> Effects:  # noqa: PLR0911 - a row for each input
        """Take one input at a monotonic moment, and return what is to be done.

        Raises:
            BlinkError: A command cannot be carried out now; see the inputs.

        """
        match told:
            case inputs.SignalHeard(sender, signal, call_id, key_id):
                return self._signal(sender, signal, call_id, now, key_id)
            case inputs.SignalAcknowledged(peer, signal):
                return self._acknowledged(peer, signal, now)
            case inputs.ContactsKnown(dids):
                self._set_contacts(dids)
            case inputs.RoomsKnown(policy):
                self._policy = policy
            case inputs.LinksNotWanted(dids):
                self._unlinked = dids
            case inputs.Offering(peers, nickname, wall_ms, via):
                return self._offer(peers, nickname, via, now, wall_ms)
            case inputs.Accepting(call_id, nickname, wall_ms):
                return self._accept(call_id, nickname, now, wall_ms)
            case inputs.Rejecting(call_id):
                return self._reject(call_id, now)
            case inputs.Leaving():
                return self._leave(now)
            case inputs.Showing(muted, deafened, recording, video):
                return self._set_state(OwnState(muted, deafened, recording, video), now)
            case inputs.Ending():
                return self._shutdown(now)
            case _:
                return self._handle_media(told, now)
        return ()

    def _handle_media(self, told: MediaInput, now: float) -> Effects:  # noqa: PLR0911 - a row for each input
        match told:
            case inputs.Heard(peer, epoch, at_s):
                return self._heard(peer, epoch, at_s)
            case inputs.Reception(peer, lost_permille, longest_burst_packets):
                self._reception(peer, lost_permille, longest_burst_packets)
            case inputs.Described(peer, epoch, sdp):
                return self._local_description(peer, epoch, sdp, now)
            case inputs.Refused(peer, epoch, reason):
                return self._dial_failed(peer, epoch, reason, now)
            case inputs.Connected(peer, epoch):
                return self._link_connected(peer, epoch, now)
            case inputs.Ended(peer, epoch, reason):
                return self._link_closed(peer, epoch, reason, now)
            case inputs.RoomEntered() | inputs.RoomLost() | inputs.RoomSilent() | inputs.OwnTalk():
                return self._handle_room(told, now)
        return ()

    def _handle_room(self, told: RoomInput, now: float) -> Effects:
        match told:
            case inputs.RoomEntered(url, feed):
                return self._media(now, lambda active: active.room_entered(url, feed, now))
            case inputs.RoomLost(url, reason):
                return self._media(now, lambda active: active.room_lost(url, reason, now))
            case inputs.RoomSilent(url, silent):
                return self._media(now, lambda active: active.room_silent(url, now, silent=silent))
            case inputs.OwnTalk(talking):
                self._begin(now)
                if self._active_call is not None:
                    self._active_call.own_talk(now, talking=talking)
                return self._end(now)
            case _:
                assert_never(told)

    def _set_contacts(self, dids: frozenset[Did]) -> None:
        self._acquaintances.set_contacts(dids)

    # commands

    def _offer(self, peers: Sequence[Did], nickname: str, via: Via, now: float, wall_ms: int) -> Effects:
        self._begin(now)
        self._refuse_after_shutdown()
        others = tuple(dict.fromkeys(peers))
        if not others:
            raise UsageError(
                "Nobody was named whom to call.",
                hint="Name one or more peers; `blink peers` lists who is on the network.",
            )
        if self._own in others:
            raise UsageError("A session cannot call itself.", hint="Leave your own name out.")
        if len(others) >= self._settings.max_participants:
            raise UsageError(
                f"A call holds at most {self._settings.max_participants} participants, you included.",
                hint=f"{len(others)} peers were named; invite fewer.",
            )
        self._refuse_without_room(len(others) + 1, via)
        self._leave_current(now)
        call = CallRecord(
            call_id=CallId(self._entropy(CALL_ID_BYTES).hex()),
            group_key=self._entropy(GROUP_KEY_BYTES),
            participants=(self._own, *others),
            caller=self._own,
            nickname=nickname,
            began_at=now,
            own=self._own,
            hearsay_s=self._settings.hearsay_s,
            handover_s=self._settings.key_handover_s,
            via=via,
        )
        for did in others:
            self._acquaintances.meet(did)
        self._call_table.add(call, Trigger.WE_OFFER)
        active = self._enter(call, nickname, now, wall_ms)
        active.invite()
        return self._end(now)

    def _accept(self, call_id: CallId, nickname: str, now: float, wall_ms: int) -> Effects:
        self._begin(now)
        self._refuse_after_shutdown()
        call = self._pending_call(call_id)
        self._leave_current(now)
        if call.phase is Phase.REJECTED:
            self._out.append(StopSending(call_id, None))
        call.turn(Trigger.WE_ACCEPT)
        self._enter(call, nickname, now, wall_ms)
        return self._end(now)

    def _reject(self, call_id: CallId, now: float) -> Effects:
        self._begin(now)
        self._refuse_after_shutdown()
        call = self._pending_call(call_id)
        if call.phase is not Phase.RINGING:
            raise StateError(
                "This call does not ring any more: it was rejected or left before.",
                hint="`blink accept` still joins it while somebody is in it.",
            )
        call.turn(Trigger.WE_REJECT)
        call.keys.lapse(now)
        for did in call.members:
            self._out.append(SendToPeer(did, Decline(call_id), call_id))
        return self._end(now)

    def _leave(self, now: float) -> Effects:
        self._begin(now)
        if self._active_call is None:
            raise StateError("This session is not in a call.", hint="`blink calls` lists what can be joined.")
        self._leave_current(now)
        return self._end(now)

    def _set_state(self, state: OwnState, now: float) -> Effects:
        self._begin(now)
        own = self._state
        video_changed, own.video = state.video != own.video, state.video
        if video_changed and self._active_call is not None:
            self._active_call.video_changed(now)
        if state != own:
            own.muted, own.deafened, own.recording = state.muted, state.deafened, state.recording
            if self._active_call is not None:
                self._active_call.state_changed(now)
        return self._end(now)

    def _shutdown(self, now: float) -> Effects:
        self._begin(now)
        if self._stopped:
            return ()
        self._leave_current(now)
        for call in self._call_table:
            self._call_table.remove(call, Trigger.WE_SHUT_DOWN)
        self._stopped = True
        return self._end(now)

    # signals

    def _signal(
        self, sender: Did, signal: Signal, call_id: CallId | None, now: float, key_id: bytes = b""
    ) -> Effects:
        self._begin(now)
        reason = Ignored.STOPPED if self._stopped else self._hear(sender, signal, call_id, key_id, now)
        if reason is not None:
            self._ignored[reason] += 1
        return self._end(now)

    def _acknowledged(self, peer: Did, signal: Signal, now: float) -> Effects:
        self._begin(now)
        if isinstance(signal, Offer):
            call = self._call_table.get(signal.call_id)
            member = call.members.get(peer) if call is not None else None
            if call is not None and member is not None and not member.delivered and call.phase in CURRENT:
                member.delivered = True
                self._out.append(Emit(OfferDelivered(call_id=call.call_id, did=peer)))
                active = self._talk_in(call)
                if active is not None and call.caller == self._own:
                    active.offer_delivered(peer)
        return self._end(now)

    # media layer

    def _local_description(self, peer: Did, epoch: int, sdp: str, now: float) -> Effects:
        return self._media(
            now, lambda active: peer in active.links and active.links[peer].local_description(epoch, sdp, now)
        )

    def _dial_failed(self, peer: Did, epoch: int, reason: str, now: float) -> Effects:
        assert reason, "a failure has a reason"
        return self._media(now, lambda active: peer in active.links and active.links[peer].failed(epoch, now))

    def _link_connected(self, peer: Did, epoch: int, now: float) -> Effects:
        self._acquaintances.meet(peer)
        return self._media(now, lambda active: peer in active.links and active.link_stands(peer, epoch, now))

    def _link_closed(self, peer: Did, epoch: int, reason: str, now: float) -> Effects:
        assert reason, "a closing has a reason"
        return self._media(now, lambda active: peer in active.links and active.link_closed(peer, epoch, now))

    def _heard(self, peer: Did, epoch: int, now: float) -> Effects:
        return self._media(now, lambda active: peer in active.links and active.media_heard(peer, epoch, now))

    def _reception(self, peer: Did, loss_permille: int, longest_burst_packets: int) -> None:
        if self._active_call is not None and peer in self._active_call.links:
            self._active_call.reception(peer, loss_permille, longest_burst_packets)

    # time

    def next_timeout(self) -> float | None:
        """When `handle_timeout` must be called, in monotonic seconds; None when nothing is due. Changes with every input."""
        return None if self._due == math.inf else self._due

    def handle_timeout(self, now: float) -> Effects:
        """Do what is due: announce, notice silence and missed deadlines, dial again, forget."""
        self._begin(now)
        if self._active_call is not None:
            self._active_call.handle_timeout(now)
        self._call_table.handle_timeout(now)
        self._out.extend(StopSending(call_id, None) for call_id in self._pending_cancels.ended(now))
        return self._end(now)

    # reading

    @property
    def current(self) -> CallId | None:
        """The call that this session is in."""
        return None if self._active_call is None else self._active_call.call.call_id

    @property
    def pending(self) -> tuple[CallId, ...]:
        """The calls that could be joined, in the order in which they came."""
        return tuple(call.call_id for call in self._call_table if call.phase in LISTED)

    @property
    def ringing(self) -> tuple[CallId, ...]:
        """The calls that nobody here has decided about, in the order in which they came."""
        return tuple(call.call_id for call in self._call_table if call.phase is Phase.RINGING)

    def snapshot(self, now: float) -> CallsSnapshot:
        """Everything about calls at this moment, as frozen values."""
        assert now >= 0, "monotonic time is not negative"
        return CallsSnapshot(
            call=None if self._active_call is None else view_current(self._active_call, self._state, now),
            pending=tuple(view_pending(call) for call in self._call_table if call.phase in LISTED),
            muted=self._state.muted,
            deafened=self._state.deafened,
            recording=self._state.recording,
            ignored=tuple(sorted((reason.value, count) for reason, count in self._ignored.items())),
        )

    # hearing: each says why it ignored something, or None

    def _hear(
        self, sender: Did, signal: Signal, call_id: CallId | None, key_id: bytes, now: float
    ) -> Ignored | None:
        match signal:
            case Announce() | RoomAnnounce() | Attending() | Leave():
                return self._hear_in_call(sender, signal, call_id, key_id, now)
            case NewKey():
                return self._hear_new_key(sender, signal, call_id, now)
            case Offer() | Cancel() | Decline() | Busy():
                return self._hear_to_peer(sender, signal, call_id, now)
            case SessionDescription() | Redial():
                return self._hear_dialling(sender, signal, call_id, now)
            case Presence() | ClockRequest() | ClockReply():
                return Ignored.WRONG_TOPIC
            case _:
                assert_never(signal)

    def _hear_in_call(
        self,
        sender: Did,
        signal: Announce | RoomAnnounce | Attending | Leave,
        call_id: CallId | None,
        key_id: bytes,
        now: float,
    ) -> Ignored | None:
        call = None if call_id is None else self._call_table.get(call_id)
        if call is None:
            return Ignored.WRONG_TOPIC if call_id is None else Ignored.UNKNOWN_CALL
        if sender == self._own:
            return self._hear_own_other_session(call, signal, now)
        member = call.members.get(sender)
        if member is None:
            return Ignored.NOT_INVITED
        match signal:
            case Leave():
                return self._hear_leave(call, member, signal, now)
            case Attending():
                return self._hear_attending(call, member, signal, now)
            case Announce() | RoomAnnounce():
                return self._hear_announce(call, member, signal, key_id, now)

    def _hear_new_key(
        self, sender: Did, new_key: NewKey, call_id: CallId | None, now: float
    ) -> Ignored | None:
        if call_id is not None:
            return Ignored.WRONG_TOPIC
        call = self._call_table.get(new_key.call_id)
        if call is None:
            return Ignored.UNKNOWN_CALL
        member = call.members.get(sender)
        if member is None:
            return Ignored.NOT_INVITED
        active = self._talk_in(call)
        if active is None:
            return self._call_table.hear_new_key(call, member, new_key, now)
        return None if active.heard_new_key(member, new_key, now) else Ignored.STALE

    def _hear_attending(
        self, call: CallRecord, member: Member, attending: Attending, now: float
    ) -> Ignored | None:
        active = self._talk_in(call)
        if active is None:
            return self._call_table.hear_attending(call, member, attending, now)
        return None if active.heard_attending(member, attending, now) else Ignored.STALE

    def _hear_leave(self, call: CallRecord, member: Member, leave: Leave, now: float) -> Ignored | None:
        active = self._talk_in(call)
        if active is not None:
            active.heard_leave(member, leave, now)
        else:
            self._call_table.hear_leave(call, member, leave, now)
        return None

    def _hear_announce(
        self, call: CallRecord, member: Member, said: Announce | RoomAnnounce, key_id: bytes, now: float
    ) -> Ignored | None:
        announce, room = (
            (said, None) if isinstance(said, Announce) else read_room_announce(call, member, said)
        )
        active = self._talk_in(call)
        if active is None:
            return self._call_table.hear_announce(call, member, announce, room, now)
        return None if active.heard_announce(member, announce, room, key_id, now) else Ignored.STALE

    def _hear_to_peer(
        self, sender: Did, signal: Offer | Cancel | Decline | Busy, call_id: CallId | None, now: float
    ) -> Ignored | None:
        if call_id is not None:
            return Ignored.WRONG_TOPIC
        if isinstance(signal, Offer):
            return self._hear_offer(sender, signal, now)
        active = self._active_call
        if active is not None and active.call.call_id == signal.call_id:
            return self._hear_about_current(active, sender, signal, now)
        if isinstance(signal, Cancel):
            return self._call_table.hear_cancel(sender, signal)
        if isinstance(signal, Busy):
            return Ignored.NOT_IN_THIS_CALL
        return self._call_table.hear_decline(sender, signal)

    def _hear_offer(self, sender: Did, offer: Offer, now: float) -> Ignored | None:
        is_new = self._call_table.get(offer.call_id) is None
        ignored = self._call_table.hear_offer(sender, offer, now)
        if ignored is None:
            self._out.append(ConfirmOffer(sender, offer.call_id))
            active = self._active_call
            if active is not None and active.call.call_id == offer.call_id:
                active.heard_offer(active.call.members[sender], offer, now)
        if ignored is None and is_new and self._active_call is not None:
            self._out.append(SendToPeer(sender, Busy(offer.call_id), offer.call_id))
        return ignored

    def _hear_about_current(
        self, active: ActiveCall, sender: Did, signal: Cancel | Decline | Busy, now: float
    ) -> Ignored | None:
        member = active.call.members.get(sender)
        if member is None:
            return Ignored.NOT_INVITED
        if isinstance(signal, Decline):
            return None if active.heard_decline(member, now) else Ignored.STALE
        if isinstance(signal, Busy):
            return None if active.heard_busy(member) else Ignored.STALE
        if sender != active.call.caller:
            return Ignored.NOT_THE_CALLER
        active.heard_withdrawal(member, now)
        if not active.call.present:
            self._end_current(Trigger.CALLER_WITHDRAWS, EndReason.WITHDRAWN, now)
        return None

    def _hear_dialling(
        self, sender: Did, signal: SessionDescription | Redial, call_id: CallId | None, now: float
    ) -> Ignored | None:
        if call_id is not None and call_id != signal.call_id:
            return Ignored.WRONG_TOPIC
        active = self._active_call
        if active is None or active.call.call_id != signal.call_id:
            if isinstance(signal, SessionDescription):
                return self._call_table.hear_description(sender, signal, now)
            return Ignored.NOT_IN_THIS_CALL
        member = active.call.members.get(sender)
        if member is None:
            return Ignored.NOT_INVITED
        if isinstance(signal, SessionDescription):
            believed = active.heard_description(member, signal, now)
        else:
            believed = active.heard_redial(member, signal, now)
        return None if believed else Ignored.STALE

    def _hear_own_other_session(
        self, call: CallRecord, signal: Announce | RoomAnnounce | Attending | Leave, now: float
    ) -> Ignored | None:
        """Another session of this identity: the newer joining wins, and the older one goes without a word."""
        active = self._talk_in(call)
        if isinstance(signal, Leave):
            call.own_heard_incarnation = max(call.own_heard_incarnation, signal.incarnation)
            if active is not None:
                active.heard_own_leave(signal.incarnation, now)
            return None
        if signal.incarnation <= call.own_incarnation:
            if active is not None and signal.incarnation < call.own_incarnation:
                active.insist(now)
            return Ignored.STALE
        call.own_heard_incarnation = max(call.own_heard_incarnation, signal.incarnation)
        if active is not None:
            self._end_current(Trigger.TAKEN_ELSEWHERE, EndReason.JOINED_ELSEWHERE, now)
        elif call.phase is Phase.RINGING:
            self._call_table.cancel(call, Trigger.TAKEN_ELSEWHERE, EndReason.JOINED_ELSEWHERE)
        return None

    # the moves

    def _talk_in(self, call: CallRecord) -> ActiveCall | None:
        active = self._active_call
        return active if active is not None and active.call is call else None

    def _enter(self, call: CallRecord, nickname: str, now: float, wall_ms: int) -> ActiveCall:
        assert self._active_call is None, "the current call is left before another is entered"
        active = ActiveCall(
            call,
            nickname,
            self._state,
            self._epochs,
            self._settings.paced(len(call.participants)),
            self._out,
            self._entropy,
            now,
            wall_ms,
            self._unlinked,
            self._policy,
        )
        self._active_call = active
        active.join(now)
        return active

    def _leave_current(self, now: float) -> None:
        """Leave and listen on for a while; an offer that nobody followed is withdrawn and forgotten."""
        if self._active_call is None:
            return
        if self._active_call.call.phase is Phase.OFFERING and not self._active_call.call.visited:
            self._end_current(Trigger.WE_WITHDRAW, EndReason.LEFT, now)
            return
        call = self._close_conversation()
        call.turn(Trigger.WE_LEAVE)
        call.keys.lapse(now)
        self._call_table.say_leave(call, now, copies=self._settings.leave_copies)
        self._out.append(Emit(CallTerminated(call_id=call.call_id, reason=EndReason.LEFT)))
        self._call_table.forget_if_over(call, now)

    def _end_current(self, turn: Trigger, reason: EndReason, now: float) -> None:
        """The current call is over and not kept."""
        call = self._close_conversation()
        if turn is not Trigger.TAKEN_ELSEWHERE:
            self._call_table.say_leave(call, now, copies=self._settings.leave_copies)
            if call.caller == self._own:
                self._withdraw(call, now)
        self._call_table.remove(call, turn)
        self._out.append(Emit(CallTerminated(call_id=call.call_id, reason=reason)))

    def _withdraw(self, call: CallRecord, now: float) -> None:
        """Tell those who never came that there is nothing to come to."""
        waiting = [member.did for member in call.members.values() if not member.incarnation]
        for did in waiting:
            self._out.append(SendToPeer(did, Cancel(call.call_id), call.call_id))
        if waiting:
            stopping = self._pending_cancels.begin(call.call_id, now)
            self._out.extend(StopSending(gone, None) for gone in stopping)

    def _close_conversation(self) -> CallRecord:
        active = self._active_call
        assert active is not None, "only a call that was entered ends"
        self._active_call = None
        active.close()
        return active.call

    def _pending_call(self, call_id: CallId) -> CallRecord:
        call = self._call_table.get(call_id)
        if call is None:
            raise NotFoundError(
                f"No call {call_id} can be joined.",
                hint="It may be over; `blink calls` lists what can be joined.",
            )
        if call.phase in CURRENT:
            raise StateError("This session is already in that call.", hint="`blink leave` leaves it.")
        return call

    def _refuse_without_room(self, invited: int, via: Via) -> None:
        if via is Via.SFU and not self._policy.urls:
            raise UsageError(
                "No SFU is known here through which a call could go.",
                hint="Name one: `--sfu URL`, or `url` of `[sfu]` in the profile's settings.",
            )
        most = self._settings.max_mesh
        if invited > most and (via is Via.MESH or not self._policy.urls):
            raise UsageError(
                f"A call of more than {most} goes through an SFU alone, and none may be used here.",
                hint="Start the session with `--sfu URL`, or invite fewer.",
            )

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
            self._call_table.shift_deadlines(slept_s)
            if self._active_call is not None:
                self._active_call.shift_deadlines(slept_s)

    def _end(self, now: float) -> Effects:
        ending = None if self._active_call is None else self._active_call.ending(now)
        if ending is not None:
            turn, reason = ending
            self._end_current(turn, reason, now)
        self._call_table.forget_keys(now)
        if self._active_call is not None:
            self._active_call.settle(now)
        self._due = math.inf if self._stopped else self._when_due()
        effects = tuple(self._out)
        self._out.clear()
        return effects

    def _when_due(self) -> float:
        active = math.inf if self._active_call is None else self._active_call.next_timeout()
        return min(active, self._call_table.next_timeout(), self._pending_cancels.due_at)

    def _media(self, now: float, report: Callable[[ActiveCall], bool]) -> Effects:
        self._begin(now)
        if self._active_call is None or not report(self._active_call):
            self._ignored[Ignored.OLD_LINK] += 1
        return self._end(now)
