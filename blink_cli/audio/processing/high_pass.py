"""The first filter: takes out what lies below every voice, such as handling noise, hum and a microphone's constant offset.

A Butterworth filter of the second order, as two matrices: within a section of a block every sample is a sum of that section's samples
and of the two numbers that the filter remembers. So a block costs one product of matrices, and no loop over samples.

Source: R. Bristow-Johnson, "Cookbook formulae for audio EQ biquad filter coefficients", high-pass.
"""

import math
from typing import Final

import numpy as np

from blink_cli.audio.processing.block import CapturedBlock
from blink_cli.audio.samples import Samples
from blink_cli.core.audio_format import SAMPLE_RATE_HZ, TICK_SAMPLES

CUTOFF_HZ: Final = 80.0
_SECTION: Final = 96


class HighPass:
    """Implements `Filter`."""

    delay_samples = 0

    def __init__(self, cutoff_hz: float = CUTOFF_HZ) -> None:
        angle = 2.0 * math.pi * cutoff_hz / SAMPLE_RATE_HZ
        alpha = math.sin(angle) / math.sqrt(2.0)
        scale = 1.0 + alpha
        outer = (1.0 + math.cos(angle)) / 2.0 / scale
        feed = (outer, -2.0 * outer, outer)
        back = (-2.0 * math.cos(angle) / scale, (1.0 - alpha) / scale)
        # Transposed direct form II: y = b0 x + s1; s1 = b1 x - a1 y + s2; s2 = b2 x - a2 y.
        step = np.array([[-back[0], 1.0], [-back[1], 0.0]])
        enter = np.array([feed[1] - back[0] * feed[0], feed[2] - back[1] * feed[0]])
        remembered = [np.linalg.matrix_power(step, n) for n in range(_SECTION + 1)]
        echoes = [feed[0], *(float((power @ enter)[0]) for power in remembered[: _SECTION - 1])]
        self._from_samples = np.array(
            [[echoes[j - i] if j >= i else 0.0 for j in range(_SECTION)] for i in range(_SECTION)]
        )
        self._from_state = np.array([power[0] for power in remembered[:_SECTION]]).T
        self._to_state = np.array([remembered[_SECTION - 1 - i] @ enter for i in range(_SECTION)])
        self._state_on = remembered[_SECTION].T
        self._state = np.zeros(2)

    def process(self, block: CapturedBlock) -> Samples:
        """Return the block above the cutoff."""
        sections = block.samples.reshape(-1, _SECTION).astype(np.float64)
        made = sections @ self._from_samples
        entering = sections @ self._to_state
        states = np.empty((len(sections), 2))
        for index in range(len(sections)):
            states[index] = self._state
            self._state = self._state @ self._state_on + entering[index]
        made += states @ self._from_state
        return np.asarray(made, np.float32).reshape(TICK_SAMPLES)
