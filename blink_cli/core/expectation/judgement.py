"""Whether an expectation holds, and what was measured: the worst of all that it is about decides."""

import math
import operator
import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeGuard

import msgspec

from blink_cli.core.expectation.expectation import Comparison, Expectation, Statistic
from blink_cli.core.expectation.quantity import Kind, shown

_COMPARE: Final[dict[Comparison, Callable[[float, float], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}

Measured = float | bool | None
"""A figure in its base unit. Of what happens: after how many seconds, True if it is not known when, False if it did not. None: not measured."""


class Finding(msgspec.Struct, frozen=True):
    """What was measured of one subject."""

    subject: str
    """`alice->bob`, or empty for the whole call."""

    measured: Measured
    holds: bool
    """False also when nothing was measured: what was not seen is not believed."""

    @property
    def is_measured(self) -> bool:
        """Whether there was anything to judge."""
        return _is_measured(self.measured)

    def sentence(self, kind: Kind) -> str:
        """Return what was found, for people."""
        who = f"{self.subject}: " if self.subject else ""
        return f"{who}{measured_text(self.measured, kind)}"


class Judgement(msgspec.Struct, frozen=True):
    """The verdict on one expectation."""

    expectation: Expectation
    findings: tuple[Finding, ...]
    """The worst first: what is measured and fails, what was not measured, what holds. Empty: there is nobody whom it is about."""

    @property
    def holds(self) -> bool:
        """Whether it is so of everyone whom it is about."""
        return bool(self.findings) and all(finding.holds for finding in self.findings)

    @property
    def sentence(self) -> str:
        """Return the worst finding, for people."""
        if not self.findings:
            return "there is nobody whom it is about"
        return self.findings[0].sentence(self.expectation.figure.kind)


def judge(expectation: Expectation, measured: Mapping[str, Measured]) -> Judgement:
    """Judge what was measured of each subject."""
    found = [
        (_margin(expectation, value), Finding(subject, value, _holds(expectation, value)))
        for subject, value in measured.items()
    ]
    # A failure that was measured says more than one that could not be.
    found.sort(key=lambda one: (one[1].holds, not one[1].is_measured, one[0]))
    return Judgement(expectation, tuple(finding for _, finding in found))


def of_series(values: Sequence[float], statistic: Statistic | None) -> float | None:
    """Return one value of a series: its median if nothing else was asked for; None of an empty one.

    A percentile is interpolated between the two values beside it.
    """
    if not values:
        return None
    if statistic is not None and statistic.percentile is None:
        return statistics.fmean(values)
    ordered = sorted(values)
    place = (len(ordered) - 1) * (50.0 if statistic is None else statistic.percentile or 0.0) / 100
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def _is_measured(value: Measured) -> TypeGuard[float | bool]:
    return value is not None and not math.isnan(value)


def measured_text(value: Measured, kind: Kind) -> str:
    """Return a measured value as it is read."""
    if not _is_measured(value):
        return "not measured"
    if kind is Kind.HAPPENING:
        if value is False:
            return "it did not happen"
        return "it happened" if value is True else f"after {shown(value, kind)}"
    return shown(float(value), kind)


def _holds(expectation: Expectation, value: Measured) -> bool:
    if not _is_measured(value):
        return False
    limit = expectation.limit
    if expectation.figure.kind is Kind.HAPPENING:
        happened = value is not False
        if happened and limit is not None:
            happened = value is not True and value <= limit
        return happened is not expectation.negated
    assert limit is not None, "figures are compared"
    assert expectation.comparison is not None, "figures are compared"
    return _COMPARE[expectation.comparison](float(value), limit)


def _margin(expectation: Expectation, value: Measured) -> float:
    """How far a value is on the right side, in its own unit; the smallest is the worst."""
    if isinstance(value, bool) or not _is_measured(value):
        return -math.inf
    limit = expectation.limit if expectation.limit is not None else math.inf
    match expectation.comparison:
        case ">" | ">=":
            return value - limit
        case "==" | "!=":
            return abs(value - limit) * (-1 if expectation.comparison == "==" else 1)
        case "<" | "<=" | None:
            return limit - value if not math.isinf(limit) else -value
