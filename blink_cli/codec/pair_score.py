"""What was heard against what was sent: two files of any kind, rate, number of channels and length, compared by `lab.pair` and judged by PESQ.

Both become one voice at 16 kHz, as a call makes one of a device's channels; all that is told is found there.
"""

import itertools
import statistics
from collections.abc import Sequence
from typing import Final

import numpy as np

from blink_cli.audio.samples import Samples
from blink_cli.codec.conversion import Conversion
from blink_cli.codec.figures import (
    DelayAt,
    DelayStep,
    MissingStretch,
    PairDelay,
    ScoreDone,
    SoundFile,
)
from blink_cli.codec.options import Source
from blink_cli.codec.rates import LevelMeter, share_done
from blink_cli.codec.sound_reader import file_read, open_sound
from blink_cli.core.errors import NotInstalledError, UsageError
from blink_cli.core.progress import Progress
from blink_cli.core.text.path_text import shown
from blink_cli.lab.pair.comparison import Comparison, compare
from blink_cli.lab.pair.delays import Delays
from blink_cli.lab.pair.missing import Missing
from blink_cli.lab.voice_metrics import RATE_HZ, pesq_wideband

LONGEST_S: Final = 3600.0
"""All of both is held: an hour takes some 2 GB of memory."""

PIECE_S: Final = 10.0
"""ITU-T P.862 was made for sentences of 8 to 20 s."""

MOST_PIECES: Final = 30
_SHORTEST_PIECE_S: Final = 0.5
_AUDIBLE_RMS: Final = 10 ** (-60 / 20)

_READ: Final = 0.3
_COMPARED: Final = 0.7
"""Shares of the work that are done then."""


def score(heard: Source, sent: Source, progress: Progress) -> ScoreDone:
    """Compare two files. Blocks, some seconds for each minute of sound.

    Raises:
        BlinkError: One cannot be read.
        UsageError: One is no sound, or too long; or nothing was sent.

    """
    said, sent_file = _read(sent, lambda done: progress(done * _READ / 2))
    came, heard_file = _read(heard, lambda done: progress((1 + done) * _READ / 2))
    if not np.any(said):
        raise UsageError(
            f"{shown(sent.path)} is silent: there is nothing to compare.",
            hint="Name what was heard first, then what was sent.",
        )
    found = compare(said, came)
    progress(_COMPARED)
    judged = _judge(said, came, found, lambda done: progress(_COMPARED + done * (1 - _COMPARED)))
    return ScoreDone(
        heard=heard_file,
        sent=sent_file,
        found_share=None if found is None else round(len(found.delays.windows) / found.delays.looked_for, 4),
        delay=None if found is None else _delay(found.delays),
        level_change_db=None if found is None else round(found.level_change_db, 2),
        gaps=() if found is None else _stretches(found.missing.gaps),
        clipped_starts=() if found is None else _stretches(found.missing.clipped_starts),
        starts=0 if found is None else found.missing.starts,
        clicks=() if found is None else tuple(round(at_s, 3) for at_s in found.clicks),
        pesq_wb=None if not judged.scores else round(statistics.mean(judged.scores), 2),
        pesq_wb_lowest=None if not judged.scores else round(min(judged.scores), 2),
        pesq_wb_lowest_at_s=judged.lowest_at_s,
        judged_s=round(judged.seconds, 2),
        missing=tuple(judged.missing),
    )


def _read(source: Source, progress: Progress) -> tuple[Samples, SoundFile]:
    """A whole file as one voice at 16 kHz, and what kind of file it is."""
    with open_sound(source) as reader:
        form = reader.form
        conversion, level = Conversion(form.rate_hz, form.channels, RATE_HZ, 1), LevelMeter()
        parts: list[Samples] = []
        for block in reader.blocks():
            level.take(block)
            if level.frames > LONGEST_S * form.rate_hz:
                raise UsageError(
                    f"{shown(source.path)} is longer than {LONGEST_S / 60:g} minutes.",
                    hint="Cut out the part that is to be compared.",
                )
            parts.append(conversion.convert(block)[:, 0].copy())
            progress(share_done(level.frames, form.frames))
        parts.append(conversion.finish()[:, 0])
    return np.concatenate(parts), file_read(source.path, form, level)


