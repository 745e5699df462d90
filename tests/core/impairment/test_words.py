"""Words are read as the conditions that they say, and conditions are written as words that are read as these."""

import math
from typing import Any

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from blink_cli.core.errors import UsageError
from blink_cli.core.impairment.conditions import Conditions, FourStates, Outage
from blink_cli.core.impairment.delay_trace import DelayTrace, trace_from_text
from blink_cli.core.impairment.words import (
    Impairment,
    conditions_text,
    impairment_from_text,
    impairment_text,
)

LINE = "loss=3% burst=4 delay=40ms jitter=20ms reorder=1% duplicate=0.5% corrupt=0.1% rate=256kbit/s queue=150ms seed=7"


def test_the_line_of_the_manual() -> None:
    assert impairment_from_text(LINE) == Impairment(
        Conditions(
            loss=0.03,
            burst_packets=4,
            delay_ms=40,
            jitter_ms=20,
            reordering=0.01,
            duplication=0.005,
            corruption=0.001,
            rate_kbps=256,
            queue_ms=150,
        ),
        7,
    )
    assert impairment_text(impairment_from_text(LINE)) == LINE


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("clean", Conditions()),
        ("", Conditions()),
        ("loss=0.03", Conditions(loss=0.03)),
        ("loss=100%", Conditions(loss=1)),
        ("loss=10% burst=5 bad-loss=75% good-loss=1%", Conditions(0.1, 5, 0.75, 0.01)),
        ("loss=10% bad-time=100ms bad-loss=75%", Conditions(0.1, bad_time_ms=100, bad_loss=0.75)),
        ("states=2%/30%", Conditions(four_states=FourStates(0.02, 0.3))),
        (
            "states=2%/30%/5%/80%/0.1%",
            Conditions(four_states=FourStates(0.02, 0.3, 0.05, 0.8, 0.001)),
        ),
        ("delay=1.5s", Conditions(delay_ms=1500)),
        ("delay=500us", Conditions(delay_ms=0.5)),
        ("rate=2Mbit/s", Conditions(rate_kbps=2000)),
        ("rate=64kbps", Conditions(rate_kbps=64)),
        (
            "jitter=20ms spread=pareto order=kept",
            Conditions(jitter_ms=20, jitter_shape="pareto", keep_order=True),
        ),
        (
            "outage=20s+1s,5s+800ms freeze=8s+600ms",
            Conditions(outages=(Outage(5, 0.8), Outage(8, 0.6, held=True), Outage(20, 1))),
        ),
    ],
)
def test_words_are_read_and_written(text: str, expected: Conditions) -> None:
    found = impairment_from_text(text)
    assert found == Impairment(expected)
    assert impairment_from_text(impairment_text(found)) == found


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("los=3%", "'los=3%' says nothing about a line.", "`loss=3%` is meant, perhaps."),
        ("loss=3", "loss=3 could mean per cent or a share of 1.", "Write loss=3%."),
        ("loss=300%", "loss=300% is not possible.", "A share is 0% to 100%."),
        ("delay=40", "delay=40 has no unit.", "Write delay=40ms."),
        ("delay=soon", "delay=soon is no duration.", "Write delay=40ms or delay=1.5s."),
        ("rate=5", "rate=5 is no rate.", "Write rate=256kbit/s or rate=2Mbit/s."),
        ("burst=4", "burst= does nothing without loss=.", "Write loss=3% too, for example."),
        ("loss=90% burst=4", "loss=90% is too much for bursts of 4.", "With such bursts at most 80% is lost; make burst= longer."),
        ("bad-time=1s", "bad-time= does nothing without loss=.", "Write loss=3% too, for example."),
        ("loss=9% bad-time=1us", "bad-time=0.001ms is not possible.", "It is 1 ms at least."),
        ("loss=9% burst=4 bad-time=1s", "Bad times are told in datagrams or in time, not in both.", "Leave out burst= or bad-time=."),
        ("bad-time=1s states=1%/2%", "bad-time= does nothing without loss=.", None),
        ("loss=1% loss=2%", "loss= stands twice.", "Leave one of the two out."),
        ("outage=5s", "outage=5s does not say how long.", None),
        ("loss=1% states=1%/2%", "Loss can be told in one way only.", None),
        ("seed=-1", "seed=-1 is no seed.", None),
        ("jitter=", "jitter= has no value.", "Write jitter=20ms, for example."),
        ("clean loss=1%", "'clean' says nothing about a line.", "Clean stands alone."),
        ("trace=a.csv", "trace=a.csv cannot be read here.", None),
        ("jitter=3ms spread=cauchy", "A spread of 'cauchy' is not possible.", "Choose normal or pareto."),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_what_to_write(text: str, message: str, hint: str | None) -> None:
    with pytest.raises(UsageError) as raised:
        impairment_from_text(text)
    assert raised.value.message == message
    if hint is not None:
        assert raised.value.hint == hint


