"""How good and how late a voice arrived, from the sound alone, so that every receiver is measured alike.

The judges are extras, and are imported when they are asked: `lab` brings PESQ, `visqol` brings ViSQOL.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from blink_cli.runtime.extras import needs_extra

Samples = npt.NDArray[np.float32]

RATE_HZ = 16_000
WINDOW_S: Final = 0.4
_WINDOW = int(WINDOW_S * RATE_HZ)
_LONGEST_DELAY = int(1.6 * RATE_HZ)
_ACTIVE_RMS = 10 ** (-40 / 20)
_ALIKE = 0.6

Judge = Callable[[Samples, Samples], float]
"""Given what was said and what was heard, mono at 16 kHz: a score."""


def pesq_wideband(reference: Samples, heard: Samples) -> float:
    """ITU-T P.862.2 over the whole of both, 16 kHz. 1 to 4.64; 1 when nothing like the reference is found.

    Raises:
        NotInstalledError: The extra `lab` is not installed.

    """
    return _pesq()(reference, heard)


def require_pesq() -> None:
    """Find out before long work whether PESQ is there. Raises as `pesq_wideband`."""
    _pesq()


def visqol_speech(reference: Samples, heard: Samples) -> float:
    """ViSQOL in its speech mode, with the lattice model, over the whole of both, 16 kHz. 1 to 5.

    Raises:
        NotInstalledError: The extra `visqol` is not installed.

    Source: github.com/google/visqol, of which visqol-python is a port.

    """
    return _visqol()(reference, heard)


@functools.cache
def _pesq() -> Judge:
    with needs_extra("lab", "The judge of voices"):
        from pesq import pesq  # noqa: PLC0415 - an extra

    def judge(reference: Samples, heard: Samples) -> float:
        if not np.any(heard):
            return 1.0
        return max(1.0, float(pesq(RATE_HZ, reference, heard, "wb", on_error=1)))

    return judge


@functools.cache
def _visqol() -> Judge:
    with needs_extra("visqol", "ViSQOL"):
        import ai_edge_litert.interpreter  # noqa: F401, PLC0415 - without the lattice model its scores are not comparable
        import visqol  # noqa: PLC0415 - an extra

    api = visqol.VisqolApi()
    api.create(mode="speech")

    def judge(reference: Samples, heard: Samples) -> float:
        common = min(len(reference), len(heard))
        said, came = (one[:common].astype(np.float64) for one in (reference, heard))
        return float(api.measure_from_arrays(said, came, RATE_HZ).moslqo)

    return judge


@dataclass(frozen=True, slots=True)
class FoundAgain:
    """The windows of speech of 0.4 s that were found again in what was heard."""

    windows: list[tuple[float, float]]
    """Where each begins in s, and its mouth-to-ear delay in ms."""

    looked_for: int
    """How many windows held speech."""


def delays_ms(reference: Samples, heard: Samples) -> list[tuple[float, float]]:
    """(time in s, mouth-to-ear delay in ms) of every window of speech that is found again, by normalised correlation."""
    return found_again(reference, heard).windows


def found_again(reference: Samples, heard: Samples, *, step_s: float = 0.1) -> FoundAgain:
    """Look for a window of speech at each step of the reference, up to 1.6 s later in what was heard."""
    spoken = spoken_windows(reference, heard, step_s=step_s)
    return FoundAgain([(at_s, delay) for at_s, delay in spoken if delay is not None], len(spoken))


def spoken_windows(
    reference: Samples, heard: Samples, *, step_s: float = 0.1
) -> list[tuple[float, float | None]]:
    """Every window of 0.4 s with speech: when it was said, in s, and how much later it was heard, in ms; None if it is not found again."""
    found: list[tuple[float, float | None]] = []
    ends = max(len(reference), len(heard)) + _LONGEST_DELAY + _WINDOW
    padded = np.pad(heard, (0, ends - len(heard)))
    for at in range(0, len(reference) - _WINDOW, round(step_s * RATE_HZ)):
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
        found.append((at / RATE_HZ, 1000 * best / RATE_HZ if alike[best] >= _ALIKE else None))
    return found
