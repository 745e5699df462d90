"""The sounds that a virtual microphone hears without a file: a sine, silence."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.runtime.on_demand import on_demand

if TYPE_CHECKING:
    import numpy as np

    from blink_cli.audio.channel_reading import ChannelReading
    from blink_cli.audio.samples import Samples
else:
    np = on_demand("numpy")

TONE_AMPLITUDE: Final = 0.1
"""-20 dBFS: about as loud as speech."""


class Tone:
    """A sine at -20 dBFS."""

    def __init__(self, frequency_hz: float) -> None:
        self._step = 2.0 * math.pi * frequency_hz / SAMPLE_RATE_HZ
        self._next = 0

    def rewind(self) -> None:
        """Begin again at phase 0."""
        self._next = 0

    def next(self, count: int) -> Samples:
        """Return the next `count` samples."""
        # float64 for the phase: float32 would be audibly off after a minute.
        phase = self._step * np.arange(self._next, self._next + count, dtype=np.float64)
        self._next += count
        return (TONE_AMPLITUDE * np.sin(phase)).astype(np.float32)

    def skip(self, count: int) -> None:
        """Leave out the next `count` samples."""
        self._next += count

    def close(self) -> None:
        """Nothing is open."""

    def channels(self) -> ChannelReading | None:
        """It has but one."""
        return None


class Silence:
    """Exact zeros."""

    def rewind(self) -> None:
        """It has no beginning."""

    def next(self, count: int) -> Samples:
        """Return `count` zeros."""
        return np.zeros(count, dtype=np.float32)

    def skip(self, count: int) -> None:
        """It is the same everywhere."""

    def close(self) -> None:
        """Nothing is open."""

    def channels(self) -> ChannelReading | None:
        """It has but one."""
        return None
