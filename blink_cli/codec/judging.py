"""How good and how late excerpts came out: by the waveform, and by the judges that are installed."""

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import soxr

from blink_cli.audio.samples import Samples
from blink_cli.codec.excerpts import LONGEST_DELAY, Excerpt
from blink_cli.codec.figures import QualityFigures
from blink_cli.codec.options import Score
from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.core.errors import NotInstalledError
from blink_cli.core.progress import Progress
from blink_cli.lab.alignment import Fit, fit, snr_db
from blink_cli.lab.voice_metrics import RATE_HZ, Judge, delays_ms, pesq_wideband, visqol_speech

JUDGES: Final[dict[Score, Judge]] = {"pesq": pesq_wideband, "visqol": visqol_speech}

_AUDIBLE_RMS: Final = 10 ** (-60 / 20)
"""Below that an excerpt is a pause."""

_LONGEST_OF_A_CODEC: Final = SAMPLE_RATE_HZ // 20
"""A decoder is no later than the look-ahead and what resampling needs."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found."""

    quality: QualityFigures
    fitted_ms: float | None
    """Median delay of the fits, each of a second."""

    heard_ms: tuple[float, ...]
    """Delays of windows of speech of 0.4 s that were found again."""


def judge(
    excerpts: Sequence[Excerpt],
    scores: Sequence[Score],
    *,
    required: bool,
    stretched: bool,
    progress: Progress,
) -> Verdict:
    """Compare what was heard with what was sent.

    Args:
        excerpts: The pieces; silent ones are left out.
        scores: Which judges are asked.
        required: Whether one that is not installed is an error; else it is named.
        stretched: Whether the delay may change within a piece, so that windows of it are looked for one by one.
        progress: Told how far it is.

    Raises:
        NotInstalledError: A judge that is required.

    """
    audible = [one for one in excerpts if _rms(one.sent) >= _AUDIBLE_RMS]
    panel = _Panel(scores, required=required)
    windows: list[float] = []
    fits: list[Fit] = []
    for number, one in enumerate(audible):
        longest = LONGEST_DELAY if stretched else _LONGEST_OF_A_CODEC
        own = [
            found
            for sent, heard in _seconds(one, longest)
            if (found := fit(sent, heard, longest_delay=longest))
        ]
        fits += own
        sent, heard = _for_judges(one.sent), _for_judges(one.heard)
        late_ms = statistics.median(map(_ms, own)) if own else 0.0
        if stretched and (found_again := [delay for _, delay in delays_ms(sent, heard)]):
            windows += found_again
            late_ms = statistics.median(found_again)
        came = heard[round(max(late_ms, 0.0) * RATE_HZ / 1000) :][: len(sent)]
        panel.hear(sent, np.pad(came, (0, len(sent) - len(came))))
        progress((number + 1) / len(audible))
    if not audible and scores:
        panel.missing["pesq"] = "Nothing was judged: the sound is silent, or shorter than half a second."
    return Verdict(
        QualityFigures(
            excerpts=len(audible),
            judged_s=round(sum(len(one.sent) for one in audible) / SAMPLE_RATE_HZ, 3),
            snr_db=_rounded(snr_db(sum(one.signal for one in fits), sum(one.noise for one in fits)))
            if fits
            else None,
            gain_db=_mean([one.gain_db for one in fits]),
            pesq_wb=_mean(panel.given["pesq"]),
            visqol=_mean(panel.given["visqol"]),
            missing=tuple(panel.missing.values()),
        ),
        statistics.median(map(_ms, fits)) if fits else None,
        tuple(windows),
    )


class _Panel:
    """The judges that were asked for. One that is not installed is named once."""

    def __init__(self, scores: Sequence[Score], *, required: bool) -> None:
        self._scores = scores
        self._required = required
        self.given: dict[Score, list[float]] = {name: [] for name in JUDGES}
        self.missing: dict[Score, str] = {}

    def hear(self, sent: Samples, heard: Samples) -> None:
        """Have both judged."""
        for name in self._scores:
            if name in self.missing:
                continue
            try:
                self.given[name].append(JUDGES[name](sent, heard))
            except NotInstalledError as error:
                if self._required:
                    raise
                self.missing[name] = f"{error.message} {error.hint}"


def _seconds(excerpt: Excerpt, longest_delay: int) -> Iterator[tuple[Samples, Samples]]:
    """Its audible seconds, since the delay may change from one to the next: what was sent, and that time and more of what was heard."""
    for at in range(0, len(excerpt.sent), SAMPLE_RATE_HZ):
        sent = excerpt.sent[at : at + SAMPLE_RATE_HZ]
        if _rms(sent) >= _AUDIBLE_RMS:
            yield sent, excerpt.heard[at : at + len(sent) + longest_delay]


def _ms(found: Fit) -> float:
    return 1000 * found.delay_samples / SAMPLE_RATE_HZ


def _mean(values: list[float]) -> float | None:
    return _rounded(statistics.mean(values)) if values else None


def _rounded(value: float) -> float:
    return round(value, 2)


def _rms(samples: Samples) -> float:
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64)))) if len(samples) else 0.0


def _for_judges(samples: Samples) -> Samples:
    return np.asarray(soxr.resample(samples, SAMPLE_RATE_HZ, RATE_HZ), np.float32)
