"""The audio connection to one participant: dialled, answered, watched, dialled again.

    dialler                                   the other side
    begin -> Dial -> local_description        begin -> awaiting
      SessionDescription(offer, epoch)  ---->   Answer -> local_description
      ApplyAnswer                       <----   SessionDescription(answer, epoch)
    stands                                    stands
    lost  -> Dial with the next epoch   <----   lost -> Redial(epoch)

While it rings, whoever called describes its side already, whichever side dials; who accepts answers that, and saves one signal's way or two:

    the caller                                   who is called
    describe_early -> DescribeEarly              (rings)
      SessionDescription(offer, epoch)  ---->    accepts -> begin -> Answer
      ApplyAnswer                       <----      SessionDescription(answer, epoch)

In a room on an SFU that both are in, the peer is heard without a word between the two (room_hearing.py). The direct connection then ends when each
hears the other so, and is dialled again when the room is gone: until the new way carries media the old one stays.

One object lasts as long as this session is in the call; what it wants done goes into the outbox that it was given.
"""

import math
from enum import Enum

import msgspec

from blink_cli.core.call.dialling import Epochs, dials
from blink_cli.core.call.effects import (
    Answer,
    ApplyAnswer,
    CallEffect,
    DescribeEarly,
    Dial,
    Hangup,
    SendToPeer,
    StopSending,
)
from blink_cli.core.call.facts import LinkChanged, LinkState
from blink_cli.core.call.room_hearing import RoomHearing
from blink_cli.core.call.settings import CallSettings
from blink_cli.core.call.transitions import LinkPhase, LinkTrigger, next_link_phase
from blink_cli.core.fact import Emit
from blink_cli.core.ids import CallId, Did
from blink_cli.core.media.room import RoomFeed
from blink_cli.core.signaling.signals import ANY_INCARNATION, Redial, SessionDescription

_SHOWN = {
    LinkPhase.NONE: LinkState.ABSENT,
    LinkPhase.AWAITING: LinkState.CONNECTING,
    LinkPhase.DIALLING: LinkState.CONNECTING,
    LinkPhase.ANSWERING: LinkState.CONNECTING,
    LinkPhase.CONNECTED: LinkState.CONNECTED,
    LinkPhase.LOST: LinkState.LOST,
}


class Direct(Enum):
    """Whether a direct connection is to be, beside the room or without one."""

    NEEDED = "needed"
    KEPT = "kept"
    """One that stands, or is on its way, goes on; none is begun."""
    UNWANTED = "unwanted"


