"""How loud a frame is, and whether it is a voice."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from blink_cli.audio.samples import Samples
from blink_cli.core.voice import SILENCE_DBOV

VOICE_ABOVE_FLOOR_DB: Final = 9.0
"""How far above the room's noise a frame must be to be a voice."""

VOICE_LOWEST_DBOV: Final = -55.0
"""Quieter than this is no voice, however quiet the room."""

FLOOR_HIGHEST_DBOV: Final = -45.0
"""Where the noise floor stops to rise: a long vowel, or a test tone, must not become the room."""

FLOOR_RISE_DB_PER_S: Final = 3.0
HANGOVER_S: Final = 0.2
"""Word endings are soft; speech coders keep the bit for about this long."""


def level_dbov(samples: Samples) -> int:
    """Return the loudness of `samples`, from 0 (full scale) down to -127 (silence).

    The overload point is the RMS of a full-scale square wave, so that a full-scale sine is -3.

    Args:
        samples: float32, one-dimensional, not empty, finite.

    Source: RFC 6464, section 3; RFC 6465, appendix A. Pure.

    """
    power = float(np.dot(samples, samples)) / len(samples)
    if power <= 0.0:
        return SILENCE_DBOV
    return max(SILENCE_DBOV, min(0, round(10.0 * math.log10(power))))


@dataclass(slots=True)
class VoiceActivity:
    """A voice activity detector by energy above a noise floor that follows the room: down at once, up slowly."""

    _floor_dbov: float = -60.0
    _hangover_s: float = 0.0

    def update(self, frame_dbov: int, duration_s: float) -> bool:
        """Return whether a frame of this level is speech. Call once a frame, in order."""
        if frame_dbov > SILENCE_DBOV:
            # Digital silence is a muted or virtual device, and says nothing about the room.
            risen_dbov = self._floor_dbov + FLOOR_RISE_DB_PER_S * duration_s
            self._floor_dbov = min(float(frame_dbov), risen_dbov, FLOOR_HIGHEST_DBOV)
            self._floor_dbov = max(self._floor_dbov, -90.0)
        if frame_dbov >= max(self._floor_dbov + VOICE_ABOVE_FLOOR_DB, VOICE_LOWEST_DBOV):
            self._hangover_s = HANGOVER_S
            return True
        self._hangover_s = max(0.0, self._hangover_s - duration_s)
        return self._hangover_s > 0.0
