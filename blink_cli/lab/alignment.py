"""How alike two waveforms are, once one is moved and scaled to fit the other.

    sent ──> moved by a whole number of samples (cross-correlation) ──> by a fraction of one (Newton's steps on the same correlation)
         ──> scaled (least squares) ──> taken away from what was heard ──> signal-to-noise ratio

The ratio says how well a waveform is kept. Codecs keep how it sounds: after Opus at 32 kb/s it is some 10 dB, and nobody hears that.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]

_NEWTON_STEPS: Final = 6
_CLOSE_ENOUGH: Final = 1e-4
"""Of a sample."""

_HIGHEST_DB: Final = 140.0
"""Better than float32 can tell."""


@dataclass(frozen=True, slots=True)
class Fit:
    """How the one fits the other."""

    delay_samples: float
    """By how much later it was heard, to a fraction of a sample."""

    gain_db: float
    """By how much louder; negative also for one that is turned round, see `inverted`."""

    inverted: bool
    signal: float
    """Energy of the fit: the sum of its squares."""

    noise: float
    """Energy of what is left."""

    @property
    def snr_db(self) -> float:
        """Signal-to-noise ratio, at most 140 dB."""
        return snr_db(self.signal, self.noise)


def snr_db(signal: float, noise: float) -> float:
    """A ratio of energies in dB, at most 140; `signal` is above 0."""
    return _HIGHEST_DB if noise <= signal * 10 ** (-_HIGHEST_DB / 10) else 10 * math.log10(signal / noise)


def fit(sent: Samples, heard: Samples, *, longest_delay: int) -> Fit | None:
    """Fit what was sent to what was heard.

    Args:
        sent: Shape (n,).
        heard: The same time and `longest_delay` samples more, at the same rate.
        longest_delay: Up to which delay, in samples, is looked for; as much earlier is found as well as far as both reach.

    Returns:
        None where one of them is silent.

    """
    size = 1 << (len(heard) + len(sent)).bit_length()
    said = np.fft.rfft(sent.astype(np.float64), size)
    came = np.fft.rfft(heard.astype(np.float64), size)
    cross = came * np.conj(said)
    energy = float(np.dot(sent.astype(np.float64), sent))
    if energy <= 0.0 or not np.any(heard):
        return None
    correlation = np.fft.irfft(cross, size)
    # Later delays stand at the front, earlier ones at the end.
    earliest = min(longest_delay, size // 4)
    possible = np.concatenate((correlation[-earliest:], correlation[: longest_delay + 1]))
    whole = int(np.argmax(np.abs(possible))) - earliest
    delay = whole + _fraction(cross, size, whole)
    omega = 2 * np.pi * np.arange(len(said)) / size
    moved = np.fft.irfft(said * np.exp(-1j * omega * delay), size)
    came_whole = np.zeros(size)
    came_whole[: len(heard)] = heard
    # What the end of the sent sound rings into is not known: only what both hold is compared.
    first, last = max(0, math.ceil(delay)), min(len(heard), math.floor(len(sent) + delay))
    one, other = moved[first:last], came_whole[first:last]
    power = float(one @ one)
    if power <= 0.0:
        return None
    gain = float(one @ other) / power
    rest = other - gain * one
    noise = float(rest @ rest)
    signal = gain * gain * power
    if signal <= 0.0:
        return None
    return Fit(delay, 20 * math.log10(abs(gain)), gain < 0, signal, noise)


def _fraction(cross: npt.NDArray[np.complex128], size: int, whole: int) -> float:
    """How far beside the whole number of samples the correlation is largest: within half a sample."""
    omega = 2 * np.pi * np.arange(len(cross)) / size
    fraction = 0.0
    for _ in range(_NEWTON_STEPS):
        turned = cross * np.exp(1j * omega * (whole + fraction))
        slope = float(np.sum((1j * omega * turned).real))
        bend = float(np.sum((-(omega**2) * turned).real))
        if bend == 0.0:
            break
        step = slope / bend
        fraction = min(max(fraction - step, -1.0), 1.0)
        if abs(step) < _CLOSE_ENOUGH:
            break
    return fraction
