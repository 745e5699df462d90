"""Where one sound lies in another: the whole of it, before anything is looked at closely."""

from typing import Final

import numpy as np
import numpy.typing as npt

from blink_cli.lab.voice_metrics import RATE_HZ, Samples

_DECIMATION: Final = 4
"""Speech has most of its energy below 2 kHz, and an hour is found in seconds."""

_WINDOW: Final = RATE_HZ // _DECIMATION
"""1 s."""

_MOST_WINDOWS: Final = 8
_LEAST_ALIKE: Final = 0.3
"""Of the best window: unrelated speech comes to 0.2."""


def offset_samples(sent: Samples, heard: Samples) -> int | None:
    """Return by how many samples later what was sent stands in what was heard, to some ms; negative where the latter begins later.

    The loudest windows of what was sent, one in each eighth of it, are looked for in all that was heard; where their likenesses add up best is the place.

    Returns:
        None where nothing of it is found.

    """
    said, came = _decimated(sent), _decimated(heard)
    window = min(_WINDOW, len(said))
    if window < _WINDOW // 4 or len(came) < window:
        return None
    size = 1 << (len(came) + window).bit_length()
    spectrum = np.fft.rfft(came, size)
    squares = np.concatenate(([0.0], np.cumsum(came.astype(np.float64) ** 2)))
    energies = squares[window:] - squares[:-window]
    # Where hardly anything was heard everything looks alike.
    least = max(1e-3 * float(np.max(energies)), 1e-12)
    places = _loudest_windows(said, window)
    # By offset, from the earliest that is possible.
    agreement = np.zeros(len(came) + len(said))
    best_alike = 0.0
    for place in places:
        piece = said[place : place + window].astype(np.float64)
        energy = float(piece @ piece)
        products = np.fft.irfft(spectrum * np.conj(np.fft.rfft(piece, size)), size)[: len(energies)]
        alike = products / np.sqrt(energy * np.maximum(energies, least))
        best_alike = max(best_alike, float(np.max(alike)))
        first = len(said) - place
        agreement[first : first + len(alike)] += np.maximum(alike, 0.0) ** 2
    if best_alike < _LEAST_ALIKE:
        return None
    return (int(np.argmax(agreement)) - len(said)) * _DECIMATION


def _loudest_windows(sound: Samples, window: int) -> list[int]:
    squares = np.concatenate(([0.0], np.cumsum(sound.astype(np.float64) ** 2)))
    energies = squares[window:] - squares[:-window]
    parts = np.array_split(np.arange(len(energies)), min(_MOST_WINDOWS, len(energies)))
    places = [int(part[np.argmax(energies[part])]) for part in parts]
    loudest = max(float(energies[place]) for place in places)
    return [place for place in places if energies[place] > 0.05 * loudest]


def _decimated(sound: Samples) -> npt.NDArray[np.float32]:
    """Every fourth of the means of four: what folds down is far below the voice, and the same in both."""
    whole = len(sound) // _DECIMATION * _DECIMATION
    return np.asarray(sound[:whole].reshape(-1, _DECIMATION).mean(axis=1), np.float32)
