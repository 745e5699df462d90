"""Takes steady noise out of what the microphone hears: fans, hiss, traffic."""

import math
from typing import Final

import numpy as np

from blink_cli.audio.processing.block import CapturedBlock
from blink_cli.audio.processing.webrtc import WebrtcNoiseSuppressor
from blink_cli.audio.samples import Samples
from blink_cli.core.media.processing_settings import NoiseSuppress

NOISE_DELAY_SAMPLES: Final = 334
"""An overlap of the library's transform behind its filter bank (measured: tests/audio/processing/test_webrtc.py)."""

_FORGETS: Final = 0.99
_NOTHING: Final = 1e-9
_LEVELS: Final = {NoiseSuppress.LOW: 1, NoiseSuppress.HIGH: 2}
"""Of the library: 12 and 18 dB."""


class NoiseFilter:
    """Implements `Filter`."""

    delay_samples = NOISE_DELAY_SAMPLES

    def __init__(self, strength: NoiseSuppress) -> None:
        self.strength = strength
        self._before = self._after = 0.0
        self._suppressor = WebrtcNoiseSuppressor(_LEVELS[strength])

    def process(self, block: CapturedBlock) -> Samples:
        """Return the block with less noise."""
        given = self._suppressor.process(block.samples)
        self._measure(block.samples, given)
        return given

    @property
    def removed_db(self) -> float:
        """How much was taken out in the last second or so."""
        return 10.0 * math.log10((self._before + _NOTHING) / (self._after + _NOTHING))

    def _measure(self, before: Samples, after: Samples) -> None:
        self._before = _FORGETS * self._before + float(np.dot(before, before))
        self._after = _FORGETS * self._after + float(np.dot(after, after))
