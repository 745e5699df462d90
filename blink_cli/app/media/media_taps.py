"""Passes a call's media on to everyone who listens in, and keeps their faults from the call.

voice first ──> MediaTaps ──> recording, RTP log, quality watch
                    '── one that raises: skipped from then on, logged, told as `ObserverFailed`, and told itself
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from blink_cli.app.media.media_readings import MediaWatcher, PeerReading, SourceReading
from blink_cli.core.api.events import Event, ObserverFailed
from blink_cli.core.ids import CallId, Did
from blink_cli.core.media.media_tap import FramePlayed, MediaTap, PlayoutOutcome
from blink_cli.core.media.mix_tick import MixTick
from blink_cli.core.media.picture_tap import OfPictures, PictureTap
from blink_cli.core.media.rtp import (
    EncodedFrame,
    ReceptionReport,
    RepeatedPacket,
    RtpPacket,
    SenderReport,
    SentPacket,
)
from blink_cli.runtime.loop_bridge import LoopBridge

_log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class _Listening:
    tap: MediaTap
    failed: bool = False
    """Set by the thread on which it raised; nothing is passed to it any more."""


class MediaTaps:
    """A `MediaTap` of many, none of which can raise into the call.

    Taps come and go on the event loop; the playout thread sees the old tuple or the new one. What happens fifty times a second is told only
    to those who want it.
    """

    def __init__(self, publish: Callable[[Event], None] = lambda _: None) -> None:
        """Have nobody listen yet. To be made on the running event loop; `publish` takes the events."""
        self._publish = publish
        self._bridge = LoopBridge()
        self._listening: tuple[_Listening, ...] = ()
        self._frame_encoded: tuple[_Listening, ...] = ()
        self._packet_sent: tuple[_Listening, ...] = ()
        self._packet_received: tuple[_Listening, ...] = ()
        self._pictures: tuple[tuple[_Listening, PictureTap], ...] = ()
        self._frames_played: tuple[_Listening, ...] = ()
        self._ticked: tuple[_Listening, ...] = ()
        self.before_change: Callable[[], None] = lambda: None
        """Called before somebody begins or ceases to listen in: those of until now are told what they have not been told yet."""

        self.when_changed: Callable[[], None] | None = None
        """Called when somebody begins or ceases to listen in."""

    def add(self, tap: MediaTap) -> None:
        """Listen in from now on."""
        self.before_change()
        self._renew((*self._listening, _Listening(tap)))

    def remove(self, tap: MediaTap) -> None:
        """Listen no more; harmless when it did not."""
        self.before_change()
        self._renew(tuple(one for one in self._listening if one.tap is not tap))

    def media_began(self, call: CallId) -> None:
        """See `MediaTap`."""
        self._each(lambda tap: tap.media_began(call))

    def media_ended(self) -> None:
        """See `MediaTap`."""
        self._each(lambda tap: tap.media_ended())

    def frame_encoded(self, frame: EncodedFrame, now_s: float) -> None:
        """See `MediaTap`."""
        for one in self._frame_encoded:
            if not one.failed:
                try:
                    one.tap.frame_encoded(frame, now_s)
                except Exception as fault:  # noqa: BLE001 - whatever it is, the call and the other taps go on
                    self._failed(one, fault)

    def link_connected(self, peer: Did, opus: int, red: int | None) -> None:
        """See `MediaTap`."""
        self._each(lambda tap: tap.link_connected(peer, opus, red))

    def link_ended(self, peer: Did) -> None:
        """See `MediaTap`."""
        self._each(lambda tap: tap.link_ended(peer))

    def packet_sent(self, peer: Did, packet: SentPacket) -> None:
        """See `MediaTap`."""
        for one in self._packet_sent:
            if not one.failed:
                try:
                    one.tap.packet_sent(peer, packet)
                except Exception as fault:  # noqa: BLE001 - as above
                    self._failed(one, fault)

    def packet_received(self, peer: Did, packet: RtpPacket) -> None:
        """See `MediaTap`."""
        for one in self._packet_received:
            if not one.failed:
                try:
                    one.tap.packet_received(peer, packet)
                except Exception as fault:  # noqa: BLE001 - as above
                    self._failed(one, fault)

    def packet_repeated(self, peer: Did, packet: RepeatedPacket) -> None:
        """See `MediaTap`."""
        self._each(lambda tap: tap.packet_repeated(peer, packet))

    def reported(self, peer: Did, report: SenderReport | ReceptionReport) -> None:
        """See `MediaTap`."""
        self._each(lambda tap: tap.reported(peer, report))

    def pictures(self, peer: Did, what: OfPictures) -> None:
        """See `PictureTap`: for those taps that are one."""
        for one, tap in self._pictures:
            if not one.failed:
                try:
                    tap.pictures(peer, what)
                except Exception as fault:  # noqa: BLE001 - as above
                    self._failed(one, fault)

    @property
    def wants_everybody(self) -> bool:
        """Whether everybody in a room is to be heard."""
        return any(one.tap.wants_everybody for one in self._listening)

    @property
    def wants_ticks(self) -> bool:
        """See `TickListener`."""
        return bool(self._ticked)

    def frame_played(self, peer: Did, ssrc: int, timestamp: int, outcome: PlayoutOutcome) -> None:
        """Tell what became of a packet's own frame. On the playout thread."""
        if self._frames_played:
            self.played(FramePlayed(peer, ssrc, timestamp, outcome))

    def played(self, what: FramePlayed | MixTick) -> None:
        """See `MediaTap`. On the playout thread."""
        for one in self._ticked if isinstance(what, MixTick) else self._frames_played:
            if not one.failed:
                try:
                    one.tap.played(what)
                except Exception as fault:  # noqa: BLE001 - as above
                    self._failed(one, fault)

    def look(self, peers: tuple[PeerReading, ...], source: SourceReading | None, now_s: float) -> None:
        """See `MediaWatcher`: for those taps that are one."""
        self._each(lambda tap: tap.look(peers, source, now_s) if isinstance(tap, MediaWatcher) else None)

    def _each(self, tell: Callable[[MediaTap], None]) -> None:
        for one in self._listening:
            if not one.failed:
                try:
                    tell(one.tap)
                except Exception as fault:  # noqa: BLE001 - as above
                    self._failed(one, fault)

    def _renew(self, listening: tuple[_Listening, ...]) -> None:
        self._listening = listening
        self._frame_encoded = _wanting("frame_encoded", listening)
        self._packet_sent = _wanting("packet_sent", listening)
        self._packet_received = _wanting("packet_received", listening)
        self._pictures = tuple((one, one.tap) for one in listening if isinstance(one.tap, PictureTap))
        wanting = _wanting("played", listening)
        self._ticked = tuple(one for one in wanting if one.tap.wants_ticks)
        self._frames_played = tuple(one for one in wanting if not one.tap.wants_ticks)
        if self.when_changed is not None:
            self.when_changed()

    def _failed(self, one: _Listening, fault: Exception) -> None:
        one.failed = True
        # Not told here: this may be the playout thread, or the middle of a packet's way.
        self._bridge.call(self._drop, one, fault)

    def _drop(self, one: _Listening, fault: Exception) -> None:
        if one not in self._listening:
            return  # it failed on both threads at once, or was taken away meanwhile
        self._renew(tuple(other for other in self._listening if other is not one))
        _log.error("the %s failed and hears nothing more of the call", one.tap.observer, exc_info=fault)
        reason = f"an error in the program: {fault!r}"
        self._publish(ObserverFailed(observer=one.tap.observer, reason=reason))
        try:
            one.tap.tap_failed(reason)
        except Exception:  # noqa: BLE001 - it was broken before
            _log.exception("the %s could not be ended after its failure", one.tap.observer)


def _wanting(method: str, listening: tuple[_Listening, ...]) -> tuple[_Listening, ...]:
    """Those that override a method of `MediaTap`."""
    nothing = getattr(MediaTap, method)
    return tuple(
        one for one in listening if getattr(getattr(one.tap, method), "__func__", None) is not nothing
    )
