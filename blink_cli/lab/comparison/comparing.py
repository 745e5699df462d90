"""Holds two reports against each other.

    cases of A, of B ──> the same case, seed by seed ──> a difference each ──> mean, interval (Student's t) ──> verdict

A figure is worse when the whole interval of its difference is on the bad side. There are as many chances of a false alarm as there are rows; so each interval
is as much wider as it must be that all of them together hold with 95 % (Bonferroni). Two voices of one call are not independent, so that a case counts once for
each seed: with the mean of its voices.
"""

import math
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from blink_cli.core.errors import UsageError
from blink_cli.lab.comparison.document import Comparison, ComparisonRow, Verdict, VoiceDifference
from blink_cli.lab.comparison.figures import FIGURES, ComparedFigure
from blink_cli.lab.comparison.student_t import two_sided
from blink_cli.lab.verdict.report import CaseResult, LabReport

CONFIDENCE: Final = 0.95
LEAST_SEEDS: Final = 5
"""Of fewer runs one cannot tell: figures that go in steps often differ by the same step three times in a row, by chance."""

Voice = tuple[str, str]
Key = tuple[str, str]
"""A case without its seed, and its engine."""


def compare(a: LabReport, b: LabReport, *, allowed: Sequence[str] = ()) -> Comparison:
    """Compare what has become of A in B.

    Args:
        a: Before.
        b: After.
        allowed: Names of figures that may become worse.

    Raises:
        UsageError: There is no such figure, or the reports have no case in common.

    """
    known = [figure.name for figure in FIGURES]
    for name in allowed:
        if name not in known:
            raise UsageError(f"There is no figure {name!r} to allow.", hint=f"Choose of {', '.join(known)}.")
    runs_a, runs_b = _runs(a), _runs(b)
    common = [key for key in runs_a if key in runs_b]
    ran = {(key, seed) for key, cases in runs_a.items() for seed in cases}
    failed = tuple(case.name for case in b.cases if case.error is not None and (_key(case), case.seed) in ran)
    if not common and not failed:
        raise UsageError(
            "These reports have no case in common.",
            hint="Compare runs of the same scenario, by its name, and of the same engine.",
        )
    samples = [
        sample
        for key in common
        for figure in FIGURES
        if (sample := _sample(key, figure, runs_a[key], runs_b[key])) is not None
    ]
    keys_b = {_key(case) for case in b.cases}
    judged = sum(1 for one in samples if one.spread is not None)
    rows = tuple(_row(one, judged, allowed) for one in samples)
    counts = {verdict: sum(1 for row in rows if row.verdict == verdict) for verdict in _VERDICTS}
    return Comparison(
        outcome="worse"
        if failed or any(row.verdict == "worse" and not row.allowed for row in rows)
        else "not_worse",
        confidence=CONFIDENCE,
        comparisons=judged,
        better=counts["better"],
        worse=counts["worse"],
        different=counts["different"],
        no_difference_shown=counts["no_difference_shown"],
        cannot_tell=counts["cannot_tell"],
        rows=rows,
        only_in_a=tuple(key[0] for key in runs_a if key not in keys_b),
        only_in_b=tuple(key[0] for key in runs_b if key not in runs_a),
        failed_in_b=failed,
    )


_VERDICTS: Final[tuple[Verdict, ...]] = ("better", "worse", "different", "no_difference_shown", "cannot_tell")


def _runs(report: LabReport) -> dict[Key, dict[int, CaseResult]]:
    """Return the cases that could be run, by what they are and by seed."""
    runs: dict[Key, dict[int, CaseResult]] = {}
    for case in report.cases:
        if case.error is None:
            runs.setdefault(_key(case), {})[case.seed] = case
    return runs


def _key(case: CaseResult) -> Key:
    return _without_seed(case), case.engine


def _without_seed(case: CaseResult) -> str:
    labels = [label for label in case.label.split(", ") if label and label != f"seed {case.seed}"]
    return f"{case.scenario} [{', '.join(labels)}]" if labels else case.scenario


@dataclass(frozen=True, slots=True)
class _Spread:
    """How uncertain a difference is."""

    error: float
    """Standard error of it."""

    degrees: int


@dataclass(frozen=True, slots=True)
class _Sample:
    """One figure of one case, before it is judged."""

    key: Key
    figure: ComparedFigure
    paired: bool
    a: Sequence[float]
    b: Sequence[float]
    spread: _Spread | None
    voices: tuple[VoiceDifference, ...]


