"""How good and how late a voice arrived, from the sound alone, so that every receiver is measured alike."""

import numpy as np
import numpy.typing as npt
from pesq import pesq

Samples = npt.NDArray[np.float32]

RATE_HZ = 16_000
_WINDOW = int(0.4 * RATE_HZ)
_STEP = int(0.1 * RATE_HZ)
_LONGEST_DELAY = int(1.6 * RATE_HZ)
_ACTIVE_RMS = 10 ** (-40 / 20)
_ALIKE = 0.6


def pesq_wideband(reference: Samples, heard: Samples) -> float:
    """ITU-T P.862.2 over the whole of both, 16 kHz. 1 to 4.64; 1 when nothing like the reference is found."""
    return float(pesq(RATE_HZ, reference, heard, "wb", on_error=1) if np.any(heard) else 1.0)


def delays_ms(reference: Samples, heard: Samples) -> list[tuple[float, float]]:
    """(time in s, mouth-to-ear delay in ms) of every window of speech that is found again, by normalised correlation."""
    found = []
    padded = np.concatenate((heard, np.zeros(_LONGEST_DELAY + _WINDOW, np.float32)))
    for at in range(0, len(reference) - _WINDOW, _STEP):
        window = reference[at : at + _WINDOW]
        energy = float(window @ window)
        if energy < _WINDOW * _ACTIVE_RMS**2:
            continue
        region = padded[at : at + _WINDOW + _LONGEST_DELAY]
        size = 1 << (len(region) + _WINDOW).bit_length()
        correlation = np.fft.irfft(np.fft.rfft(region, size) * np.conj(np.fft.rfft(window, size)), size)[
            :_LONGEST_DELAY
        ]
        squares = np.concatenate(([0.0], np.cumsum(region.astype(np.float64) ** 2)))
        energies = squares[_WINDOW : _WINDOW + _LONGEST_DELAY] - squares[:_LONGEST_DELAY]
        alike = correlation / np.sqrt(energy * np.maximum(energies, 0.01 * energy))
        best = int(np.argmax(alike))
        if alike[best] >= _ALIKE:
            found.append((at / RATE_HZ, 1000 * best / RATE_HZ))
    return found
