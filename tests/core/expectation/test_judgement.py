"""The worst subject decides, and what was not measured is never believed."""

import math

import pytest

from blink_cli.core.expectation.grammar import parse
from blink_cli.core.expectation.judgement import Measured, judge, of_series


@pytest.mark.parametrize(
    ("text", "measured", "holds"),
    [
        ("pesq > 4", 4.01, True),
        ("pesq > 4", 4.0, False),
        ("pesq >= 4", 4.0, True),
        ("loss < 1%", 0.0099, True),
        ("loss <= 1%", 0.01, True),
        ("loss <= 1%", 0.0101, False),
        ("gaps == 0", 0.0, True),
        ("gaps == 0", 1.0, False),
        ("gaps != 0", 1.0, True),
        ("pesq > 4", None, False),
        ("loss < 1%", None, False),
        ("loss < 1%", math.nan, False),
        ("talking", True, True),
        ("talking", 0.3, True),
        ("talking", False, False),
        ("talking", None, False),
        ("talking within 200ms", 0.2, True),
        ("talking within 200ms", 0.201, False),
        ("talking within 200ms", False, False),
        ("talking within 200ms", True, False),
        ("not talking", False, True),
        ("not talking", 0.3, False),
        ("not talking", None, False),
        ("not talking within 200ms", 0.3, True),
    ],
)
def test_a_verdict(text: str, measured: Measured, holds: bool) -> None:  # noqa: FBT001 - a row of the table
    assert judge(parse(text), {"alice->bob": measured}).holds is holds


def test_the_worst_decides_and_stands_first() -> None:
    judgement = judge(parse("pesq > 4"), {"a->b": 4.4, "b->a": 3.2, "c->a": 3.9})
    assert not judgement.holds
    assert [finding.subject for finding in judgement.findings] == ["b->a", "c->a", "a->b"]
    assert judgement.sentence == "b->a: 3.2"


def test_the_worst_of_those_that_hold_stands_first_too() -> None:
    judgement = judge(parse("delay < 120ms"), {"a->b": 0.05, "b->a": 0.119})
    assert judgement.holds
    assert judgement.sentence == "b->a: 119 ms"


@pytest.mark.parametrize("unknown", [None, math.nan])
def test_a_measured_failure_stands_before_what_was_not_measured_and_that_before_what_holds(
    unknown: Measured,
) -> None:
    judgement = judge(parse("loss < 1%"), {"a->b": unknown, "c->b": 0.0, "b->c": 0.02, "b->a": 0.5})
    assert [finding.subject for finding in judgement.findings] == ["b->a", "b->c", "a->b", "c->b"]
    assert judgement.sentence == "b->a: 50 %"
    assert judge(parse("loss < 1%"), {"b->a": 0.0, "a->b": unknown}).sentence == "a->b: not measured"


def test_what_did_not_happen_stands_before_what_was_not_looked_at() -> None:
    assert judge(parse("talking"), {"a->b": None, "b->a": False}).sentence == "b->a: it did not happen"


def test_nobody_is_no_success() -> None:
    judgement = judge(parse("loss < 1%"), {})
    assert not judgement.holds
    assert judgement.sentence == "there is nobody whom it is about"


def test_happenings_are_told_with_their_time() -> None:
    assert judge(parse("talking"), {"a->b": 0.25}).sentence == "a->b: after 250 ms"
    assert judge(parse("talking"), {"a->b": False}).sentence == "a->b: it did not happen"


def test_values_of_a_series() -> None:
    values = [5.0, 1.0, 3.0, 2.0, 4.0]
    by = {
        text: of_series(values, parse(f"delay_{text} < 1s").statistic)
        for text in ("min", "max", "mean", "p25", "p95")
    }
    assert by == {"min": 1.0, "max": 5.0, "mean": 3.0, "p25": 2.0, "p95": pytest.approx(4.8)}
    assert of_series(values, None) == 3.0
    assert of_series([], None) is None
