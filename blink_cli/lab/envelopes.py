"""Who is heard in a recording, told from 20 ms envelopes.

    what a listener heard   ==  gain_1 * speaker 1 (delay_1 ago)  +  gain_2 * speaker 2 (delay_2 ago)  + ...

Voices are uncorrelated, so their powers add: the delays are found one by one, the gains together by least squares,
and each speaker's figure is the correlation of its envelope with what is left when the others are taken away. A
speaker who is not heard has nothing left to agree with, and a low figure.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from blink_cli.core.audio_format import SAMPLE_RATE_HZ

Samples = npt.NDArray[np.float32]
"""Mono, 48 kHz, full scale at +/-1.0."""

FRAME_SAMPLES = SAMPLE_RATE_HZ * 20 // 1000
_DELAY_STEP_SAMPLES = FRAME_SAMPLES // 4
_WANDER_SAMPLES = SAMPLE_RATE_HZ // 10
_STRETCH_FRAMES = 100
_TELLING = 0.5


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

    The delay of an adaptive playout wanders while it settles, so it is followed every 2 s, within 0.1 s of the one that
    fits best altogether.

    Args:
        heard: What the listener's speaker played during some seconds.
        spoken: By name, what each microphone took during the same seconds and the `max_delay_s` before them: arrays
            longer than `heard` by that much.
        max_delay_s: The longest mouth-to-ear delay looked for.

    """
    target = envelope(heard)
    speakers = {name: _Speech(samples, len(heard), max_delay_s) for name, samples in spoken.items()}
    # Twice: the loudest speaker's delay is found through the others' speech at first, and without it then.
    for _ in range(2):
        for name, speaker in speakers.items():
            speaker.follow(_without(target, [o for other, o in speakers.items() if other != name]))
        gains = _gains(target, {name: speaker.envelope for name, speaker in speakers.items()})
        for name, speaker in speakers.items():
            speaker.gain = gains[name]
    return {
        name: Heard(
            correlation(
                _without(target, [o for other, o in speakers.items() if other != name]), speaker.envelope
            ),
            float(np.median(speaker.delays)) / SAMPLE_RATE_HZ,
            speaker.gain,
        )
        for name, speaker in speakers.items()
    }


class _Speech:
    """One speaker's envelope, at whatever delay each stretch of it was heard."""

    def __init__(self, samples: Samples, heard_samples: int, max_delay_s: float) -> None:
        lead = round(max_delay_s * SAMPLE_RATE_HZ)
        assert len(samples) >= heard_samples + lead, (
            f"{len(samples)} samples, {heard_samples + lead} are needed"
        )
        frames = heard_samples // FRAME_SAMPLES
        self._at = {
            delay: envelope(samples, lead - delay, frames)
            for delay in range(0, lead + 1, _DELAY_STEP_SAMPLES)
        }
        self.gain = 0.0
        self.delays = [0]
        self.envelope = self._at[0]

    def follow(self, rest: npt.NDArray[np.float64]) -> None:
        """Find the delays at which this speech agrees best with what the others leave."""
        main = max(self._at, key=lambda delay: correlation(rest, self._at[delay]))
        near = [delay for delay in self._at if abs(delay - main) <= _WANDER_SAMPLES]
        self.delays, parts = [], []
        for begin in range(0, len(rest), _STRETCH_FRAMES):
            stretch = slice(begin, begin + _STRETCH_FRAMES)
            fits = {delay: correlation(rest[stretch], self._at[delay][stretch]) for delay in near}
            best = max(fits, key=fits.__getitem__)
            # A stretch in which this speaker says little tells nothing of the delay.
            self.delays.append(best if fits[best] > _TELLING else main)
            parts.append(self._at[self.delays[-1]][stretch])
        self.envelope = np.concatenate(parts)


def _without(target: npt.NDArray[np.float64], others: Iterable[_Speech]) -> npt.NDArray[np.float64]:
    power = target**2
    for other in others:
        power = power - (other.gain * other.envelope) ** 2
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
