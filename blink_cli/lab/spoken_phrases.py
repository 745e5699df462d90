"""Recorded speech with known pauses: phrases cut out of the laboratory's recording, and put apart.

When a phrase begins is a definition: with the first 5 ms that a listener can hear as part of it, see `onset`.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from blink_cli.audio.samples import Samples
from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.lab.voices import voice

ENVELOPE_SAMPLES: Final = 240
"""5 ms."""

AUDIBLE_BELOW_SPEECH_DB: Final = 30.0
"""Softer than the speech by more than this is breath and room."""

ONSET_S: Final = 0.06
ONSET_SHARE: Final = 2 / 3
"""A phrase has begun when so much of the next 60 ms is audible: lips that click a tenth of a second before say nothing."""

SHORTEST_GAP_S: Final = 0.15
"""A silence from which on the recording is cut: words of one breath stay together."""

SHORTEST_PHRASE_S: Final = 0.4


Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Spoken:
    """Speech at 48 kHz."""

    sound: Samples
    phrases: tuple[tuple[float, float], ...]
    """Where each begins (`onset`) and ends in the sound, in seconds."""


def with_pauses(index: int, *, pause_s: float, level_dbfs: float, noise_dbfs: float) -> Spoken:
    """Return one voice of the laboratory with pauses of `pause_s` between its phrases, in the white noise of a room."""
    phrases = _phrases(voice(index, 20.0))
    active = np.sqrt(np.mean(np.concatenate(phrases) ** 2))
    parts: list[Samples] = [np.zeros(round(2 * SAMPLE_RATE_HZ), np.float32)]
    places: list[tuple[float, float]] = []
    at = len(parts[0])
    for number, phrase in enumerate(phrases):
        # 3 ms more each time: every place of a frame and of a window is begun at.
        pause = np.zeros(round((pause_s + 0.003 * number) * SAMPLE_RATE_HZ), np.float32)
        said = phrase * np.float32(10 ** (level_dbfs / 20) / active)
        begin = at + onset(said, max(level_dbfs - AUDIBLE_BELOW_SPEECH_DB, noise_dbfs))
        places.append((begin / SAMPLE_RATE_HZ, (at + len(phrase)) / SAMPLE_RATE_HZ))
        parts += [said, pause]
        at += len(phrase) + len(pause)
    sound = np.concatenate(parts)
    return Spoken(sound + noise(len(sound), noise_dbfs, seed=index), tuple(places))


def onset(phrase: Samples, audible_dbfs: float) -> int:
    """Return the sample from which on a phrase is audible: 5 ms are, and most of the 60 ms that begin with them.

    Args:
        phrase: At 48 kHz, without the noise of the room.
        audible_dbfs: What is softer is not heard: the room, or what is far below the speech.

    """
    begun = np.flatnonzero(lasting(_envelope(phrase) >= 10 ** (audible_dbfs / 20), ENVELOPE_SAMPLES))
    return int(begun[0]) * ENVELOPE_SAMPLES if len(begun) else 0


def lasting(audible: Flags, block_samples: int) -> Flags:
    """Return which blocks may be the first of a phrase: audible, as most of the 60 ms are that begin with them.

    Args:
        audible: Which blocks are.
        block_samples: How long each is, at 48 kHz.

    """
    reach = round(ONSET_S * SAMPLE_RATE_HZ / block_samples)
    counted = np.concatenate(([0], np.cumsum(audible)))
    ends = np.minimum(np.arange(len(audible)) + reach, len(audible))
    found: Flags = audible & (counted[ends] - counted[:-1] >= ONSET_SHARE * reach)
    return found


def noise(samples: int, level_dbfs: float, *, seed: int) -> Samples:
    """Return white noise, as a fan or a room is to a microphone's ear."""
    drawn = np.random.default_rng(seed).standard_normal(samples, dtype=np.float32)
    return drawn * np.float32(10 ** (level_dbfs / 20))


def _phrases(speech: Samples) -> list[Samples]:
    envelope = _envelope(speech)
    active = np.sqrt(np.mean(envelope[envelope > 0.1 * envelope.max()] ** 2))
    audible = np.flatnonzero(envelope > active * 10 ** (-AUDIBLE_BELOW_SPEECH_DB / 20))
    gap = round(SHORTEST_GAP_S * SAMPLE_RATE_HZ / ENVELOPE_SAMPLES)
    groups = np.split(audible, np.flatnonzero(np.diff(audible) > gap) + 1)
    cut = (speech[one[0] * ENVELOPE_SAMPLES : (one[-1] + 1) * ENVELOPE_SAMPLES] for one in groups)
    return [one for one in cut if len(one) >= SHORTEST_PHRASE_S * SAMPLE_RATE_HZ]


def _envelope(sound: Samples) -> Samples:
    """RMS of each whole 5 ms."""
    whole = len(sound) // ENVELOPE_SAMPLES * ENVELOPE_SAMPLES
    return np.asarray(np.sqrt(np.mean(sound[:whole].reshape(-1, ENVELOPE_SAMPLES) ** 2, axis=1)))
