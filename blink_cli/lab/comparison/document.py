"""What `lab compare` prints. A promise, as every JSON of the program is."""

from typing import Literal

import msgspec

from blink_cli.lab.comparison.figures import Better

SCHEMA = 1

Verdict = Literal["better", "worse", "different", "no_difference_shown", "cannot_tell"]


class VoiceDifference(msgspec.Struct, frozen=True, kw_only=True):
    """One voice at one ear, without a verdict of its own: where to look."""

    speaker: str
    listener: str
    a: float
    b: float
    difference: float


class ComparisonRow(msgspec.Struct, frozen=True, kw_only=True):
    """One figure of one case, the mean of all its voices."""

    case: str
    """Without its seed."""

    engine: str
    figure: str
    unit: str
    """Of all numbers of this row."""

    better: Better
    """Which direction is."""

    paired: bool
    """Whether each seed of A is compared with the same one of B; otherwise all with all."""

    seeds_a: int
    seeds_b: int
    """Of how many runs the means are; equal where paired."""

    a: float
    b: float
    difference: float
    """Of B from A."""

    low: float | None
    high: float | None
    """Where the true difference lies; the intervals of all rows together do so with `confidence`. Null where it cannot be told."""

    verdict: Verdict
    allowed: bool
    """Whether it may be worse (`--allow`)."""

    voices: tuple[VoiceDifference, ...]


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Two reports."""

    schema: int = SCHEMA
    outcome: Literal["worse", "not_worse"]
    """`worse` if a figure is that may not be, or a case could be run in A and not in B; the exit code is 6 then."""

    confidence: float
    comparisons: int
    """How many intervals hold together."""

    better: int
    worse: int
    different: int
    no_difference_shown: int
    cannot_tell: int
    rows: tuple[ComparisonRow, ...]
    only_in_a: tuple[str, ...]
    only_in_b: tuple[str, ...]
    """Cases without a counterpart, by name."""

    failed_in_b: tuple[str, ...] = ()
    """Cases, each with its seed, that were run in A and could not be run in B."""