class Link:
    """One participant's link, from this session's side. Methods return whether they fitted; what does not is ignored."""

    __slots__ = (
        "_answered",
        "_attempts",
        "_began",
        "_call_id",
        "_connected_at",
        "_deadline_at",
        "_described",
        "_early_epoch",
        "_epochs",
        "_last_dial_at",
        "_media_at",
        "_open",
        "_out",
        "_retry_at",
        "_say_again_at",
        "_settings",
        "_shown",
        "_signal_at",
        "awaits_sign",
        "dials",
        "direct",
        "epoch",
        "hearing",
        "own_incarnation",
        "peer",
        "peer_incarnation",
        "phase",
        "waits_since",
        "wanted",
    )

    def __init__(  # noqa: PLR0917 - made in one place, by the conversation
        self,
        call_id: CallId,
        own: Did,
        peer: Did,
        own_incarnation: int,
        epochs: Epochs,
        settings: CallSettings,
        out: list[CallEffect],
        *,
        wanted: bool = True,
    ) -> None:
        self.wanted = wanted
        """Whether there is to be a connection; neither side of a pair wants one, or both do."""
        self._call_id = call_id
        self.own_incarnation = own_incarnation
        self._epochs = epochs
        self._settings = settings
        self._out = out
        self.peer = peer
        self.dials = dials(own, peer)
        self.phase = LinkPhase.NONE
        self.epoch = 0
        """The newest dialling of this pair that this side knows."""
        self.peer_incarnation = 0
        self.awaits_sign = False
        """Lost, and not dialled before anything is heard of the peer."""
        self.direct = Direct.NEEDED
        self.hearing: RoomHearing | None = None
        """Of the peer in the room, when both say that they are there."""
        self.waits_since = -math.inf
        """Since when the room has been waited for."""
        self._began = False
        """Whether the peer is in the call, as far as a connection to it is wanted."""
        self._shown = LinkState.ABSENT
        self._open = False
        """Whether the media layer holds a connection of `epoch`."""
        self._described: SessionDescription | None = None
        self._early_epoch: int | None = None
        """Of our early description, until it is used or given up."""
        self._answered = False
        self._attempts = 0
        self._signal_at = -math.inf
        self._media_at = -math.inf
        self._connected_at = 0.0
        self._deadline_at = 0.0
        self._retry_at = 0.0
        self._say_again_at = math.inf
        self._last_dial_at = -math.inf

    @property
    def state(self) -> LinkState:
        """What users see of it."""
        if self.phase is LinkPhase.CONNECTED or (self.heard_in_room and not self.awaits_sign):
            return LinkState.CONNECTED
        if self.phase is LinkPhase.NONE and self._began:
            return LinkState.LOST if self.awaits_sign else LinkState.CONNECTING
        return _SHOWN[self.phase]

    @property
    def heard_in_room(self) -> bool:
        """Whether the peer can be heard through the room."""
        return self.hearing is not None and self.hearing.stands

    @property
    def stands_directly(self) -> bool:
        """Whether media go from one to the other."""
        return self.phase is LinkPhase.CONNECTED

    @property
    def direct_since(self) -> float:
        """Since when they do; infinity: they do not."""
        return self._connected_at if self.stands_directly else math.inf

    @property
    def heard_at(self) -> float:
        """When anything of this peer, media or signal, was last heard."""
        in_room_at = -math.inf if self.hearing is None else self.hearing.media_at
        return max(self._signal_at, self._media_at, in_room_at)

    # what the rules of the call decide

    def describe_early(self) -> None:
        """It rings at the peer's: say how we may be reached, should it accept."""
        if self.wanted and not self._began and self._early_epoch is None:
            self._early_epoch = self._epochs.next(self.epoch)
            self._described = None
            self._out.append(DescribeEarly(self._call_id, self.peer, self._early_epoch))

    def begin(
        self, peer_incarnation: int, direct: Direct, now: float, early: SessionDescription | None = None
    ) -> None:
        """The peer is in the call: if a direct connection is needed, answer what it described while it rang here, or dial it, or await its description."""
        self.direct = direct
        if peer_incarnation != self.peer_incarnation:
            # Another life numbers its diallings anew, perhaps on another clock; descriptions name the life they are from.
            self.peer_incarnation = peer_incarnation
            self.epoch = 0
        self._attempts = 0
        self._signal_at = now
        self._media_at = now
        self.waits_since = now
        if not self.wanted:
            return
        self._began = True
        if self.direct is not Direct.NEEDED:
            self._give_up_early()
        elif early is not None and early.from_incarnation == peer_incarnation:
            self._answer(early.epoch, early.sdp, now)
        elif self.dials and self._early_epoch is not None and self._described is not None:
            self._go_on_with_early(self._early_epoch, self._described, now)
            self._say_again_at = now + self._settings.early_answer_patience_s
            self._turn(LinkTrigger.WE_DIAL)
        else:
            self._connect(now)
        self._tell()

    def drop(self) -> None:
        """The peer is no longer in the call, or we are not."""
        self._give_up_early()
        if not self._began:
            return
        self._began = False
        self.awaits_sign = False
        if self.hearing is not None:
            self.hearing.end()
            self.hearing = None
        if self.phase is not LinkPhase.NONE:
            self._let_go(LinkTrigger.PEER_GONE)
        self._tell()

    def shift_deadlines(self, slept_s: float) -> None:
        """This session was stopped for so long: nobody's silence in that time counts."""
        self._signal_at += slept_s
        self._media_at += slept_s
        self._deadline_at += slept_s
        if self.hearing is not None:
            self.hearing.shift_deadlines(slept_s)

    def set_direct(self, direct: Direct, now: float) -> None:
        """Begin a direct connection, let it be, or end it, as the room asks for."""
        self.direct = direct
        if not self._began:
            return
        match direct:
            case Direct.NEEDED if self.phase is LinkPhase.NONE and not self.awaits_sign:
                self._connect(now)
            case Direct.KEPT if self.phase is LinkPhase.LOST and not self.awaits_sign:
                self._let_room_carry(now)
            case Direct.UNWANTED if self.phase is not LinkPhase.NONE:
                self._let_room_carry(now)
            case _:
                pass

    def hear(self, feed: RoomFeed | None) -> None:
        """The peer publishes this in the room that this session is in; None: nothing, or one of the two is not there."""
        hearing = self.hearing
        if not self._began or (None if hearing is None else hearing.feed) == feed:
            return
        if hearing is not None:
            hearing.end()
            self.hearing = None
        if feed is not None:
            self.hearing = RoomHearing(
                self._call_id, self.peer, feed, self._epochs, self._settings, self._out
            )
            self.hearing.ask(self.epoch)
        self._tell()

    def forget_room(self) -> None:
        """The room is gone or left, and with it every hearing."""
        if self.hearing is not None:
            self.hearing.forget()
            self.hearing = None
            self._tell()

    # what the peer says

    def heard_signal(self, now: float) -> None:
        """An authenticated signal of this peer's present life arrived."""
        self._signal_at = now
        if not self.awaits_sign:
            return
        self.awaits_sign = False
        self._attempts = 0
        self._retry_at = now + (self._settings.resume_grace_s if self._open else 0.0)
        self.waits_since = now
        self._tell()
        self.set_direct(self.direct, now)

    def remote_offer(self, epoch: int, sdp: str, now: float) -> bool:
        """The dialler's description for a dialling that is newer than all we know."""
        if self.dials or not self._began:
            return False
        if epoch == self.epoch and self.phase is LinkPhase.ANSWERING:
            return self._say_description_again()
        if epoch <= self.epoch:
            return False
        self._answer(epoch, sdp, now)
        return True

    def early_offer(self, epoch: int, sdp: str, now: float) -> bool:
        """What the peer described while it rang here, behind its first announce: sooner than what it will describe to us."""
        if self.phase is not LinkPhase.AWAITING or epoch <= self.epoch:
            return False
        self._answer(epoch, sdp, now)
        return True

    def remote_answer(self, epoch: int, sdp: str, now: float) -> bool:
        """The other side's answer to our present dialling, or to our early description; the first one counts."""
        if self.phase is LinkPhase.NONE and self._began and epoch > self.epoch:
            self.epoch = epoch  # what it answers was given up for the room: should we ask for another, it is in place of this one
            return True
        if self.phase is LinkPhase.AWAITING and epoch > self.epoch:
            if epoch != self._early_epoch or self._described is None:
                self.epoch = epoch
                self._ask()  # what it answers is given up
                return True
            self._go_on_with_early(epoch, self._described, now)
            self._turn(LinkTrigger.EARLY_ANSWER_ARRIVES)
        if (
            self.phase is not LinkPhase.DIALLING
            or epoch != self.epoch
            or not self._described
            or self._answered
        ):
            return False
        self._answered = True
        self._say_again_at = math.inf
        self._out.append(ApplyAnswer(self._call_id, self.peer, epoch, sdp))
        return True

    def redial_asked(self, epoch: int, now: float) -> bool:
        """The other side has lost the link of this epoch; or never saw our newer description, which is then said again."""
        if not self.dials or not self._began:
            return False
        if self.phase is LinkPhase.NONE:  # it does not hear us through the room
            if now < self._last_dial_at + self._settings.redial_gap_s:
                return False
            self.awaits_sign = False
            self._dial(now)
            return True
        if epoch < self.epoch and self.phase is LinkPhase.DIALLING:
            return self._say_description_again()
        if self.phase is not LinkPhase.LOST:
            if epoch != self.epoch:
                return False
            self._lose(LinkTrigger.ASKED_AGAIN, now)
        self.awaits_sign = False
        self._retry_at = max(now, self._last_dial_at + self._settings.redial_gap_s)
        self.handle_timeout(now)
        return True

    # what the media layer reports

    def local_description(self, epoch: int, sdp: str, now: float) -> bool:
        """The media layer made our half of this dialling."""
        if epoch == self._early_epoch and not self._began and self._described is None:
            self._described = SessionDescription(
                self._call_id, "offer", self.own_incarnation, ANY_INCARNATION, epoch, sdp
            )
            self._out.append(SendToPeer(self.peer, self._described, self._call_id))
            return True
        if epoch != self.epoch or self._described or not self._open:
            return False
        if self.phase not in (LinkPhase.DIALLING, LinkPhase.ANSWERING):
            return False
        kind = "offer" if self.phase is LinkPhase.DIALLING else "answer"
        self._described = SessionDescription(
            self._call_id, kind, self.own_incarnation, self.peer_incarnation, epoch, sdp
        )
        self._out.append(SendToPeer(self.peer, self._described, self._call_id))
        self._say_again_at = now + self._settings.answer_patience_s
        return True

    def connected(self, epoch: int, now: float) -> bool:
        """ICE and DTLS are through; or the peer can be heard through the room."""
        hearing = self.hearing
        if hearing is not None and hearing.epoch == epoch and not hearing.stands:
            hearing.connected(now)
            self.waits_since = now
            self._tell()
            return True
        if epoch != self.epoch or self.phase not in (LinkPhase.DIALLING, LinkPhase.ANSWERING):
            return False
        self._media_at = now
        self._connected_at = now
        self._turn(LinkTrigger.STANDS)
        return True

    def failed(self, epoch: int, now: float) -> bool:
        """The connection could not be made."""
        if epoch == self._early_epoch:
            self._early_epoch = None
            return True
        if epoch != self.epoch or self.phase not in (LinkPhase.DIALLING, LinkPhase.ANSWERING):
            return False
        self._lose(LinkTrigger.FAILS, now)
        return True

    def closed(self, epoch: int, now: float) -> bool:
        """The connection was closed by the other side, or died; an early one was given up; or the peer is not heard through the room any more."""
        if epoch == self._early_epoch:
            self._early_epoch = None
            return True
        if self.hearing is not None and self.hearing.epoch == epoch:
            self.hearing.closed(now)
            self.waits_since = now
            self._tell()
            return True
        if epoch != self.epoch or not self._open:
            return False
        if self.phase is LinkPhase.LOST:
            self._hang_up()
        else:
            self._lose(LinkTrigger.CLOSES, now)
        return True

    def heard_media(self, epoch: int, now: float) -> bool:
        """RTP or RTCP of this peer arrived over the connection, or by the hearing, of this epoch."""
        if self.hearing is not None and self.hearing.epoch == epoch and self.hearing.stands:
            self.hearing.media_at = max(self.hearing.media_at, now)
            if self.awaits_sign:
                self.heard_signal(now)
            return True
        if epoch != self.epoch or not self._open:
            return False
        self._media_at = max(self._media_at, now)
        if self.phase is LinkPhase.LOST:
            self.awaits_sign = False
            self._connected_at = now
            self._turn(LinkTrigger.SPEAKS_AGAIN)
        return True

    # time

    def next_timeout(self) -> float:
        """When `wake` has something to do; infinity when nothing but a sign of the peer can change anything."""
        asks_at = math.inf if self.hearing is None else self.hearing.due_at
        return min(asks_at, self._next_of_direct())

    def _next_of_direct(self) -> float:
        settings = self._settings
        match self.phase:
            case LinkPhase.NONE if self._began and not self.awaits_sign:
                return self.heard_at + settings.peer_silence_s
            case LinkPhase.CONNECTED:
                return min(self.heard_at + settings.peer_silence_s, self._media_at + settings.link_silence_s)
            case LinkPhase.DIALLING:
                patience_ends_at = min(self._deadline_at, self._say_again_at)
                return min(patience_ends_at, self.heard_at + settings.connecting_silence_s)
            case LinkPhase.AWAITING | LinkPhase.ANSWERING:
                return min(self._deadline_at, self.heard_at + settings.connecting_silence_s)
            case LinkPhase.LOST if not self.awaits_sign:
                return self._retry_at
            case _:
                return math.inf

    def handle_timeout(self, now: float) -> None:
        """Notice silence and missed deadlines; dial or ask again when it is time."""
        if self.hearing is not None and now >= self.hearing.due_at:
            self.hearing.ask(self.epoch)
        if now < self._next_of_direct():
            return
        silent = now >= self.heard_at + self._settings.connecting_silence_s
        match self.phase:
            case LinkPhase.NONE:
                self.awaits_sign = True
                self._tell()
            case LinkPhase.CONNECTED:
                self._lose(LinkTrigger.FALLS_SILENT, now, keeps=True, awaits_sign=True)
            case LinkPhase.DIALLING | LinkPhase.ANSWERING if silent:
                self._lose(LinkTrigger.FALLS_SILENT, now, awaits_sign=True)
            case LinkPhase.DIALLING | LinkPhase.ANSWERING if now >= self._deadline_at:
                self._lose(LinkTrigger.TIME_IS_UP, now)
            case LinkPhase.DIALLING:
                self._say_again_at = now + self._settings.answer_patience_s
                self._say_description_again()
            case LinkPhase.AWAITING if silent:
                self._lose(LinkTrigger.FALLS_SILENT, now, awaits_sign=True)
            case LinkPhase.AWAITING if self.direct is not Direct.NEEDED:
                self._let_room_carry(now)
            case LinkPhase.AWAITING:
                self._ask()
                self._deadline_at = now + max(self._backoff_s(), self._settings.await_offer_s)
                self._attempts += 1
            case _ if silent:
                self.awaits_sign = True
                self._tell()
            case _ if self.direct is not Direct.NEEDED:
                self._let_room_carry(now)
            case _ if self.dials:
                self._dial(now)
            case _:
                self._ask()
                self._attempts += 1
                self._retry_at = now + max(self._backoff_s(), self._settings.await_offer_s)

    # the moves

    def _connect(self, now: float) -> None:
        if self.dials:
            self._dial(now)
        else:
            self._await(now)

    def _let_room_carry(self, now: float) -> None:
        self._let_go(LinkTrigger.ROOM_CARRIES)
        self.handle_timeout(now)  # who connects is given more time to be heard than who is

    def _let_go(self, trigger: LinkTrigger) -> None:
        self._hang_up()
        if trigger is LinkTrigger.PEER_GONE or not self.stands_directly:  # else a key may be under way
            self._out.append(StopSending(self._call_id, self.peer))
        self._turn(trigger)

    def _dial(self, now: float) -> None:
        self._out.append(StopSending(self._call_id, self.peer))
        self.epoch = self._epochs.next(self.epoch)
        self._start_connecting(now)
        self._last_dial_at = now
        self._out.append(Dial(self._call_id, self.peer, self.epoch))
        self._turn(LinkTrigger.WE_DIAL)

    def _give_up_early(self) -> None:
        if self._early_epoch is not None:
            self._out.append(Hangup(self._call_id, self.peer, self._early_epoch))
            self._early_epoch = None

    def _answer(self, epoch: int, sdp: str, now: float) -> None:
        self._out.append(StopSending(self._call_id, self.peer))
        self.epoch = epoch
        if self.hearing is not None and self.hearing.epoch == epoch:
            self.hearing.ask(
                epoch
            )  # the other side's numbers are not ours: this one is to name one thing alone
        self._start_connecting(now)
        self._out.append(Answer(self._call_id, self.peer, epoch, sdp))
        self._turn(LinkTrigger.OFFER_ARRIVES)

    def _go_on_with_early(self, epoch: int, described: SessionDescription, now: float) -> None:
        """What was described early is the present dialling from now on."""
        self._out.append(StopSending(self._call_id, self.peer))
        self.epoch = epoch
        self._start_connecting(now)
        self._described = msgspec.structs.replace(described, to_incarnation=self.peer_incarnation)

    def _await(self, now: float) -> None:
        self._out.append(StopSending(self._call_id, self.peer))
        self._deadline_at = now + self._settings.await_offer_s
        self._turn(LinkTrigger.WE_AWAIT)

    def _ask(self) -> None:
        assert not self.dials, "whoever dials does not ask for it"
        self._out.append(StopSending(self._call_id, self.peer))
        redial = Redial(self._call_id, self.own_incarnation, self.peer_incarnation, self.epoch)
        self._out.append(SendToPeer(self.peer, redial, self._call_id))

    def _say_description_again(self) -> bool:
        """Another session of the peer's identity may have taken and acknowledged it."""
        if self._described is None or self._answered:
            return False
        self._out.append(StopSending(self._call_id, self.peer))
        self._out.append(SendToPeer(self.peer, self._described, self._call_id))
        return True

    def _start_connecting(self, now: float) -> None:
        self._open = True
        self._early_epoch = None
        self._described = None
        self._answered = False
        self._say_again_at = math.inf
        self._deadline_at = now + self._settings.connect_deadline_s

    def _lose(self, turn: LinkTrigger, now: float, *, keeps: bool = False, awaits_sign: bool = False) -> None:
        if self.phase is LinkPhase.CONNECTED and now - self._connected_at >= self._settings.stable_s:
            self._attempts = 0
        if not keeps:
            self._hang_up()
        self.awaits_sign = awaits_sign
        self._retry_at = now + self._backoff_s()
        self._attempts += 1
        self._turn(turn)

    def _backoff_s(self) -> float:
        backoff = self._settings.redial_backoff_s
        return backoff[min(self._attempts, len(backoff) - 1)]

    def _hang_up(self) -> None:
        if self._open:
            self._open = False
            self._out.append(Hangup(self._call_id, self.peer, self.epoch))

    def _turn(self, turn: LinkTrigger) -> None:
        self.phase = next_link_phase(self.phase, turn)
        self._tell()

    def _tell(self) -> None:
        state = self.state
        if state is not self._shown:
            self._shown = state
            self._out.append(Emit(LinkChanged(call_id=self._call_id, did=self.peer, link=state)))
