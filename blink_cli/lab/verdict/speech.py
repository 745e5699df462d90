"""When a sound holds speech: its stretches, and where each begins."""

from typing import Final

import numpy as np
import numpy.typing as npt

from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.lab.envelopes import Samples
from blink_cli.lab.scenario.observation import Span

FRAME_S: Final = 0.01
_FRAME_SAMPLES: Final = round(FRAME_S * SAMPLE_RATE_HZ)

BELOW_SPEECH_DB: Final = 30.0
"""Softer than the loudest tenth of a second by more than this is breath and room."""

LEAST_DBFS: Final = -55.0

PAUSE_S: Final = 0.5
"""A silence behind which speech begins anew: longer than most pauses between words."""

LEAST_SPEECH_S: Final = 0.1


def levels(sound: Samples) -> npt.NDArray[np.float64]:
    """Return the RMS of each 10 ms."""
    count = len(sound) // _FRAME_SAMPLES
    frames = sound[: count * _FRAME_SAMPLES].astype(np.float64).reshape(count, _FRAME_SAMPLES)
    return np.asarray(np.sqrt(np.mean(frames**2, axis=1)), np.float64)


def active(sound: Samples) -> npt.NDArray[np.bool_]:
    """Tell of each 10 ms whether it is speech."""
    rms = levels(sound)
    if not len(rms):
        return np.zeros(0, np.bool_)
    floor = max(float(np.percentile(rms, 99)) * 10 ** (-BELOW_SPEECH_DB / 20), 10 ** (LEAST_DBFS / 20))
    return np.asarray(rms > floor, np.bool_)


def stretches(speech: npt.NDArray[np.bool_], pause_s: float = PAUSE_S) -> list[Span]:
    """Return from when to when somebody speaks, with no pause of that length in it; what is shorter than a syllable is left out."""
    places = np.flatnonzero(speech)
    if not len(places):
        return []
    groups = np.split(places, np.flatnonzero(np.diff(places) > pause_s / FRAME_S) + 1)
    return [
        (float(group[0]) * FRAME_S, float(group[-1] + 1) * FRAME_S)
        for group in groups
        if len(group) * FRAME_S >= LEAST_SPEECH_S
    ]


def gate(spans: list[Span], count: int) -> npt.NDArray[np.float32]:
    """Return ones within the spans and zeros elsewhere, one for each of so many samples."""
    ones = np.zeros(count, np.float32)
    for start_s, end_s in spans:
        ones[max(round(start_s * SAMPLE_RATE_HZ), 0) : max(round(end_s * SAMPLE_RATE_HZ), 0)] = 1.0
    return ones


def without(spans: list[Span], taken: list[Span]) -> list[Span]:
    """Return the spans but for what is taken out of them."""
    left = spans
    for start_s, end_s in taken:
        left = [
            piece
            for one in left
            for piece in ((one[0], min(one[1], start_s)), (max(one[0], end_s), one[1]))
            if piece[1] > piece[0]
        ]
    return left


def wider(spans: list[Span], before_s: float, behind_s: float) -> list[Span]:
    """Return them with so much more on each side."""
    return [(start_s - before_s, end_s + behind_s) for start_s, end_s in spans]
