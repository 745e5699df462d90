"""Keeps the mix of several voices below full scale without touching a single one.

A block that stays below the ceiling at unity gain passes bit by bit. A louder one is turned down: the gain falls within the
first millisecond of the block (the whole block is known before any of it is played, which is all the look-ahead needed), what
still sticks out meanwhile is bent over softly, and the gain comes back slowly, so that nothing pumps.

Source: Zölzer, DAFX (2nd ed.), section 4.2.2, limiter with attack and release; the soft knee is the usual tanh.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from blink_cli.audio.samples import Samples
from blink_cli.core.voice import SAMPLE_RATE_HZ, TICK_SAMPLES

CEILING: Final = 0.96
"""-0.35 dBFS: above any sane speech level, below clipping; the rest is the room in which overshoots are bent."""

RELEASE_S: Final = 0.15
"""Time constant with which the gain returns: longer than a syllable's pitch period, shorter than a word."""

ATTACK_SAMPLES: Final = SAMPLE_RATE_HZ // 1000

_ATTACK = np.linspace(1.0, 0.0, ATTACK_SAMPLES, endpoint=False, dtype=np.float32)
_RAMP = np.linspace(0.0, 1.0, TICK_SAMPLES, dtype=np.float32)
_RETURNED = 0.999
_RELEASE_PER_TICK = math.exp(-TICK_SAMPLES / SAMPLE_RATE_HZ / RELEASE_S)


@dataclass(slots=True)
class Limiter:
    """One per output. Used by the playout thread alone."""

    gain: float = 1.0
    """What the last sample was multiplied with, 0 to 1."""

    limited_blocks: int = 0
    """How many blocks were changed."""

    def rest(self) -> None:
        """Let one silent block pass."""
        if self.gain != 1.0:
            self.gain = self._released(1.0)

    def process(self, block: Samples) -> None:
        """Limit `block`, shape (480,), in place, so that every sample is within +/-1.0."""
        peak = max(float(block.max()), -float(block.min()))
        if peak <= CEILING and self.gain == 1.0:
            return
        self.limited_blocks += 1
        needed = CEILING / peak if peak > CEILING else 1.0
        before = self.gain
        if needed < before:
            after = needed
            envelope = np.full(TICK_SAMPLES, after, dtype=np.float32)
            envelope[:ATTACK_SAMPLES] += _ATTACK * np.float32(before - after)
        else:
            after = self._released(needed)
            envelope = np.float32(before) + _RAMP * np.float32(after - before)
        block *= envelope
        self.gain = after
        over = np.abs(block) > CEILING
        if over.any():
            loud = block[over]
            room = np.float32(1.0 - CEILING)
            block[over] = np.sign(loud) * (CEILING + room * np.tanh((np.abs(loud) - CEILING) / room))

    def _released(self, needed: float) -> float:
        after = min(needed, 1.0 - (1.0 - self.gain) * _RELEASE_PER_TICK)
        return 1.0 if after > _RETURNED else after
