"""What is told of one's own voice: heard by the others, or not because one is muted.

Not muted, a voice is talking_started and talking_stopped. Muted, it is talking_while_muted: when it begins, or when it goes on for a second
after mute was pressed.
"""

from collections.abc import Callable
from typing import Final

from blink_cli.core.api.events import Event, TalkingStarted, TalkingStopped, TalkingWhileMuted
from blink_cli.core.ids import Did
from blink_cli.core.media.talking import TalkingChange
from blink_cli.runtime.clock import Clock
from blink_cli.runtime.wake_timer import WakeTimer

LAST_WORD_S: Final = 1.0
"""Who mutes in the middle of a word ends it, and needs no hint; who talks on after so long does not know it."""


class OwnVoice:
    """Belongs to the event loop."""

    def __init__(
        self,
        own: Did,
        publish: Callable[[Event], None],
        clock: Clock,
        own_talk: Callable[[bool], None] | None = None,
    ) -> None:
        self._own_talk = own_talk
        self._own = own
        self._publish = publish
        self._clock = clock
        self._muted = False
        self._automuted = False
        self._voice = False
        """Whether the microphone hears its owner, whoever else does."""

        self._hint = WakeTimer(self._hint_due)
        self.talking = False
        """Whether the others hear it."""

    @property
    def voice(self) -> bool:
        """Whether there is a voice that is not muted by hand."""
        return self._voice and not self._muted

    def on_voice(self, change: TalkingChange, at_s: float) -> None:
        """Take what the source track noticed at the microphone."""
        self._voice = change is TalkingChange.STARTED
        self._hint.cancel()
        if self._voice and self._muted and not self._automuted:
            self._publish(TalkingWhileMuted(did=self._own, at_s=at_s))
        self._tell(at_s)

    def set_muted(self, *, muted: bool) -> None:
        """Muted, nobody is heard; unmuted in the middle of a word, one is heard at once."""
        if muted == self._muted:
            return
        self._muted = muted
        now_s = self._clock.now_s()
        self._hint.set(now_s + LAST_WORD_S if muted and self._voice else None)
        self._tell(now_s)

    def set_automuted(self, *, automuted: bool) -> None:
        """Automuted, nobody is heard either, and there is no hint: the microphone may hear the others from the speaker."""
        self._automuted = automuted
        self._tell(self._clock.now_s())

    def clear(self) -> None:
        """Nothing is heard any more."""
        self._voice = False
        self._hint.cancel()
        self._tell(self._clock.now_s())

    def _tell(self, at_s: float) -> None:
        heard = self.voice and not self._automuted
        if heard != self.talking:
            self.talking = heard
            if self._own_talk is not None:  # first: others act on it
                self._own_talk(heard)
            event = TalkingStarted if heard else TalkingStopped
            self._publish(event(did=self._own, at_s=at_s))

    def _hint_due(self) -> None:
        self._publish(TalkingWhileMuted(did=self._own, at_s=self._clock.now_s()))
