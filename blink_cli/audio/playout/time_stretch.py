"""Shortens or lengthens sound by whole pitch periods, so that a listener does not notice.

    shorten   a b c d e f        a, then a cross-fade from b to d where they look alike, then e f
    lengthen  a b c d e f        a b, then a cross-fade from c back to the b before it, then c d e f again

Source: W. Verhelst and M. Roelands, "An overlap-add technique based on waveform similarity (WSOLA)", ICASSP 1993.
"""

from typing import Final, NamedTuple

import numpy as np

from blink_cli.audio.playout.block import Block
from blink_cli.core.audio_format import SAMPLE_RATE_HZ

_MS: Final = SAMPLE_RATE_HZ // 1000

OVERLAP_SAMPLES: Final = 5 * _MS
"""Length of a cross-fade, and of the piece that is compared."""

SHORTEST_PERIOD_SAMPLES: Final = 5 * _MS // 2
LONGEST_PERIOD_SAMPLES: Final = 15 * _MS
"""From 400 Hz down to 67 Hz; a high voice is moved by several periods at once."""

_DECIMATION: Final = 4
"""The coarse search runs at 12 kHz, where pitch lives; the fine one at the full rate around its best."""

_QUIET_RMS: Final = 10 ** (-50 / 20)
"""Below -50 dBFS any place is as good as another."""

_FADE_IN: Final[Block] = (
    0.5 - 0.5 * np.cos(np.pi * (np.arange(OVERLAP_SAMPLES) + 0.5) / OVERLAP_SAMPLES)
).astype(np.float32)
_FADE_OUT: Final[Block] = (1 - _FADE_IN).astype(np.float32)


class Splice(NamedTuple):
    """A place where sound can be joined to itself."""

    period_samples: int
    likeness: float
    """Normalised correlation of the two sides, -1 to 1; 1 when both are quiet."""


def shortening(sound: Block, longest: int = LONGEST_PERIOD_SAMPLES) -> Splice | None:
    """The best splice that leaves out a part of the beginning of `sound`; None when it is too short."""
    longest = min(longest, LONGEST_PERIOD_SAMPLES, len(sound) - OVERLAP_SAMPLES)
    if longest <= SHORTEST_PERIOD_SAMPLES:
        return None
    return _best(
        sound[:OVERLAP_SAMPLES], sound[SHORTEST_PERIOD_SAMPLES : longest + OVERLAP_SAMPLES], backwards=False
    )


def shorten(sound: Block, splice: Splice) -> Block:
    """`sound` without `splice.period_samples` samples; a new array."""
    start = splice.period_samples
    joined = sound[:OVERLAP_SAMPLES] * _FADE_OUT + sound[start : start + OVERLAP_SAMPLES] * _FADE_IN
    return np.concatenate((joined, sound[start + OVERLAP_SAMPLES :]))


def lengthening(past: Block, sound: Block, longest: int = LONGEST_PERIOD_SAMPLES) -> Splice | None:
    """The best splice that repeats the end of `past` (what was just played) before `sound`; None when either is too short."""
    longest = min(longest, LONGEST_PERIOD_SAMPLES, len(past))
    if longest <= SHORTEST_PERIOD_SAMPLES or len(sound) < OVERLAP_SAMPLES:
        return None
    both = np.concatenate((past[len(past) - longest :], sound[:OVERLAP_SAMPLES]))
    return _best(
        sound[:OVERLAP_SAMPLES], both[: longest - SHORTEST_PERIOD_SAMPLES + OVERLAP_SAMPLES], backwards=True
    )


def lengthen(past: Block, sound: Block, splice: Splice) -> Block:
    """What follows `past` instead of `sound`: `splice.period_samples` samples more; a new array."""
    both = np.concatenate((past[len(past) - splice.period_samples :], sound))
    joined = sound[:OVERLAP_SAMPLES] * _FADE_OUT + both[:OVERLAP_SAMPLES] * _FADE_IN
    return np.concatenate((joined, both[OVERLAP_SAMPLES:]))


def _best(template: Block, region: Block, *, backwards: bool) -> Splice:
    """Where `template` fits best into `region`, as the distance from its own place."""
    places = len(region) - len(template)
    coarse_template = template.reshape(-1, _DECIMATION).mean(axis=1)
    coarse_region = region[: len(region) // _DECIMATION * _DECIMATION].reshape(-1, _DECIMATION).mean(axis=1)
    coarse = int(np.argmax(_likeness(coarse_template, coarse_region))) * _DECIMATION
    first = max(0, coarse - _DECIMATION)
    last = min(places, coarse + _DECIMATION)
    fine = _likeness(template, region[first : last + len(template)])
    best = int(np.argmax(fine))
    place = first + best
    period = SHORTEST_PERIOD_SAMPLES + (places - place if backwards else place)
    return Splice(period, float(fine[best]))


def _likeness(template: Block, region: Block) -> Block:
    """Normalised correlation of `template` with every place of `region`."""
    size = len(template)
    products = np.correlate(region, template)
    squares = np.empty(len(region) + 1, np.float64)
    squares[0] = 0
    np.cumsum(region * region, out=squares[1:])
    energies = squares[size:] - squares[:-size]
    floor = size * _QUIET_RMS**2
    own = float(template @ template)
    if own < floor:
        # Nothing to hear here: the quietest continuation is the best one.
        quiet: Block = np.clip(2 - energies / floor, -1, 1).astype(np.float32)
        return quiet
    likeness: Block = (products / np.sqrt(own * np.maximum(energies, floor))).astype(np.float32)
    return likeness
