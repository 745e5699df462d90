"""Who talks, of oneself and of every peer, as events and as a set for panels."""

from collections.abc import Callable

from blink_cli.core.events import Event, TalkingStarted, TalkingStopped, TalkingWhileMuted
from blink_cli.core.names import Did
from blink_cli.core.talking import TalkingChange, TalkingDetector


class Talkers:
    """Belongs to the event loop. One detector per participant of the current call."""

    def __init__(self, own: Did, publish: Callable[[Event], None]) -> None:
        self._own = own
        self._publish = publish
        self._detectors: dict[Did, TalkingDetector] = {}
        self._self_talking = False

    def peer_heard(self, peer: Did, level_dbov: int, *, voice: bool, now_s: float) -> None:
        """Take one packet's RFC 6464 level."""
        detector = self._detectors.get(peer)
        if detector is None:
            detector = self._detectors[peer] = TalkingDetector()
        self._tell(peer, detector.update(level_dbov, voice=voice, now_s=now_s))

    def own_voice(self, change: TalkingChange, *, muted: bool) -> None:
        """Take what the source track noticed at the microphone."""
        if change is TalkingChange.STARTED and muted:
            self._publish(TalkingWhileMuted(did=self._own))
        elif change is TalkingChange.STARTED:
            self._self_talking = True
            self._publish(TalkingStarted(did=self._own))
        elif self._self_talking:
            self._self_talking = False
            self._publish(TalkingStopped(did=self._own))

    def check(self, now_s: float) -> None:
        """Notice who stopped by sending nothing more; to be called a few times a second."""
        for peer, detector in self._detectors.items():
            self._tell(peer, detector.check(now_s))

    def is_talking(self, did: Did) -> bool:
        """Whether this participant talks now."""
        if did == self._own:
            return self._self_talking
        detector = self._detectors.get(did)
        return detector is not None and detector.talking

    def clear(self) -> None:
        """The call is over: everyone stops talking."""
        for peer, detector in self._detectors.items():
            if detector.talking:
                self._publish(TalkingStopped(did=peer))
        self._detectors = {}
        if self._self_talking:
            self.own_voice(TalkingChange.STOPPED, muted=False)

    def _tell(self, peer: Did, change: TalkingChange | None) -> None:
        if change is TalkingChange.STARTED:
            self._publish(TalkingStarted(did=peer))
        elif change is TalkingChange.STOPPED:
            self._publish(TalkingStopped(did=peer))
