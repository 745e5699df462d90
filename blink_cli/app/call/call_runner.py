"""Carries out what the call machine decides, and tells it what happens.

commands, signals, media, time --> CallMachine --effects, in order--> signaling | CallMedia | events
"""

import secrets
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol, assert_never

from blink_cli.app.media.call_media import CallMedia
from blink_cli.core.api.events import Event, LinkState
from blink_cli.core.call import inputs
from blink_cli.core.call.effects import (
    Answer,
    ApplyAnswer,
    CallEffect,
    CloseTopics,
    ConfirmOffer,
    DescribeEarly,
    Dial,
    DropKey,
    EnterRoom,
    Hangup,
    HearInRoom,
    LeaveRoom,
    MediaEffect,
    OpenTopics,
    PeerTalks,
    SendToCall,
    SendToPeer,
    StartMedia,
    StopMedia,
    StopSending,
    UseKey,
    UseRoomKeys,
)
from blink_cli.core.call.facts import IncomingCall, OfferDelivered
from blink_cli.core.call.inputs import CallInput, Heard, MediaInput
from blink_cli.core.call.machine import CallMachine
from blink_cli.core.call.room_policy import RoomPolicy, Via
from blink_cli.core.call.snapshot import CallsSnapshot
from blink_cli.core.call.trace import CallTrace
from blink_cli.core.fact import Emit
from blink_cli.core.ids import CallId, Did
from blink_cli.core.media.media_tap import Observer
from blink_cli.core.media.room import room_place
from blink_cli.core.signaling.signals import CallSignal, DirectSignal, Signal
from blink_cli.runtime.wake_timer import WakeTimer


class SignalPost(Protocol):
    """What the calls need of the gossip."""

    def send_to_peer(self, peer: Did, signal: DirectSignal, call_id: CallId) -> None:
        """Repeat until acknowledged or stopped."""

    def confirm_offer(self, peer: Did, call_id: CallId) -> None:
        """Acknowledge an offer."""

    def stop_sending(self, call_id: CallId, peer: Did | None) -> None:
        """Forget what is under way."""

    def send_to_call(
        self, call_id: CallId, signal: CallSignal, copies: int, *, straight: bool, key_id: bytes
    ) -> None:
        """Publish under this key of the call, and so many copies more; `straight` to every participant's address too."""

    def open_call(self, call_id: CallId, group_key: bytes, participants: tuple[Did, ...]) -> None:
        """Listen to the call."""

    def use_key(self, call_id: CallId, group_key: bytes) -> None:
        """Listen under this key too."""

    def drop_key(self, call_id: CallId, key_id: bytes) -> None:
        """Forget it."""

    def close_call(self, call_id: CallId) -> None:
        """Listen no more."""


