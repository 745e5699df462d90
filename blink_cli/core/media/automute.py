r"""Automute: who does not talk is muted while others do, so that no microphone hears them from a speaker.

    open ──a peer talks, and oneself did not before──> MUTING ──nobody has talked for HOLD_S──> open

Whoever talks first has the floor: one's own voice is not cut by a peer who begins meanwhile, and both are heard. What the microphone
hears while muting may be the others, out of the speaker, and gives no floor: a voice that goes on after that for FLOOR_S is one's own.

Source: Warp's `automute.rs` mutes for a second from each time that a peer's level is that of speech, in the middle of one's own word as well: two
who begin at once are both cut. Otherwise this is the same.
"""

from dataclasses import dataclass, field
from typing import Final

from blink_cli.core.ids import Did

HOLD_S: Final = 0.2
"""A peer counts as talking until 0.3 s after its last voice. By then it has been played, and 0.2 s later the room is quiet."""

FLOOR_S: Final = 0.5
"""How long a voice must go on once nobody is muted: an echo is over by then, and so is what is told of it."""


@dataclass(slots=True)
class Automute:
    """Belongs to whoever feeds it. Moments are monotonic, not decreasing. Off, it follows all the same, and mutes nobody."""

    enabled: bool = False
    muting: bool = field(default=False, init=False)
    _talkers: set[Did] = field(default_factory=set, init=False)
    _own_voice: bool = field(default=False, init=False)
    _floor: bool = field(default=False, init=False)
    """Whether one talks, and did before the others."""

    _opens_at: float | None = field(default=None, init=False)
    _floor_at: float | None = field(default=None, init=False)

    def set_enabled(self, now_s: float, *, enabled: bool) -> None:
        """Switch it on or off. On, it mutes at once if others talk."""
        self.enabled = enabled
        self._decide(now_s)

    def on_peer(self, peer: Did, now_s: float, *, talking: bool) -> None:
        """Take that a peer started or stopped talking."""
        if talking:
            self._talkers.add(peer)
        else:
            self._talkers.discard(peer)
        self._decide(now_s)

    def on_own_voice(self, now_s: float, *, voice: bool) -> None:
        """Take that oneself started or stopped talking, and is not muted by hand."""
        self._own_voice = voice
        self._floor_at = None
        if not voice:
            self._floor = False
        elif not self.muting and not self._talkers:
            self._floor = True
        self._decide(now_s)

    def clear(self) -> None:
        """Nobody is there any more."""
        self._talkers.clear()
        self.muting = self._own_voice = self._floor = False
        self._opens_at = self._floor_at = None

    def next_timeout(self) -> float | None:
        """When `handle_timeout` is due; None: not."""
        return min((at for at in (self._opens_at, self._floor_at) if at is not None), default=None)

    def handle_timeout(self, now_s: float) -> None:
        """Do what is due."""
        if self._opens_at is not None and now_s >= self._opens_at:
            self._open(now_s)
        if self._floor_at is not None and now_s >= self._floor_at:
            self._floor, self._floor_at = self._own_voice, None

    def _decide(self, now_s: float) -> None:
        if not self.enabled:
            if self.muting:
                self._open(now_s)
        elif self._talkers and not self._floor:
            self.muting = True
            self._opens_at = self._floor_at = None
        elif self.muting and not self._talkers and self._opens_at is None:
            self._opens_at = now_s + HOLD_S

    def _open(self, now_s: float) -> None:
        self.muting = False
        self._opens_at = None
        if self._own_voice:
            self._floor_at = now_s + FLOOR_S
