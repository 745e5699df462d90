"""Who talks, of oneself and of every peer, as events and as a set for panels."""

from collections.abc import Callable

from blink_cli.app.media.automuting import Automuting
from blink_cli.app.media.own_voice import OwnVoice
from blink_cli.core.api.events import Event, TalkingStarted, TalkingStopped
from blink_cli.core.ids import Did
from blink_cli.core.media.talking import TalkingChange, TalkingDetector
from blink_cli.runtime.clock import Clock, MonotonicClock
from blink_cli.runtime.wake_timer import WakeTimer


class Talkers:
    """Belongs to the event loop. One detector per participant of the current call."""

    def __init__(
        self,
        own: Did,
        publish: Callable[[Event], None],
        clock: Clock | None = None,
        *,
        mute: Callable[[bool], None] | None = None,
        own_talk: Callable[[bool], None] | None = None,
    ) -> None:
        """Know of nobody yet.

        Args:
            own: Who this session is.
            publish: Takes events.
            clock: Time.
            mute: Told when automute wants the microphone muted, and when no more.
            own_talk: Told when the others begin to hear this session's voice, and when no more.

        """
        self._publish = publish
        self._mute = mute
        self._clock: Clock = clock or MonotonicClock()
        self._own = own
        self._own_voice = OwnVoice(own, publish, self._clock, own_talk)
        self.automute = Automuting(own, self._on_muting, publish, self._clock)
        self._detectors: dict[Did, TalkingDetector] = {}
        self._timer = WakeTimer(self._look)

    def detector(self, peer: Did) -> TalkingDetector:
        """What the RFC 6464 levels of this peer's packets are given to; what it says goes to `tell`."""
        return self._detectors.setdefault(peer, TalkingDetector())

    def on_own_voice(self, change: TalkingChange, at_s: float) -> None:
        """Take what the source track noticed at the microphone."""
        self._own_voice.on_voice(change, at_s)
        self.automute.on_own_voice(voice=self._own_voice.voice)

    def set_muted(self, *, muted: bool) -> None:
        """Take that one muted or unmuted oneself."""
        self._own_voice.set_muted(muted=muted)
        self.automute.on_own_voice(voice=self._own_voice.voice)

    def is_talking(self, did: Did) -> bool:
        """Whether this participant talks now, and can be heard."""
        if did == self._own:
            return self._own_voice.talking
        detector = self._detectors.get(did)
        return detector is not None and detector.talking

    def tell(self, peer: Did, change: TalkingChange, at_s: float) -> None:
        """Pass on what a peer's detector says."""
        event = TalkingStarted if change is TalkingChange.STARTED else TalkingStopped
        self._publish(event(did=peer, at_s=at_s))
        self.automute.on_peer(peer, talking=change is TalkingChange.STARTED)
        self._wait()

    def clear(self) -> None:
        """The call is over: everyone stops talking."""
        self._timer.cancel()
        now_s = self._clock.now_s()
        for peer, detector in self._detectors.items():
            if detector.talking:
                self._publish(TalkingStopped(did=peer, at_s=now_s))
        self._detectors = {}
        self._own_voice.clear()
        self.automute.clear()

    def _on_muting(self, muting: bool) -> None:  # noqa: FBT001 - the state, as it comes
        self._own_voice.set_automuted(automuted=muting)
        if self._mute is not None:
            self._mute(muting)

    def _look(self) -> None:
        """Notice who stopped by sending nothing more."""
        now_s = self._clock.now_s()
        for peer, detector in self._detectors.items():
            change = detector.check(now_s)
            if change is not None:
                self.tell(peer, change, now_s)
        self._wait()

    def _wait(self) -> None:
        """Look again when the first of those who talk may have stopped: most have not, and packets cost no timer."""
        now_s = self._clock.now_s()
        looks = (detector.look_at(now_s) for detector in self._detectors.values())
        self._timer.set(min((at for at in looks if at is not None), default=None))
