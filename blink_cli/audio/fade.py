"""Ramps of one tick, so that nothing begins or ends with a click.

Raised cosine: its spectrum falls fast, so that 10 ms of it are inaudible; a pair of them adds up to one.
"""

import functools
from typing import Final

import numpy as np

from blink_cli.audio.samples import Samples
from blink_cli.core.audio_format import TICK_SAMPLES


@functools.cache
def fade_in(samples: int) -> Samples:
    """From silence to unity in so many samples, read-only. Shorter than a tick is for blocks that are."""
    phase = (np.arange(samples) + 0.5) / samples
    ramp = (0.5 - 0.5 * np.cos(np.pi * phase)).astype(np.float32)
    ramp.flags.writeable = False
    return ramp


FADE_IN: Final = fade_in(TICK_SAMPLES)
"""From silence to unity, shape (480,), read-only."""

FADE_OUT: Final = FADE_IN[::-1]


def gain_ramp(before: float, after: float) -> Samples:
    """Return the factors that lead from one gain to another within a tick, shape (480,)."""
    return np.float32(before) + FADE_IN * np.float32(after - before)


def faded(block: Samples, *, fades_in: bool, fades_out: bool) -> Samples:
    """Return a tick's block, shape (480,), as it begins or ends what is heard; the very block when it does neither."""
    if fades_in:
        block = block * FADE_IN
    if fades_out:
        block = block * FADE_OUT
    return block


def faded_in(block: Samples) -> Samples:
    """Return it with a ramp over its first 10 ms, or all of a shorter one."""
    ramp = fade_in(min(len(block), TICK_SAMPLES))
    faded = block.copy()
    faded.T[..., : len(ramp)] *= ramp
    return faded
