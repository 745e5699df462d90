"""Who talks: levels and the voice bit of frames in, started and stopped out, with hysteresis.

    level, voice ──> loud for ATTACK_S ──> TALKING ──> nothing loud for RELEASE_S ──> not talking

The same detector serves oneself (levels of the microphone) and every peer (levels of RFC 6464 in its packets). It is fed
once a frame, and `check` is called now and then, because a peer that sends nothing more (DTX, mute) stops talking too.
"""

from dataclasses import dataclass, field
from enum import Enum
from typing import Final

START_DBOV: Final = -50
"""Quieter sounds are the room, not a voice: speech near a microphone is around -30 dBov."""

STOP_DBOV: Final = -55
"""Lower than the start, so that a voice at the threshold does not flicker."""

ATTACK_S: Final = 0.04
"""A click lasts one frame; a syllable more than two of 20 ms."""

RELEASE_S: Final = 0.5
"""Longer than the pauses between words."""


class TalkingChange(Enum):
    """What one observation changed."""

    STARTED = "started"
    STOPPED = "stopped"


@dataclass(slots=True)
class TalkingDetector:
    """Says when one participant starts and stops talking. Not thread-safe: one owner feeds it."""

    talking: bool = False
    _loud_since_s: float | None = field(default=None, init=False)
    _last_loud_s: float = field(default=0.0, init=False)

    def update(self, level_dbov: int, *, voice: bool | None, now_s: float) -> TalkingChange | None:
        """Take one frame's level.

        Args:
            level_dbov: 0 (full scale) down to -127 (silence), RFC 6464.
            voice: What the sender's voice activity detector said; None when it says nothing, so that only the level counts.
            now_s: Monotonic time, not decreasing.

        """
        threshold_dbov = STOP_DBOV if self.talking else START_DBOV
        loud = level_dbov >= threshold_dbov and voice is not False
        if not loud:
            # One soft frame inside a word must not restart the attack: only a release of silence does.
            if not self.talking:
                self._loud_since_s = None
            return self.check(now_s)
        self._last_loud_s = now_s
        if self.talking:
            return None
        if self._loud_since_s is None:
            self._loud_since_s = now_s
        if now_s - self._loud_since_s < ATTACK_S:
            return None
        self.talking = True
        return TalkingChange.STARTED

    def check(self, now_s: float) -> TalkingChange | None:
        """Notice that nothing loud came for a while."""
        if not self.talking or now_s - self._last_loud_s < RELEASE_S:
            return None
        self.talking = False
        self._loud_since_s = None
        return TalkingChange.STOPPED
