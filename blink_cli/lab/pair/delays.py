"""The delay of each window of speech, and what it does over time: steps, drift, and the way back from heard to sent."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from blink_cli.lab.voice_metrics import RATE_HZ, WINDOW_S, Samples, found_again

_EARLIER_S: Final = 0.4
"""How much less than the common offset a delay may be; it may be 1.2 s more."""

_USUAL_RMS: Final = 0.1
"""To which both are brought: which windows are speech is asked of a usual loudness."""

_STEP_S: Final = 0.1
_STEP_OF_LONG_S: Final = 0.5
_LONG_S: Final = 300.0

_NEIGHBOURS: Final = 4
"""Windows to each side that tell a stray."""

STEP_FROM_MS: Final = 2.0
"""Less than this between two windows is drift."""

_SHORTEST_SLOPE_S: Final = 1.0
_SHORTEST_DRIFT_S: Final = 5.0

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Window:
    """0.4 s of speech that were found again."""

    at_s: float
    """Its middle, in what was sent."""

    delay_s: float


@dataclass(frozen=True, slots=True)
class Step:
    """The delay is another from here on."""

    at_s: float
    """In what was heard."""

    by_s: float


@dataclass(frozen=True, slots=True)
class Delays:
    """All windows that were found, in their order."""

    windows: tuple[Window, ...]
    looked_for: int
    """How many windows held speech."""

    def sources(self, first: int, last: int) -> Integers:
        """Return from which sample of what was sent each sample of a stretch of what was heard comes, by the window next to it; it may lie outside."""
        places = np.array([round((one.at_s + one.delay_s) * RATE_HZ) for one in self.windows], np.int64)
        delays = np.array([round(one.delay_s * RATE_HZ) for one in self.windows], np.int64)
        order = np.argsort(places, kind="stable")
        places, delays = places[order], delays[order]
        borders = (places[1:] + places[:-1]) // 2
        samples = np.arange(first, last, dtype=np.int64)
        return samples - delays[np.searchsorted(borders, samples, side="right")]

    def steps(self) -> tuple[Step, ...]:
        """Return where the delay changes at once."""
        return tuple(
            Step(later.at_s + later.delay_s, later.delay_s - earlier.delay_s)
            for earlier, later in itertools.pairwise(self.windows)
            if 1000 * abs(later.delay_s - earlier.delay_s) >= STEP_FROM_MS
        )

    def drift_ppm(self) -> float | None:
        """Return how fast the delay grows between its steps: by how much the listener's clock is slower. None where there is too little to tell."""
        runs: list[list[Window]] = [[]]
        for one in self.windows:
            if runs[-1] and 1000 * abs(one.delay_s - runs[-1][-1].delay_s) >= STEP_FROM_MS:
                runs.append([])
            runs[-1].append(one)
        slope = span_s = weight = 0.0
        for run in runs:
            at = np.array([one.at_s for one in run])
            if at[-1] - at[0] < _SHORTEST_SLOPE_S:
                continue
            away = at - at.mean()
            slope += float(away @ np.array([one.delay_s for one in run]))
            weight += float(away @ away)
            span_s += float(at[-1] - at[0])
        return 1e6 * slope / weight if span_s >= _SHORTEST_DRIFT_S else None


def windowed_delays(sent: Samples, heard: Samples, offset: int) -> Delays:
    """Find each window of speech of what was sent in what was heard.

    Args:
        sent: What was sent.
        heard: What was heard.
        offset: Where it lies in it, in samples.

    """
    earliest = offset - round(_EARLIER_S * RATE_HZ)
    from_there = heard[earliest:] if earliest >= 0 else np.pad(heard, (-earliest, 0))
    step_s = _STEP_S if len(sent) <= _LONG_S * RATE_HZ else _STEP_OF_LONG_S
    found = found_again(_usual(sent), _usual(from_there), step_s=step_s)
    windows = [
        Window(at_s + WINDOW_S / 2, delay_ms / 1000 + earliest / RATE_HZ) for at_s, delay_ms in found.windows
    ]
    return Delays(tuple(_without_strays(windows)), found.looked_for)


def _without_strays(windows: Sequence[Window]) -> list[Window]:
    """Leave out what was found in a wrong place, since periods of a vowel are alike: delays beside both those before and those behind, and not on the way from the one to the other."""
    kept = []
    for place, one in enumerate(windows):
        sides = (windows[max(place - _NEIGHBOURS, 0) : place], windows[place + 1 : place + 1 + _NEIGHBOURS])
        usual = [float(np.median([other.delay_s for other in side])) for side in sides if side]
        slack_s = STEP_FROM_MS / 1000
        if not usual or min(usual) - slack_s < one.delay_s < max(usual) + slack_s:
            kept.append(one)
    return kept


def _usual(sound: Samples) -> Samples:
    """The sound, as loud as speech usually is where it is loud: the scale says nothing of the delay."""
    block = RATE_HZ // 50
    whole = len(sound) // block * block
    levels = np.sqrt(np.mean(sound[:whole].reshape(-1, block).astype(np.float64) ** 2, axis=1))
    loud = levels[levels > 0.1 * levels.max(initial=0.0)]
    level = float(np.sqrt(np.mean(loud**2))) if len(loud) else 0.0
    return sound if level == 0.0 else np.asarray(sound * np.float32(_USUAL_RMS / level), np.float32)
