"""What became of a sound on its way: everything that can be told from the two waveforms, without a judge."""

import itertools
from dataclasses import dataclass
from typing import Final

import numpy as np

from blink_cli.lab.pair.clicks import clicks
from blink_cli.lab.pair.delays import Delays, windowed_delays
from blink_cli.lab.pair.missing import Missing, MissingSound, missing_sound
from blink_cli.lab.pair.offset import offset_samples
from blink_cli.lab.voice_metrics import RATE_HZ, WINDOW_S, Samples

_STRETCH: Final = 120 * RATE_HZ
_PAUSE: Final = RATE_HZ // 4
_MARGIN: Final = RATE_HZ
"""Beside a stretch: where its first phrase begins, and how loud it is around its ends, is seen from there."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was found."""

    delays: Delays
    level_change_db: float
    """By how much louder it was heard: the median over the windows."""

    missing: MissingSound
    clicks: tuple[float, ...]
    """In seconds of what was heard."""


def compare(sent: Samples, heard: Samples) -> Comparison | None:
    """Compare two sounds, mono at 16 kHz, of any length; None where nothing of the one is found in the other. Some seconds for each minute."""
    offset = offset_samples(sent, heard)
    if offset is None:
        return None
    delays = windowed_delays(sent, heard, offset)
    if not delays.windows:
        return None
    change_db = _level_change_db(sent, heard, delays)
    gain = 10 ** (change_db / 20)
    gaps: list[Missing] = []
    starts: list[Missing] = []
    clicked: list[float] = []
    starts_compared = 0
    for first, last in _stretches(heard):
        sources = delays.sources(first, last)
        beside = max(int(sources.min()) - _MARGIN, 0)
        said = sent[beside : max(int(sources.max()) + _MARGIN, beside)]
        if not len(said):
            continue
        came = heard[first:last]
        found = missing_sound(said, came, sources - beside, gain)
        at_s = first / RATE_HZ
        clicked += [
            one + at_s
            for one in clicks(said, came, sources - beside, gain, (*found.gaps, *found.clipped_starts))
        ]
        gaps += [Missing(one.at_s + at_s, one.duration_s) for one in found.gaps]
        starts += [Missing(one.at_s + at_s, one.duration_s) for one in found.clipped_starts]
        starts_compared += found.starts
    return Comparison(
        delays, change_db, MissingSound(tuple(gaps), tuple(starts), starts_compared), tuple(clicked)
    )


def _stretches(heard: Samples) -> list[tuple[int, int]]:
    """What is looked at sample by sample at once: at most two minutes, so that an hour needs no more memory, parted in the longest pause of the last half of each."""
    borders = [0]
    while len(heard) - borders[-1] > _STRETCH:
        middle = borders[-1] + _STRETCH // 2
        part = heard[middle : middle + _STRETCH // 2]
        whole = len(part) // _PAUSE * _PAUSE
        powers = np.mean(part[:whole].reshape(-1, _PAUSE).astype(np.float64) ** 2, axis=1)
        borders.append(middle + int(np.argmin(powers)) * _PAUSE + _PAUSE // 2)
    return list(itertools.pairwise([*borders, len(heard)]))


def _level_change_db(sent: Samples, heard: Samples, delays: Delays) -> float:
    size = round(WINDOW_S * RATE_HZ)
    changes = []
    for one in delays.windows:
        said = round((one.at_s - WINDOW_S / 2) * RATE_HZ)
        came = round((one.at_s - WINDOW_S / 2 + one.delay_s) * RATE_HZ)
        if came < 0 or came + size > len(heard):
            continue
        power = _power(sent[said : said + size])
        if power > 0.0:
            changes.append(_power(heard[came : came + size]) / power)
    return 10 * float(np.log10(max(float(np.median(changes)), 1e-12))) if changes else 0.0


def _power(sound: Samples) -> float:
    return float(np.mean(sound.astype(np.float64) ** 2))