def _delay(delays: Delays) -> PairDelay:
    values_ms = np.array([1000 * one.delay_s for one in delays.windows])
    seconds: dict[int, list[float]] = {}
    for one in delays.windows:
        seconds.setdefault(int(one.at_s + one.delay_s), []).append(1000 * one.delay_s)
    drift_ppm = delays.drift_ppm()
    return PairDelay(
        median_ms=_ms(float(np.median(values_ms))),
        lowest_ms=_ms(float(values_ms.min())),
        p95_ms=_ms(float(np.percentile(values_ms, 95))),
        highest_ms=_ms(float(values_ms.max())),
        drift_ppm=None if drift_ppm is None else round(drift_ppm, 1) + 0.0,
        steps=tuple(
            DelayStep(at_s=round(step.at_s, 2), by_ms=_ms(1000 * step.by_s)) for step in delays.steps()
        ),
        over_time=tuple(
            DelayAt(at_s=second + 0.5, delay_ms=_ms(statistics.median(found)))
            for second, found in sorted(seconds.items())
        ),
    )


def _stretches(found: Sequence[Missing]) -> tuple[MissingStretch, ...]:
    return tuple(
        MissingStretch(at_s=round(one.at_s, 3), duration_ms=round(1000 * one.duration_s, 1)) for one in found
    )


class _Judged:
    """What PESQ said of the pieces."""

    def __init__(self) -> None:
        self.scores: list[float] = []
        self.lowest_at_s: float | None = None
        self.seconds = 0.0
        self.missing: list[str] = []

    def add(self, score: float, at_s: float, seconds: float) -> None:
        if not self.scores or score < min(self.scores):
            self.lowest_at_s = round(at_s, 2)
        self.scores.append(score)
        self.seconds += seconds


def _judge(said: Samples, came: Samples, found: Comparison | None, progress: Progress) -> _Judged:
    judged = _Judged()
    windows = () if found is None else found.delays.windows
    delays = np.array([one.delay_s for one in windows]) if windows else np.zeros(1)
    places = np.array([one.at_s for one in windows]) if windows else np.zeros(1)
    pieces = _pieces(said, came, float(np.median(delays)))
    for number, (first, last) in enumerate(pieces):
        here = delays[(places >= first / RATE_HZ) & (places < last / RATE_HZ)]
        delay = round(float(np.median(here if len(here) else delays)) * RATE_HZ)
        reference = said[first:last]
        if float(np.sqrt(np.mean(reference.astype(np.float64) ** 2))) >= _AUDIBLE_RMS:
            try:
                score = pesq_wideband(reference, _slice(came, first + delay, last + delay))
            except NotInstalledError as error:
                judged.missing.append(f"{error.message} {error.hint}")
                break
            judged.add(score, first / RATE_HZ, (last - first) / RATE_HZ)
        progress((number + 1) / len(pieces))
    if not judged.scores and not judged.missing:
        judged.missing.append("PESQ was not asked: both files hold less than half a second of the same time.")
    return judged


def _pieces(said: Samples, came: Samples, delay_s: float) -> list[tuple[int, int]]:
    """Stretches of what was sent that are in what was heard as well: all of it, or some of them, spread evenly."""
    delay = round(delay_s * RATE_HZ)
    first, last = max(0, -delay), min(len(said), len(came) - delay)
    if last - first < _SHORTEST_PIECE_S * RATE_HZ:
        return []
    count = max(round((last - first) / (PIECE_S * RATE_HZ)), 1)
    borders = [first + (last - first) * number // count for number in range(count + 1)]
    pieces = list(itertools.pairwise(borders))
    if count > MOST_PIECES:
        pieces = [pieces[number * (count - 1) // (MOST_PIECES - 1)] for number in range(MOST_PIECES)]
    return pieces


def _slice(sound: Samples, first: int, last: int) -> Samples:
    """A stretch; silence where there is none."""
    there = sound[max(first, 0) : max(last, 0)]
    return np.pad(there, (max(-first, 0), last - max(first, 0) - len(there)))


def _ms(value: float) -> float:
    return round(value, 2) + 0.0  # no -0.0
