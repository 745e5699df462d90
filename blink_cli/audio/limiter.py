"""Keeps sound below full scale without touching a single sample that is not too loud, and without pumping.

    block ──> its peak ──> reduction now (at once down, up by two release times) ──> ramp within the block ──> what still sticks out is bent

A block that stays below the ceiling at unity gain passes bit by bit. A louder one is turned down: the gain falls from the block's first sample to the first one
that is too loud, so the look-ahead is what is already there, and costs no delay. Only where that is within the block's first millisecond something
sticks out, and is bent over softly.

How the gain comes back decides whether it is heard. One that is quick follows every syllable; one that is slow ducks all for seconds because of a click. So there are two: a
quick one back to a slow one, which only what lasts pulls down. Loud speech has a gain that nearly stands still; behind a click it is back at once.

Source: Giannoulis, Massberg, Reiss, Digital Dynamic Range Compressor Design (JAES 60, 2012), section 3 (reduction in dB, smooth and decoupled); the knee of what is bent is the usual tanh.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from blink_cli.audio.samples import Samples
from blink_cli.core.audio_format import SAMPLE_RATE_HZ, TICK_SAMPLES

CEILING: Final = 0.96
"""-0.35 dBFS: above any sane speech level, below clipping; the rest is the room in which overshoots are bent."""

QUICK_RELEASE_S: Final = 0.06
"""Time constant behind a peak that stood alone. Longer than a pitch period, or low voices were distorted."""

SLOW_ATTACK_S: Final = 0.15
"""A syllable: what is too loud for so long is so by its gain, and not by chance."""

SLOW_RELEASE_S: Final = 1.5
"""Behind speech that was too loud throughout: longer than its pauses."""

SHORTEST_RAMP_SAMPLES: Final = SAMPLE_RATE_HZ // 1000

_RAMP = np.linspace(0.0, 1.0, TICK_SAMPLES, dtype=np.float32)
_TICK_S: Final = TICK_SAMPLES / SAMPLE_RATE_HZ
_QUICK_FALL: Final = math.exp(-_TICK_S / QUICK_RELEASE_S)
_SLOW_RISE: Final = 1.0 - math.exp(-_TICK_S / SLOW_ATTACK_S)
_SLOW_FALL: Final = math.exp(-_TICK_S / SLOW_RELEASE_S)
_UNHEARD_DB: Final = 0.05


@dataclass(slots=True)
class Limiter:
    """One per output, and one per voice that is turned up. Used by the playout thread alone."""

    gain: float = 1.0
    """What the last sample was multiplied with, 0 to 1."""

    limited_blocks: int = 0
    """How many blocks were changed."""

    _quick_db: float = 0.0
    _slow_db: float = 0.0
    """By how much what lasts is too loud."""

    @property
    def reduction_db(self) -> float:
        """By how much the last sample was turned down. Any thread."""
        return 0.0 if self.gain == 1.0 else -20.0 * math.log10(self.gain)

    def rest(self) -> None:
        """Let one silent block pass."""
        if self.gain != 1.0:
            self.gain = self._next_gain(0.0)

    def process(self, block: Samples) -> None:
        """Limit `block`, shape (480,), in place, so that every sample is within +/-1.0."""
        # argmax is several times quicker than max.
        peak = max(block.item(block.argmax()), -block.item(block.argmin()))
        before = self.gain
        if peak <= CEILING and before == 1.0:
            return
        self.limited_blocks += 1
        after = self.gain = self._next_gain(20.0 * math.log10(max(peak / CEILING, 1.0)))
        if after >= before:
            block *= np.float32(before) + _RAMP * np.float32(after - before)
            return
        # The first that is too loud; argmax of none is the first sample, which then is not.
        too_loud = np.abs(block) * np.float32(before) > CEILING
        first = int(too_loud.argmax())
        ramp = max(first if too_loud[first] else TICK_SAMPLES, SHORTEST_RAMP_SAMPLES)
        block[:ramp] *= np.linspace(before, after, ramp, dtype=np.float32)
        block[ramp:] *= np.float32(after)
        over = np.abs(block) > CEILING
        if over.any():
            loud = block[over]
            room = np.float32(1.0 - CEILING)
            block[over] = np.sign(loud) * (CEILING + room * np.tanh((np.abs(loud) - CEILING) / room))

    def _next_gain(self, needed_db: float) -> float:
        """Take by how much the next block is too loud; return the gain at its end, which is low enough for all of it."""
        quick_db = self._quick_db = max(needed_db, self._quick_db * _QUICK_FALL)
        slow_db = self._slow_db
        slow_db += (quick_db - slow_db) * _SLOW_RISE if quick_db > slow_db else slow_db * (_SLOW_FALL - 1.0)
        self._slow_db = slow_db
        reduction_db = max(quick_db, slow_db)
        if reduction_db < _UNHEARD_DB:
            self._quick_db = self._slow_db = 0.0
            return 1.0
        return math.pow(10.0, -reduction_db / 20.0)
