"""Expectations are read as they were meant, or refused with what to write instead."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blink_cli.core.errors import UsageError
from blink_cli.core.expectation.expectation import Subject, Window
from blink_cli.core.expectation.grammar import parse
from blink_cli.core.expectation.quantity import Kind, quantity, shown
from blink_cli.core.expectation.vocabulary import FIGURES, vocabulary


@pytest.mark.parametrize(
    ("text", "figure", "subject", "comparison", "limit"),
    [
        ("pesq(alice->bob) > 4", "pesq", Subject("alice", "bob"), ">", 4.0),
        ("loss(bob) < 1%", "loss", Subject("bob", None), "<", 0.01),
        ("concealed(alice->bob)<2%", "concealed", Subject("alice", "bob"), "<", 0.02),
        ("concealed( alice → bob ) <= 0.5 %", "concealed", Subject("alice", "bob"), "<=", 0.005),
        ("whole_after < 5s", "whole_after", Subject(), "<", 5.0),
        ("level(*->bob) >= -30dBov", "level", Subject(None, "bob"), ">=", -30.0),
        ("bitrate != 32kb/s", "bitrate", Subject(), "!=", 32_000.0),
        ("gaps = 0", "gaps", Subject(), "==", 0.0),
        ('mos("old bob"->did:key:z6Mk) ≥ 4.1', "mos", Subject("old bob", "did:key:z6Mk"), ">=", 4.1),
        ("loss(a-b->c-d) < 1%", "loss", Subject("a-b", "c-d"), "<", 0.01),
        ("  rtt < .2s ", "rtt", Subject(), "<", 0.2),
    ],
)
def test_what_is_written_is_read(
    text: str, figure: str, subject: Subject, comparison: str, limit: float
) -> None:
    read = parse(text)
    assert (read.figure.name, read.subject, read.comparison) == (figure, subject, comparison)
    assert read.limit == pytest.approx(limit)
    assert read.statistic is None
    assert str(read) == text.strip()


@pytest.mark.parametrize(
    ("text", "name", "percentile"),
    [
        ("delay_p95 < 120ms", "p95", 95.0),
        ("delay_p99.9 < 120ms", "p99.9", 99.9),
        ("delay_max < 1s", "max", 100.0),
        ("level_min > -40dB", "min", 0.0),
        ("jitter_median < 5ms", "median", 50.0),
        ("delay_mean < 80ms", "mean", None),
    ],
)
def test_a_series_has_statistics(text: str, name: str, percentile: float | None) -> None:
    statistic = parse(text).statistic
    assert statistic is not None
    assert (statistic.name, statistic.percentile) == (name, percentile)


@pytest.mark.parametrize(
    ("text", "limit", "negated", "window"),
    [
        ("talking within 200ms", 0.2, False, Window()),
        ("talking(bob) within 0.2s from 3s", 0.2, False, Window(3.0)),
        ("not heard(alice->bob) from 5s to 8s", None, True, Window(5.0, 8.0)),
        ("heard", None, False, Window()),
        ("talking(bob) to 1min", None, False, Window(None, 60.0)),
    ],
)
def test_what_happens_is_not_compared(text: str, limit: float | None, negated: bool, window: Window) -> None:  # noqa: FBT001 - a row of the table
    read = parse(text)
    assert read.comparison is None
    assert (read.limit, read.negated, read.window) == (limit, negated, window)


def test_a_window_stands_behind_a_value_with_and_without_a_unit() -> None:
    assert parse("pesq > 4 from 10s").window == Window(10.0)
    assert parse("pesq>4from 10s to 12s").window == Window(10.0, 12.0)
    assert parse("delay < 60ms from 10s to 1min").window == Window(10.0, 60.0)


@pytest.mark.parametrize(
    ("text", "problem", "hint"),
    [
        ("", "not the end", "There are pesq"),
        ("> 4", "not `>`", "There are pesq"),
        ("pesk > 4", "no figure `pesk`", "Did you mean `pesq`?"),
        ("delai_p95 < 1s", "no figure `delai`", "Did you mean `delay`?"),
        ("pesq_p95 > 4", "`pesq` is one value", "delay"),
        ("delay_p101 < 1s", "percentile of 101", "p0 to p100"),
        ("pesq", "not the end", "`pesq < 4.2`"),
        ("pesq ~ 4", "not `~`", "<, <=, >"),
        ("loss << 1%", "not `<<`", "<, <=, >"),
        ("loss <", "not the end", "1%"),
        ("loss < one", "not `one`", "1%"),
        ("loss < 1", "1 has no unit", "%"),
        ("loss < 1ms", "1ms is not a share", "%"),
        ("pesq > 4%", "has no unit, and 4% has one", "Write 4."),
        ("delay < 120", "120 has no unit", "ms"),
        ("loss(alice->bob < 1%", "`)` should stand here", "(alice->bob)"),
        ("loss() < 1%", "a name should stand here", "`*` is everyone"),
        ("loss(alice->) < 1%", "a name should stand here", "`*` is everyone"),
        ("whole_after(bob) < 5s", "the whole call's", "without parentheses"),
        ("talking < 200ms", "is not compared", "within 200ms"),
        ("talking within", "not the end", "120ms"),
        ("talking within -1s", "less than no time", "within 200ms"),
        ("loss < 1e400%", "is too much", "1%"),
        ("not loss < 1%", "`not` stands before what happens", "comparison"),
        ("loss < 1% of bob", "`of` is not understood", "from 5s to 8s"),
        ("heard from 8s to 5s", "empty", "earlier moment first"),
        ("x" * 501, "too long", "several"),
    ],
)
def test_what_cannot_be_read_is_told_with_a_hint(text: str, problem: str, hint: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse(text)
    assert problem in refused.value.message
    assert hint in (refused.value.hint or "")


def test_figures_and_windows_that_cannot_be_told_here_are_refused() -> None:
    live = vocabulary(("loss", "talking"))
    with pytest.raises(UsageError, match="`pesq` cannot be told here") as refused:
        parse("pesq > 4", live)
    assert refused.value.hint == "There are loss, talking."
    with pytest.raises(UsageError, match="without `from` and `to`"):
        parse("loss < 1% from 5s", live, windows=False)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    read, refused = None, None
    try:
        read = parse(text)
    except UsageError as error:  # most texts are refused, and that is as good
        refused = error
    assert read is None or read.figure.name in FIGURES
    assert refused is None or (refused.message.endswith(".") and refused.hint)


@pytest.mark.parametrize(
    ("text", "kind", "value", "again"),
    [
        ("1%", Kind.SHARE, 0.01, "1 %"),
        ("0.001 %", Kind.SHARE, 0.00001, "0.001 %"),
        ("120ms", Kind.TIME, 0.12, "120 ms"),
        ("1.5s", Kind.TIME, 1.5, "1.5 s"),
        ("2min", Kind.TIME, 120.0, "120 s"),
        ("-30.25dBFS", Kind.LEVEL, -30.25, "-30.2 dB"),
        ("64kb/s", Kind.RATE, 64_000.0, "64 kb/s"),
        ("4.127", Kind.SCORE, 4.127, "4.13"),
    ],
)
def test_quantities(text: str, kind: Kind, value: float, again: str) -> None:
    assert quantity(text, kind) == pytest.approx(value)
    assert shown(value, kind) == again


def test_a_quantity_that_is_none_is_told_with_an_example() -> None:
    with pytest.raises(UsageError) as refused:
        quantity("soon", Kind.TIME)
    assert refused.value.message == "'soon' is not a time."
    assert refused.value.hint == "Write a number such as 120ms."
