"""Pieces of sound in their places in the scenario's time."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.lab.envelopes import Samples


@dataclass(frozen=True, slots=True)
class Placed:
    """A piece of sound from a moment on, in seconds of the scenario; a later piece takes the place of the rest of an earlier one."""

    start_s: float
    sound: Samples


def laid(pieces: Sequence[Placed], total: int) -> Samples:
    """Return the pieces in their places, so many samples from the scenario's second 0 on; where there is none it is silent."""
    sound = np.zeros(total, np.float32)
    for piece in sorted(pieces, key=lambda one: one.start_s):
        first = round(piece.start_s * SAMPLE_RATE_HZ)
        part = piece.sound[max(-first, 0) :]
        start = max(first, 0)
        sound[start : start + len(part)] = part[: max(total - start, 0)]
    return sound
