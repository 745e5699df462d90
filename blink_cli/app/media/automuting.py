"""Automute at work: fed by who talks, it mutes the microphone, and wakes when it is time to open it.

who talks (peers by their packets, oneself by the microphone) ──> Automute ──> `on_muting`, events
"""

from collections.abc import Callable

from blink_cli.core.api.events import Automuted, AutomuteEnded, Event
from blink_cli.core.ids import Did
from blink_cli.core.media.automute import Automute
from blink_cli.runtime.clock import Clock
from blink_cli.runtime.wake_timer import WakeTimer


class Automuting:
    """Belongs to the event loop."""

    def __init__(
        self, own: Did, on_muting: Callable[[bool], None], publish: Callable[[Event], None], clock: Clock
    ) -> None:
        """Be off. `on_muting` is told when the microphone is to be muted, and when no more."""
        self._own = own
        self._on_muting = on_muting
        self._publish = publish
        self._clock = clock
        self._rule = Automute()
        self._told = False
        self._timer = WakeTimer(self._due)

    @property
    def enabled(self) -> bool:
        """Whether it is on."""
        return self._rule.enabled

    @property
    def muting(self) -> bool:
        """Whether it mutes now."""
        return self._rule.muting

    def set_enabled(self, *, enabled: bool) -> None:
        """Switch it on or off, from now on."""
        self._rule.set_enabled(self._clock.now_s(), enabled=enabled)
        self._follow()

    def on_peer(self, peer: Did, *, talking: bool) -> None:
        """Take that a peer started or stopped talking."""
        self._rule.on_peer(peer, self._clock.now_s(), talking=talking)
        self._follow()

    def on_own_voice(self, *, voice: bool) -> None:
        """Take that oneself started or stopped talking, and is not muted by hand."""
        self._rule.on_own_voice(self._clock.now_s(), voice=voice)
        self._follow()

    def clear(self) -> None:
        """The call is over."""
        self._rule.clear()
        self._follow()

    def _due(self) -> None:
        self._rule.handle_timeout(self._clock.now_s())
        self._follow()

    def _follow(self) -> None:
        self._timer.set(self._rule.next_timeout())
        if self._rule.muting != self._told:
            self._told = self._rule.muting
            self._on_muting(self._told)
            self._publish(Automuted(did=self._own) if self._told else AutomuteEnded(did=self._own))
