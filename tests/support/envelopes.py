"""Who is heard in a recording, told from 20 ms envelopes.

    what a listener heard   ==  gain_1 * speaker 1 (delay_1 ago)  +  gain_2 * speaker 2 (delay_2 ago)  + ...

Voices are uncorrelated, so their powers add: the delays are found one by one, the gains together by least squares,
and each speaker's figure is the correlation of its envelope with what is left when the others are taken away. A
speaker who is not heard has nothing left to agree with, and a low figure.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from blink_cli.core.voice import SAMPLE_RATE_HZ

Samples = npt.NDArray[np.float32]
"""Mono, 48 kHz, full scale at +/-1.0."""

FRAME_SAMPLES = SAMPLE_RATE_HZ * 20 // 1000
_COARSE_STEP_SAMPLES = FRAME_SAMPLES // 4


@dataclass(frozen=True, slots=True)
class Heard:
    """How one speaker came through."""

    correlation: float
    """Of 20 ms envelopes, -1 to 1; 0 where either is constant."""

    delay_s: float
    """From the speaker's mouth to the listener's ear, to 5 ms."""

    gain: float
    """Of amplitude; 0 when not heard."""


def envelope(samples: Samples, offset_samples: int = 0, frames: int | None = None) -> npt.NDArray[np.float64]:
    """Return the RMS of each whole 20 ms frame from an offset on."""
    whole = (len(samples) - offset_samples) // FRAME_SAMPLES
    count = whole if frames is None else min(frames, whole)
    block = samples[offset_samples : offset_samples + count * FRAME_SAMPLES].astype(np.float64)
    power: npt.NDArray[np.float64] = np.mean(block.reshape(count, FRAME_SAMPLES) ** 2, axis=1)
    return np.sqrt(power)


def correlation(one: npt.NDArray[np.float64], other: npt.NDArray[np.float64]) -> float:
    """Return Pearson's correlation; 0 when either does not vary (a silent recording agrees with nobody)."""
    count = min(len(one), len(other))
    a = one[:count] - np.mean(one[:count])
    b = other[:count] - np.mean(other[:count])
    scale = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / scale if scale > 1e-9 else 0.0


def hear(heard: Samples, spoken: Mapping[str, Samples], *, max_delay_s: float = 0.5) -> dict[str, Heard]:
    """Tell each speaker's part in what a listener heard.

    Args:
        heard: What the listener's speaker played during some seconds.
        spoken: By name, what each microphone took during the same seconds and the `max_delay_s` before them: arrays
            longer than `heard` by that much.
        max_delay_s: The longest mouth-to-ear delay looked for.
    """
    lead = round(max_delay_s * SAMPLE_RATE_HZ)
    for name, samples in spoken.items():
        assert len(samples) >= len(heard) + lead, (
            f"{name}: {len(samples)} samples, {len(heard) + lead} are needed"
        )
    target = envelope(heard)
    frames = len(target)

    def delayed(name: str, delay: int) -> npt.NDArray[np.float64]:
        return envelope(spoken[name], lead - delay, frames)

    delays = dict.fromkeys(spoken, 0)
    gains = dict.fromkeys(spoken, 0.0)
    # Twice: the loudest speaker's delay is found through the others' speech at first, and without it then.
    for _ in range(2):
        for name in spoken:
            rest = _without(target, {o: gains[o] * delayed(o, delays[o]) for o in spoken if o != name})
            delays[name] = max(
                range(0, lead + 1, _COARSE_STEP_SAMPLES), key=lambda d: correlation(rest, delayed(name, d))
            )
        gains = _gains(target, {name: delayed(name, delays[name]) for name in spoken})
    answer = {}
    for name in spoken:
        rest = _without(target, {o: gains[o] * delayed(o, delays[o]) for o in spoken if o != name})
        answer[name] = Heard(
            correlation(rest, delayed(name, delays[name])), delays[name] / SAMPLE_RATE_HZ, gains[name]
        )
    return answer


def _without(
    target: npt.NDArray[np.float64], others: Mapping[str, npt.NDArray[np.float64]]
) -> npt.NDArray[np.float64]:
    power = target**2
    for other in others.values():
        power = power - other**2
    return np.sqrt(np.maximum(power, 0.0))


def _gains(target: npt.NDArray[np.float64], parts: Mapping[str, npt.NDArray[np.float64]]) -> dict[str, float]:
    """Fit the powers by least squares; a negative power is nobody's, so whoever gets one is not there."""
    present = dict(parts)
    while present:
        matrix = np.stack([part**2 for part in present.values()], axis=1)
        solution = np.linalg.lstsq(matrix, target**2, rcond=None)[0]
        fitted = dict(zip(present, solution, strict=True))
        if all(power >= 0 for power in fitted.values()):
            return {name: float(np.sqrt(fitted.get(name, 0.0))) for name in parts}
        present = {name: part for name, part in present.items() if fitted[name] >= 0}
    return dict.fromkeys(parts, 0.0)