class CallRunner:
    """Belongs to the event loop. Implements `MediaOwner`; the session feeds it signals and commands."""

    def __init__(
        self,
        *,
        own: Did,
        nickname: str,
        post: SignalPost,
        media: CallMedia,
        publish: Callable[[Event], None],
        media_heard: Callable[[Did], None],
        rooms: RoomPolicy | None = None,
    ) -> None:
        """Know no call yet.

        Args:
            own: This session.
            nickname: What it calls itself.
            post: Sends signals.
            media: Carries voice.
            publish: Takes events.
            media_heard: Told, some times a second, whose media arrive.
            rooms: Through rooms on which SFUs calls may go; None: through none.

        """
        self._own = own
        self._nickname = nickname
        self._post = post
        self._media = media
        self._publish = publish
        self._media_heard = media_heard
        self._trace = CallTrace(secrets.token_bytes)
        self._machine = CallMachine(own, self._trace.entropy)
        self._waiting: deque[CallEffect] = deque()
        self._performing = False
        self._wake = WakeTimer(self._woken)
        self._muted = False
        self._deafened = False
        self._video = False
        self._recorders: set[Observer] = set()
        if rooms is not None:
            self._handle(inputs.RoomsKnown(rooms))

    # what is known

    @property
    def muted(self) -> bool:
        """Whether this session says nothing."""
        return self._muted

    @property
    def deafened(self) -> bool:
        """Whether this session hears nothing."""
        return self._deafened

    def snapshot(self) -> CallsSnapshot:
        """Everything about calls now."""
        return self._machine.snapshot(time.monotonic())

    @property
    def trace(self) -> CallTrace:
        """The last steps of the call machine."""
        return self._trace

    def claims(self) -> dict[Did, str]:
        """What those who call, and the participants of the current call, call themselves."""
        snapshot = self.snapshot()
        claims = {view.caller: view.nickname for view in snapshot.pending if view.nickname}
        if snapshot.call is not None:
            claims |= {view.did: view.nickname for view in snapshot.call.participants if view.nickname}
        return claims

    def participants(self) -> frozenset[Did]:
        """Who is in the current call."""
        call = self.snapshot().call
        return (
            frozenset() if call is None else frozenset(view.did for view in call.participants if view.present)
        )

    @property
    def current(self) -> CallId | None:
        """The call that this session is in."""
        return self._machine.current

    @property
    def standing(self) -> frozenset[Did]:
        """Whose links stand by the rules of the call; one that is lost may keep its connection for a while."""
        call = self.snapshot().call
        views = () if call is None else call.participants
        return frozenset(view.did for view in views if view.link is LinkState.CONNECTED)

    def our_losses_permille(self) -> dict[Did, int]:
        """See `MediaOwner`."""
        call = self.snapshot().call
        views = () if call is None else call.participants
        return {
            view.did: heard.loss_permille
            for view in views
            if view.present and view.link is not LinkState.SELF
            for heard in view.hears
            if heard.did == self._own and heard.loss_permille
        }

    @property
    def ringing(self) -> tuple[CallId, ...]:
        """Calls that nobody here has decided about."""
        return self._machine.ringing

    # commands; errors are the machine's

    def offer(self, peers: Sequence[Did], via: Via = Via.AUTO) -> CallId:
        """Invite to a new call and be in it."""
        self._handle(inputs.Offering(tuple(peers), self._nickname, _wall_ms(), via))
        call = self._machine.current
        assert call is not None, "offering enters the call"
        self._media.links.expect_few(peers)
        return call

    def accept(self, call: CallId) -> None:
        """Join a pending call."""
        self._handle(inputs.Accepting(call, self._nickname, _wall_ms()))

    def reject(self, call: CallId) -> None:
        """Decline a ringing call."""
        self._handle(inputs.Rejecting(call))

    def leave(self) -> None:
        """Leave the current call."""
        self._handle(inputs.Leaving())

    def set_muted(self, *, muted: bool) -> None:
        """Say nothing, or speak again, and show it to all."""
        self._muted = muted
        self._media.set_muted(muted=muted)
        self._show_state()

    def set_deafened(self, *, deafened: bool) -> None:
        """Hear nothing, or hear again, and show it to all."""
        self._deafened = deafened
        self._media.set_deafened(deafened=deafened)
        self._show_state()

    def set_video(self, *, on: bool) -> None:
        """Show to all whether this session's camera is on."""
        self._video = on
        self._show_state()

    def set_recording(self, recorder: Observer, *, recording: bool) -> None:
        """Show to all that this session keeps what it hears, as long as anybody in it does."""
        (self._recorders.add if recording else self._recorders.discard)(recorder)
        self._show_state()

    def shut_down(self) -> None:
        """Leave, close everything; nothing happens afterwards."""
        self._handle(inputs.Ending())
        self._wake.cancel()

    def set_contacts(self, dids: frozenset[Did]) -> None:
        """These are the contacts now."""
        self._handle(inputs.ContactsKnown(dids))

    def want_no_links(self, dids: frozenset[Did]) -> None:
        """Make no links to these in calls that are entered from now on; they make none either."""
        self._handle(inputs.LinksNotWanted(dids))

    # signals

    def signal(self, sender: Did, signal: Signal, call_id: CallId | None, key_id: bytes) -> None:
        """Hear an authenticated signal."""
        self._handle(inputs.SignalHeard(sender, signal, call_id, key_id))

    def acknowledged(self, peer: Did, signal: DirectSignal) -> None:
        """Learn that a signal reached its peer."""
        self._handle(inputs.SignalAcknowledged(peer, signal))

    # MediaOwner

    def media_told(self, event: MediaInput) -> None:
        """See `MediaOwner`."""
        if isinstance(event, Heard):
            self._media_heard(event.peer)
        self._handle(event)

    # inside

    def _show_state(self) -> None:
        self._handle(
            inputs.Showing(
                muted=self._muted,
                deafened=self._deafened,
                recording=bool(self._recorders),
                video=self._video,
            )
        )

    def _handle(self, told: CallInput) -> None:
        now = time.monotonic()
        effects: tuple[CallEffect, ...] = ()
        try:
            effects = self._machine.handle(told, now)
        finally:
            self._trace.note(now, told, effects)  # also what was refused: time has passed for the machine
        self._perform(effects)

    def _woken(self) -> None:
        now = time.monotonic()
        effects = self._machine.handle_timeout(now)
        self._trace.note(now, None, effects)
        self._perform(effects)

    def _perform(self, effects: Sequence[CallEffect]) -> None:
        # An effect's own consequences come behind the effects that are already decided.
        self._waiting.extend(effects)
        if self._performing:
            return
        self._performing = True
        first: Exception | None = None
        while self._waiting:
            try:
                self._carry_out(self._waiting.popleft())
            except Exception as failure:  # noqa: BLE001 - raised below: one effect that fails must not undo the others
                if first is None:
                    first = failure
                else:
                    first.add_note(f"and after it: {failure!r}")
        self._performing = False
        self._wake.set(self._machine.next_timeout())
        if first is not None:
            raise first

    def _listen(self, effect: OpenTopics | UseKey | DropKey | CloseTopics) -> None:
        match effect:
            case OpenTopics(call_id, group_key, participants):
                self._post.open_call(call_id, group_key, participants)
            case UseKey(call_id, group_key):
                self._post.use_key(call_id, group_key)
            case DropKey(call_id, key_id):
                self._post.drop_key(call_id, key_id)
            case CloseTopics(call_id):
                self._post.close_call(call_id)

    def _carry_out(self, effect: CallEffect) -> None:
        match effect:
            case SendToPeer(peer, signal, call_id):
                self._post.send_to_peer(peer, signal, call_id)
            case ConfirmOffer(peer, call_id):
                self._post.confirm_offer(peer, call_id)
            case StopSending(call_id, peer):
                self._post.stop_sending(call_id, peer)
            case SendToCall(call_id, call_signal, copies, straight, key_id):
                self._post.send_to_call(call_id, call_signal, copies, straight=straight, key_id=key_id)
            case OpenTopics() | UseKey() | DropKey() | CloseTopics():
                self._listen(effect)
            case Emit(event):
                self._publish(event)
                self._expect(event)
            case _:
                self._let_media(effect)

    def _let_media(self, effect: MediaEffect) -> None:
        match effect:
            case DescribeEarly(_, peer, epoch):
                self._media.links.describe_early(peer, epoch)
            case Dial(_, peer, epoch):
                self._media.links.dial(peer, epoch)
            case Answer(_, peer, epoch, sdp):
                self._media.links.answer(peer, epoch, sdp)
            case ApplyAnswer(_, peer, epoch, sdp):
                self._media.links.apply(peer, epoch, sdp)
            case Hangup(_, peer, epoch):
                # No two connections have the same epoch: one of the two knows it.
                self._media.links.hang_up(peer, epoch)
                self._media.room.hang_up(peer, epoch)
            case StartMedia(call_id):
                self._media.begin(call_id, self)
            case StopMedia():
                self._media.end()
            case EnterRoom(_, url, invitation_key):
                self._media.room.enter(room_place(url, invitation_key))
            case LeaveRoom():
                self._media.room.leave()
            case UseRoomKeys(_, current, former):
                self._media.room.use_keys(current, former)
            case HearInRoom(_, peer, epoch, feed):
                self._media.room.hear(peer, epoch, feed)
            case PeerTalks(_, peer, talking):
                self._media.room.talks(peer, talking=talking)
            case _:
                assert_never(effect)

    def _expect(self, event: object) -> None:
        match event:
            case IncomingCall(caller=peer) | OfferDelivered(did=peer):
                self._media.links.expect(peer)
            case _:
                pass


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000