def _sample(
    key: Key, figure: ComparedFigure, a: Mapping[int, CaseResult], b: Mapping[int, CaseResult]
) -> _Sample | None:
    both = [seed for seed in a if seed in b]
    paired = len(both) >= min(LEAST_SEEDS, len(a), len(b))
    if paired:
        pairs = [pair for seed in both if (pair := _pair(figure, a[seed], b[seed])) is not None]
        means_a, means_b = [one for one, _ in pairs], [other for _, other in pairs]
        spread = _paired_spread([other - one for one, other in pairs], figure.least)
    else:
        means_a = [mean for case in a.values() if (mean := _mean(_values(figure, case).values())) is not None]
        means_b = [mean for case in b.values() if (mean := _mean(_values(figure, case).values())) is not None]
        spread = _unpaired_spread(means_a, means_b, figure.least)
    if not means_a or not means_b:
        return None
    cases_a = [a[seed] for seed in both] if paired else list(a.values())
    cases_b = [b[seed] for seed in both] if paired else list(b.values())
    return _Sample(key, figure, paired, means_a, means_b, spread, tuple(_voices(figure, cases_a, cases_b)))


def _values(figure: ComparedFigure, case: CaseResult) -> dict[Voice, float]:
    return {
        (pair.speaker, pair.listener): value
        for pair in case.pairs
        if (value := figure.value(pair)) is not None
    }


def _pair(figure: ComparedFigure, a: CaseResult, b: CaseResult) -> tuple[float, float] | None:
    """Return the means of those voices that both have."""
    values_a, values_b = _values(figure, a), _values(figure, b)
    voices = [voice for voice in values_a if voice in values_b]
    if not voices:
        return None
    return (
        statistics.fmean(values_a[voice] for voice in voices),
        statistics.fmean(values_b[voice] for voice in voices),
    )


def _mean(values: Iterable[float]) -> float | None:
    found = list(values)
    return statistics.fmean(found) if found else None


def _deviation(values: Sequence[float]) -> float:
    """Return the standard deviation of a sample. `statistics.stdev` is exact, and a hundred times slower."""
    mean = statistics.fmean(values)
    return math.sqrt(sum((value - mean) ** 2 for value in values) / (len(values) - 1))


def _paired_spread(differences: Sequence[float], least: float) -> _Spread | None:
    count = len(differences)
    if count < LEAST_SEEDS:
        return None
    if not any(differences):
        return _Spread(0.0, count - 1)  # the same runs
    return _Spread(max(_deviation(differences), least) / math.sqrt(count), count - 1)


def _unpaired_spread(a: Sequence[float], b: Sequence[float], least: float) -> _Spread | None:
    """Return Welch's: the runs of A and of B may differ by other amounts."""
    if min(len(a), len(b)) < LEAST_SEEDS:
        return None
    of_a, of_b = (max(_deviation(one), least) ** 2 / len(one) for one in (a, b))
    degrees = (of_a + of_b) ** 2 / (of_a**2 / (len(a) - 1) + of_b**2 / (len(b) - 1))
    return _Spread(math.sqrt(of_a + of_b), max(int(degrees), 1))


def _voices(
    figure: ComparedFigure, a: Sequence[CaseResult], b: Sequence[CaseResult]
) -> Iterator[VoiceDifference]:
    values_a, values_b = ([_values(figure, case) for case in cases] for cases in (a, b))
    for voice in dict.fromkeys(voice for values in values_a for voice in values):
        mean_a, mean_b = (
            _mean([values[voice] for values in all_values if voice in values])
            for all_values in (values_a, values_b)
        )
        if mean_a is not None and mean_b is not None:
            yield VoiceDifference(
                speaker=voice[0],
                listener=voice[1],
                a=_shown(figure, mean_a),
                b=_shown(figure, mean_b),
                difference=_shown(figure, mean_b - mean_a),
            )


def _shown(figure: ComparedFigure, value: float) -> float:
    return round(figure.factor * value, figure.digits + 2)


def _row(sample: _Sample, judged: int, allowed: Sequence[str]) -> ComparisonRow:
    figure = sample.figure
    a, b = statistics.fmean(sample.a), statistics.fmean(sample.b)
    low = high = None
    verdict: Verdict = "cannot_tell"
    if sample.spread is not None:
        confidence = 1 - (1 - CONFIDENCE) / judged
        reach = two_sided(confidence, sample.spread.degrees) * sample.spread.error
        low, high = b - a - reach, b - a + reach
        verdict = _verdict(figure, low, high)
    return ComparisonRow(
        case=sample.key[0],
        engine=sample.key[1],
        figure=figure.name,
        unit=figure.unit,
        better=figure.better,
        paired=sample.paired,
        seeds_a=len(sample.a),
        seeds_b=len(sample.b),
        a=_shown(figure, a),
        b=_shown(figure, b),
        difference=_shown(figure, b - a),
        low=None if low is None else _shown(figure, low),
        high=None if high is None else _shown(figure, high),
        verdict=verdict,
        allowed=figure.name in allowed,
        voices=sample.voices,
    )


def _verdict(figure: ComparedFigure, low: float, high: float) -> Verdict:
    if low <= 0 <= high:
        return "no_difference_shown"
    if figure.better == "neither":
        return "different"
    return "better" if (low > 0) == (figure.better == "higher") else "worse"
