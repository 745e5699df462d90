"""Ramps of one tick, so that nothing begins or ends with a click.

Raised cosine: its spectrum falls fast, so that 10 ms of it are inaudible; a pair of them adds up to one.
"""

from typing import Final

import numpy as np

from blink_cli.audio.samples import Samples
from blink_cli.core.voice import TICK_SAMPLES


def _rising() -> Samples:
    phase = (np.arange(TICK_SAMPLES) + 0.5) / TICK_SAMPLES
    ramp = (0.5 - 0.5 * np.cos(np.pi * phase)).astype(np.float32)
    ramp.flags.writeable = False
    return ramp


FADE_IN: Final = _rising()
"""From silence to unity, shape (480,), read-only."""

FADE_OUT: Final = FADE_IN[::-1]


def gain_ramp(before: float, after: float) -> Samples:
    """Return the factors that lead from one gain to another within a tick, shape (480,)."""
    return np.float32(before) + FADE_IN * np.float32(after - before)
