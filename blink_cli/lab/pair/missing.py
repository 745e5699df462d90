"""Stretches in which a voice should sound, and nothing does: gaps, and starts of phrases that were cut off.

What is missing is judged sample by sample: so soft that it is no part of the voice, where what was sent is audible there and is not soft itself. What was made up in
place of a lost packet sounds, and is no gap; a pause of the speaker is none either.
"""

import itertools
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.lab.pair.delays import Integers
from blink_cli.lab.spoken_phrases import AUDIBLE_BELOW_SPEECH_DB, SHORTEST_GAP_S, lasting
from blink_cli.lab.voice_metrics import RATE_HZ, Samples

SHORTEST_S: Final = 0.01
"""Of a gap that is told. Shorter ones are crackle: see `clicks`."""

SHORTEST_CUT_S: Final = 0.015
"""Of a start that was cut off: a codec at a low bit rate leaves out the first 10 ms of a soft consonant."""

_SOFT_DB: Final = 32.0
"""So far below the voice around it is nothing of it."""

_CONTRAST_DB: Final = 12.0
"""So much louder must that be which was sent there."""

_AROUND: Final = RATE_HZ // 100
"""10 ms to each side: how loud the voice is around a sample."""

_BLOCK: Final = RATE_HZ // 500
"""2 ms: how finely the beginning of a phrase is told."""

_RINGING: Final = RATE_HZ // 2000
"""0.5 ms: what rings at the edges of a gap does not divide it."""

_SOFT_MOMENT: Final = 3 * RATE_HZ // 100
"""30 ms: between the sounds of a word it is softer."""

_LATE_START_S: Final = 0.01
"""A gap that begins so soon behind the beginning of a phrase is a start that was cut off."""

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Missing:
    """One stretch, in seconds of what was heard."""

    at_s: float
    duration_s: float


@dataclass(frozen=True, slots=True)
class MissingSound:
    """All of them."""

    gaps: tuple[Missing, ...]
    clipped_starts: tuple[Missing, ...]
    """Each from where its phrase should begin."""

    starts: int
    """How many phrases begin in what was compared, behind a pause of 0.15 s or more (`spoken_phrases.lasting`)."""


def missing_sound(sent: Samples, heard: Samples, sources: Integers, gain: float) -> MissingSound:
    """Find what is missing.

    Args:
        sent: What was sent.
        heard: What was heard.
        sources: From which sample of the one each of the other comes.
        gain: By which factor it is louder as it was heard.

    """
    around = level_around(sent)
    speech = _speech_level(around)
    audible_from = speech * 10 ** (-AUDIBLE_BELOW_SPEECH_DB / 20)
    audible = around > audible_from
    inside = (sources >= 0) & (sources < len(sent))
    places = np.clip(sources, 0, len(sent) - 1)
    expected = np.where(inside, around[places], 0.0) * gain
    quiet = np.abs(heard) < expected * 10 ** (-_SOFT_DB / 20)
    missing = _bridged(quiet & audible[places] & inside, quiet)
    onsets = _onsets(sent, audible_from, sources)
    gaps: list[Missing] = []
    starts: list[Missing] = []
    for first, last in _runs(missing, quiet):
        said = gain * _rms(sent[places[first:last]])
        if said < _rms(heard[first:last]) * 10 ** (_CONTRAST_DB / 20) or said < 2 * float(
            np.mean(expected[first:last])
        ) * 10 ** (-_SOFT_DB / 20):
            continue
        begun = [one for one in onsets if first - _LATE_START_S * RATE_HZ <= one < last]
        if begun:
            starts.append(_stretch(begun[0], last))
        elif last - first >= SHORTEST_S * RATE_HZ:
            gaps.append(_stretch(first, last))
    cut = tuple(one for one in starts if one.duration_s >= SHORTEST_CUT_S)
    return MissingSound(tuple(gaps), cut, len(onsets))


def level_around(sound: Samples) -> Floats:
    """Return the RMS of the 20 ms around each sample."""
    squares = np.concatenate(([0.0], np.cumsum(sound.astype(np.float64) ** 2)))
    at = np.arange(len(sound))
    first, last = np.maximum(at - _AROUND, 0), np.minimum(at + _AROUND, len(sound))
    level: Floats = np.sqrt(np.maximum(squares[last] - squares[first], 0.0) / (last - first))
    return level


def _speech_level(around: Floats) -> float:
    loud = around[around > 0.1 * around.max(initial=0.0)]
    return float(np.sqrt(np.mean(loud**2))) if len(loud) else 0.0


def _onsets(sent: Samples, audible_from: float, sources: Integers) -> list[int]:
    """Where phrases should begin in what was heard, in samples: those in the part that was compared."""
    whole = len(sent) // _BLOCK * _BLOCK
    levels = np.sqrt(np.mean(sent[:whole].reshape(-1, _BLOCK).astype(np.float64) ** 2, axis=1))
    heard = levels > audible_from
    begins = lasting(heard, _BLOCK * SAMPLE_RATE_HZ // RATE_HZ)
    blocks = np.flatnonzero(heard)
    pauses = np.flatnonzero(np.diff(blocks) * _BLOCK >= SHORTEST_GAP_S * RATE_HZ) + 1
    phrases = (one[begins[one]] for one in np.split(blocks, pauses))
    onsets = []
    for begun in (int(one[0]) * _BLOCK for one in phrases if len(one)):
        there = np.flatnonzero(sources >= begun)
        if len(there) and sources[there[0]] - begun < RATE_HZ // 10:
            onsets.append(int(there[0]))
    return onsets


def _bridged(missing: Flags, quiet: Flags) -> Flags:
    """The flags, also where what is missing would have been too soft for a moment, and without what rings."""
    closed = missing.copy()
    edges = np.flatnonzero(np.diff(missing.astype(np.int8)))
    for end, begin in itertools.pairwise(edges):
        between = slice(end + 1, begin + 1)
        length = begin - end
        if missing[end] and (length <= _RINGING or (length <= _SOFT_MOMENT and quiet[between].all())):
            closed[between] = True
    return closed


def _runs(missing: Flags, quiet: Flags) -> list[tuple[int, int]]:
    """The stretches, each as far as it is quiet to both sides where it would have been soft."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], missing, [False])).astype(np.int8)))
    return [
        (
            int(first) - _quiet_from(quiet[max(first - _SOFT_MOMENT, 0) : first][::-1]),
            int(last) + _quiet_from(quiet[last : last + _SOFT_MOMENT]),
        )
        for first, last in zip(edges[::2], edges[1::2], strict=True)
        if last - first > _RINGING
    ]


def _quiet_from(quiet: Flags) -> int:
    loud = np.flatnonzero(~quiet)
    return int(loud[0]) if len(loud) else len(quiet)


def _stretch(first: int, last: int) -> Missing:
    return Missing(first / RATE_HZ, (last - first) / RATE_HZ)


def _rms(sound: Samples) -> float:
    return float(np.sqrt(np.mean(sound.astype(np.float64) ** 2))) if len(sound) else 0.0
