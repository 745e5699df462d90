"""The two beeps of an echo peer, and where they are found in what is heard.

`LISTENING` rises: speak after it. `SPEAKING` falls: what was said comes after it. Both are sweeps of a fifth of a second, which a person knows
from each other at once, and whose place is found to a fraction of a millisecond behind codec and network (a matched filter, as in radar).
"""

from typing import Final

import numpy as np

from blink_cli.audio.samples import Samples
from blink_cli.core.audio_format import SAMPLE_RATE_HZ

BEEP_SAMPLES: Final = SAMPLE_RATE_HZ // 5
AMPLITUDE: Final = 0.1
"""-20 dBFS, as loud as speech."""

LOWEST_HZ: Final = 500.0
HIGHEST_HZ: Final = 2_000.0
"""Within what every codec and telephone passes."""

ALIKE: Final = 0.33
"""Least normalised correlation. Three minutes of three voices have 0.21 at most; a beep of which a frame of 20 ms is lost has 0.8, one of which the playout
buffer has left out 15 ms in the middle 0.52."""

_FADE: Final = SAMPLE_RATE_HZ // 100


def _sweep(from_hz: float, to_hz: float) -> Samples:
    seconds = np.arange(BEEP_SAMPLES) / SAMPLE_RATE_HZ
    slope = (to_hz - from_hz) * SAMPLE_RATE_HZ / BEEP_SAMPLES
    beep = AMPLITUDE * np.sin(2 * np.pi * (from_hz * seconds + slope / 2 * seconds**2))
    ramp = 0.5 - 0.5 * np.cos(np.pi * (np.arange(_FADE) + 0.5) / _FADE)
    beep[:_FADE] *= ramp
    beep[-_FADE:] *= ramp[::-1]
    sweep: Samples = beep.astype(np.float32)
    sweep.flags.writeable = False
    return sweep


LISTENING: Final = _sweep(LOWEST_HZ, HIGHEST_HZ)
SPEAKING: Final = _sweep(HIGHEST_HZ, LOWEST_HZ)


def find(beep: Samples, heard: Samples) -> list[int]:
    """Return where each of this beep begins in what was heard (48 kHz, one channel), in order; none within two lengths of another."""
    if len(heard) < len(beep):
        return []
    size = 1 << (len(heard) + len(beep)).bit_length()
    products = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(beep, size)), size)
    products = products[: len(heard) - len(beep) + 1]
    squares = np.concatenate(([0.0], np.cumsum(heard.astype(np.float64) ** 2)))
    energies = squares[len(beep) :] - squares[: -len(beep)]
    energy = float(np.dot(beep, beep))
    # What is much softer than a beep is none, whatever its shape.
    alike = products / np.sqrt(energy * np.maximum(energies, 1e-4 * energy))
    found: list[int] = []
    while True:
        place = int(np.argmax(alike))
        if alike[place] < ALIKE:
            return sorted(found)
        found.append(place)
        alike[max(0, place - 2 * len(beep)) : place + 2 * len(beep)] = 0.0
