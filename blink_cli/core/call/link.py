"""The audio connection to one participant: dialled, answered, watched, dialled again.

    dialler                                   the other side
    begin -> Dial -> local_description        begin -> awaiting
      SessionDescription(offer, epoch)  ---->   Answer -> local_description
      ApplyAnswer                       <----   SessionDescription(answer, epoch)
    stands                                    stands
    lost  -> Dial with the next epoch   <----   lost -> Redial(epoch)

One object lasts as long as this session is in the call; what it wants done goes into the outbox that it was given.
"""

import math

from blink_cli.core.call.dialling import Epochs, dials
from blink_cli.core.call.effects import Answer, ApplyAnswer, CallEffect, Dial, Hangup, SendToPeer, StopSending
from blink_cli.core.call.facts import LinkChanged, LinkState
from blink_cli.core.call.settings import CallSettings
from blink_cli.core.call.transitions import LinkPhase, LinkTrigger, next_link_phase
from blink_cli.core.fact import Emit
from blink_cli.core.ids import CallId, Did
from blink_cli.core.signaling.signals import Redial, SessionDescription

_SHOWN = {
    LinkPhase.NONE: LinkState.ABSENT,
    LinkPhase.AWAITING: LinkState.CONNECTING,
    LinkPhase.DIALLING: LinkState.CONNECTING,
    LinkPhase.ANSWERING: LinkState.CONNECTING,
    LinkPhase.CONNECTED: LinkState.CONNECTED,
    LinkPhase.LOST: LinkState.LOST,
}


class Link:
    """One participant's link, from this session's side. Methods return whether they fitted; what does not is ignored."""

    __slots__ = (
        "_answered",
        "_attempts",
        "_call_id",
        "_connected_at",
        "_deadline_at",
        "_described",
        "_epochs",
        "_last_dial_at",
        "_media_at",
        "_open",
        "_out",
        "_retry_at",
        "_say_again_at",
        "_settings",
        "_signal_at",
        "awaits_sign",
        "dials",
        "epoch",
        "own_incarnation",
        "peer",
        "peer_incarnation",
        "phase",
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
        self._open = False
        """Whether the media layer holds a connection of `epoch`."""
        self._described: SessionDescription | None = None
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
        return _SHOWN[self.phase]

    @property
    def heard_at(self) -> float:
        """When anything of this peer, media or signal, was last heard."""
        return max(self._signal_at, self._media_at)

    # what the rules of the call decide

    def begin(self, peer_incarnation: int, now: float) -> None:
        """The peer is in the call: dial it, or await its description."""
        if peer_incarnation != self.peer_incarnation:
            # Another life numbers its diallings anew, perhaps on another clock; descriptions name the life they are from.
            self.peer_incarnation = peer_incarnation
            self.epoch = 0
        self._attempts = 0
        self._signal_at = now
        self._media_at = now
        if not self.wanted:
            return
        if self.dials:
            self._dial(now)
        else:
            self._await(now)

    def drop(self) -> None:
        """The peer is no longer in the call, or we are not."""
        if self.phase is LinkPhase.NONE:
            return
        self._hang_up()
        self._out.append(StopSending(self._call_id, self.peer))
        self.awaits_sign = False
        self._turn(LinkTrigger.PEER_GONE)

    def shift_deadlines(self, slept_s: float) -> None:
        """This session was stopped for so long: nobody's silence in that time counts."""
        self._signal_at += slept_s
        self._media_at += slept_s
        self._deadline_at += slept_s

    # what the peer says

    def heard_signal(self, now: float) -> None:
        """An authenticated signal of this peer's present life arrived."""
        self._signal_at = now
        if self.phase is LinkPhase.LOST and self.awaits_sign:
            self.awaits_sign = False
            self._attempts = 0
            self._retry_at = now + (self._settings.resume_grace_s if self._open else 0.0)

    def remote_offer(self, epoch: int, sdp: str, now: float) -> bool:
        """The dialler's description for a dialling that is newer than all we know."""
        if self.dials or self.phase is LinkPhase.NONE:
            return False
        if epoch == self.epoch and self.phase is LinkPhase.ANSWERING:
            return self._say_description_again()
        if epoch <= self.epoch:
            return False
        self._out.append(StopSending(self._call_id, self.peer))
        self.epoch = epoch
        self._start_connecting(now)
        self._out.append(Answer(self._call_id, self.peer, epoch, sdp))
        self._turn(LinkTrigger.OFFER_ARRIVES)
        return True

    def remote_answer(self, epoch: int, sdp: str) -> bool:
        """The other side's answer to our present dialling; the first one counts."""
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
        if not self.dials or self.phase is LinkPhase.NONE:
            return False
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
        """ICE and DTLS are through."""
        if epoch != self.epoch or self.phase not in (LinkPhase.DIALLING, LinkPhase.ANSWERING):
            return False
        self._media_at = now
        self._connected_at = now
        self._turn(LinkTrigger.STANDS)
        return True

    def failed(self, epoch: int, now: float) -> bool:
        """The connection could not be made."""
        if epoch != self.epoch or self.phase not in (LinkPhase.DIALLING, LinkPhase.ANSWERING):
            return False
        self._lose(LinkTrigger.FAILS, now)
        return True

    def closed(self, epoch: int, now: float) -> bool:
        """The connection was closed by the other side, or died."""
        if epoch != self.epoch or not self._open:
            return False
        if self.phase is LinkPhase.LOST:
            self._hang_up()
        else:
            self._lose(LinkTrigger.CLOSES, now)
        return True

    def heard_media(self, epoch: int, now: float) -> bool:
        """RTP or RTCP of this peer arrived over the connection of this epoch."""
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
        settings = self._settings
        match self.phase:
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
        if now < self.next_timeout():
            return
        silent = now >= self.heard_at + self._settings.connecting_silence_s
        match self.phase:
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
            case LinkPhase.AWAITING:
                self._ask()
                self._deadline_at = now + max(self._backoff_s(), self._settings.await_offer_s)
                self._attempts += 1
            case _ if silent:
                self.awaits_sign = True
            case _ if self.dials:
                self._dial(now)
            case _:
                self._ask()
                self._attempts += 1
                self._retry_at = now + max(self._backoff_s(), self._settings.await_offer_s)

    # the moves

    def _dial(self, now: float) -> None:
        self._out.append(StopSending(self._call_id, self.peer))
        self.epoch = self._epochs.next(self.epoch)
        self._start_connecting(now)
        self._last_dial_at = now
        self._out.append(Dial(self._call_id, self.peer, self.epoch))
        self._turn(LinkTrigger.WE_DIAL)

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
        before = self.state
        self.phase = next_link_phase(self.phase, turn)
        if self.state is not before:
            self._out.append(Emit(LinkChanged(call_id=self._call_id, did=self.peer, link=self.state)))
