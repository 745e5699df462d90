"""Who talks: the voice bits of frames in, started and stopped out.

    voice ──> TALKING ──> no voice for RELEASE_S, or no packets for LOST_S ──> not talking

The same detector serves oneself (10 ms of the microphone at a time) and every peer (RFC 6464 in its packets). What decides about voice or noise is
the sender's detector, which hears more than a level; so its bit counts at once. A sender that sets the bit on every packet says nothing by it:
then the level must be that of speech, for ATTACK_S.

It is fed once a tick or packet, and `check` is called when `look_at` says so, because a peer that sends nothing more (DTX, mute, no network) stops talking too.
"""

from dataclasses import dataclass, field
from enum import Enum
from typing import Final

START_DBOV: Final = -50
"""Without a voice bit: quieter sounds are the room, speech near a microphone is around -30 dBov."""

STOP_DBOV: Final = -55
"""Lower than the start, so that a voice at the threshold does not flicker."""

ATTACK_S: Final = 0.035
"""Without a voice bit: a click lasts one frame of 20 ms, a syllable more than two. Less than 40 ms, since packets do not arrive to the millisecond."""

RELEASE_S: Final = 0.25
"""From the last voice to the end: longer than most pauses between words. The sender's detector believes in a voice for 60 ms more."""

LOST_S: Final = 1.0
"""A peer of which nothing at all comes while it talks has not stopped yet: the network stumbles. After so long it counts as stopped."""


class TalkingChange(Enum):
    """What one observation changed."""

    STARTED = "started"
    STOPPED = "stopped"


@dataclass(slots=True)
class TalkingDetector:
    """Says when one participant starts and stops talking. Not thread-safe: one owner feeds it."""

    talking: bool = False
    _bit_says_something: bool = field(default=False, init=False)
    """Whether the bit was ever off: a sender that knows no voice activity sets it always."""

    _loud_since_s: float | None = field(default=None, init=False)
    _last_voice_s: float = field(default=0.0, init=False)
    _quiet_since: bool = field(default=False, init=False)
    """Whether anything came since the last voice."""

    def update(self, level_dbov: int, *, voice: bool | None, now_s: float) -> TalkingChange | None:
        """Take one frame.

        Args:
            level_dbov: 0 (full scale) down to -127 (silence), RFC 6464.
            voice: What the sender's voice activity detector said; None when it says nothing, so that only the level counts.
            now_s: Monotonic time, not decreasing.

        """
        if voice is False:
            self._bit_says_something = True
            return self._quiet(now_s)
        if voice and self._bit_says_something:
            return self._voice(now_s)
        if level_dbov < (STOP_DBOV if self.talking else START_DBOV):
            return self._quiet(now_s)
        if self._loud_since_s is None:
            self._loud_since_s = now_s
        return self._voice(now_s) if self.talking or now_s - self._loud_since_s >= ATTACK_S else None

    def look_at(self, now_s: float) -> float | None:
        """Return when `check` may have something to say if no frame comes; None while nobody talks.

        Frames that come meanwhile make it later, never earlier: whoever asks again then, and not at each frame, misses nothing.
        """
        if not self.talking:
            return None
        ends_at = self._last_voice_s + RELEASE_S
        return ends_at if self._quiet_since or now_s < ends_at else self._last_voice_s + LOST_S

    def check(self, now_s: float) -> TalkingChange | None:
        """Notice that no voice came for a while."""
        patience_s = RELEASE_S if self._quiet_since else LOST_S
        if not self.talking or now_s < self._last_voice_s + patience_s:
            return None
        self.talking = False
        self._loud_since_s = None
        return TalkingChange.STOPPED

    def _voice(self, now_s: float) -> TalkingChange | None:
        self._last_voice_s = now_s
        self._quiet_since = False
        if self.talking:
            return None
        self.talking = True
        return TalkingChange.STARTED

    def _quiet(self, now_s: float) -> TalkingChange | None:
        self._quiet_since = True
        if not self.talking:
            self._loud_since_s = None
        return self.check(now_s)
