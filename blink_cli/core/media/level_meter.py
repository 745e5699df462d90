"""How loud a voice is now, and how loud it was at most a moment ago: what a level bar shows.

level of each frame ──> LevelMeter ──> the last one, and the largest of the last HOLD_S
"""

from dataclasses import dataclass, field
from typing import Final, NamedTuple

from blink_cli.core.audio_format import SILENCE_DBOV

HOLD_S: Final = 1.5
"""IEC 60268-18 holds a peak for about a second before it falls; who looks at several bars looks a little less often at each."""

STALE_S: Final = 0.5
"""A sender that pauses (DTX, mute) sends a frame every 0.4 s; of who sends nothing for longer nothing is known."""


class LevelReading(NamedTuple):
    """In dBov (RFC 6464): 0 is full scale, -127 silence."""

    level_dbov: int
    peak_dbov: int


@dataclass(slots=True)
class LevelMeter:
    """Fed by one thread, read by any."""

    _level_dbov: int = field(default=SILENCE_DBOV, init=False)
    _at_s: float = field(default=float("-inf"), init=False)
    _peak_dbov: int = field(default=SILENCE_DBOV, init=False)
    _peak_at_s: float = field(default=float("-inf"), init=False)

    def take(self, level_dbov: int, at_s: float) -> None:
        """Take the level of one frame, at a monotonic time."""
        self._level_dbov, self._at_s = level_dbov, at_s
        if level_dbov >= self._peak_dbov or at_s - self._peak_at_s > HOLD_S:
            self._peak_dbov, self._peak_at_s = level_dbov, at_s

    def reading(self, now_s: float) -> LevelReading | None:
        """Return what a bar shows; None if nothing came for `STALE_S`."""
        if now_s - self._at_s > STALE_S:
            return None
        held = now_s - self._peak_at_s <= HOLD_S
        return LevelReading(
            self._level_dbov, max(self._peak_dbov, self._level_dbov) if held else self._level_dbov
        )