def test_a_trace_is_read_by_who_may_and_written_by_its_name() -> None:
    trace = trace_from_text("my delays.csv", "10\nlost\n")
    found = impairment_from_text(
        "trace='my delays.csv'", read_trace=lambda name: trace_from_text(name, "10\nlost\n")
    )
    assert found.conditions.trace == trace
    assert conditions_text(found.conditions) == "trace='my delays.csv'"


SHARES = st.floats(0, 1)
SOME_MS = st.floats(0, 60_000)
OUTAGES = st.builds(Outage, st.floats(0, 1e6), st.floats(0, 60, exclude_min=True), held=st.booleans())
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "loss": SHARES,
    "delay_ms": SOME_MS,
    "jitter_ms": SOME_MS,
    "reordering": SHARES,
    "duplication": SHARES,
    "corruption": SHARES,
    "rate_kbps": st.none() | st.floats(1, 1e8),
}


@given(
    fields=st.fixed_dictionaries(FIELDS),
    outages=st.lists(OUTAGES, max_size=3, unique_by=lambda outage: (outage.start_s, outage.held)),
    burst=st.floats(1, 1000),
    bad_time_ms=st.just(0.0) | st.floats(1, 60_000),
    seed=st.none() | st.integers(0, 10**18 - 1),
)
def test_whatever_is_written_is_read_as_the_same(
    fields: dict[str, Any], outages: list[Outage], burst: float, bad_time_ms: float, seed: int | None
) -> None:
    outages.sort(key=lambda outage: (outage.start_s, outage.held))
    try:
        bad_times: dict[str, Any] = {"bad_time_ms": bad_time_ms} if bad_time_ms else {"burst_packets": burst}
        conditions = Conditions(**fields, **bad_times, outages=tuple(outages))
    except UsageError:
        reject()
    if not conditions.loss:
        conditions = Conditions(**fields, outages=tuple(outages))  # bursts without loss say nothing
    written = impairment_text(Impairment(conditions, seed))
    assert impairment_from_text(written) == Impairment(conditions, seed), written


def test_traces_of_one_and_two_columns() -> None:
    assert trace_from_text("t", "# mine\n12.5\n\nlost # here\n0\n") == DelayTrace("t", (12.5, None, 0.0))
    timed = trace_from_text("t", "time_s,delay_ms\n0,20\n4.5; 180\n5\tlost\n")
    assert timed == DelayTrace("t", (20.0, 180.0, None), (0.0, 4.5, 5.0))
    assert [timed.at(0, s) for s in (0, 4.4, 4.5, 5.2, 5.6)] == [20.0, 20.0, 180.0, None, 20.0]
    assert trace_from_text("t", "0 15\n").at(9, math.pi) == 15.0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "The trace t is empty."),
        ("5\n-1\n", "Line 2 of the trace t holds '-1', which is no delay."),
        ("5\nnan\n", "Line 2 of the trace t holds 'nan', which is no delay."),
        ("1 5\n", "Line 1 of the trace t is out of order: times begin at 0 and rise."),
        ("0 5\n0 6\n", "Line 2 of the trace t is out of order: times begin at 0 and rise."),
        ("5\n0 6\n", "Line 2 of the trace t has another number of columns than the lines before it."),
        ("a b c\n", "Line 1 of the trace t has another number of columns than the lines before it."),
    ],
)
def test_a_trace_that_is_none_names_its_line(text: str, message: str) -> None:
    with pytest.raises(UsageError) as raised:
        trace_from_text("t", text)
    assert raised.value.message == message
