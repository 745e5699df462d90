"""Wrapping counters as plain integers."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blink_cli.core.media.unwrapper import (
    SEQUENCE_BITS,
    TIMESTAMP_BITS,
    Unwrapper,
    sequence_difference,
    sequence_unwrapper,
    timestamp_difference,
)


@given(
    first=st.integers(0, (1 << 32) - 1),
    bits=st.sampled_from((SEQUENCE_BITS, TIMESTAMP_BITS)),
    steps=st.lists(st.floats(-0.499, 0.499), max_size=60),
)
def test_numbers_are_those_of_a_counter_that_never_wraps(first: int, bits: int, steps: list[float]) -> None:
    turn = 1 << bits
    truth = highest = first % turn
    unwrapper = Unwrapper(truth, bits)
    for step in steps:
        truth = max(highest + int(step * turn), 0)
        assert unwrapper.near(truth % turn) == truth + turn, "looking does not move it"
        assert unwrapper.unwrap(truth % turn) == truth + turn
        highest = max(highest, truth)
        assert unwrapper.highest == highest + turn


def test_a_long_lossy_reordered_stream_keeps_its_numbers_through_every_turn() -> None:
    rng = random.Random(5)
    unwrapper = sequence_unwrapper(65_530)
    sent = [n for n in range(65_530, 65_530 + 300_000) if rng.random() > 0.3]
    arrived = [n for _, n in sorted((n + rng.randrange(500), n) for n in sent)]
    base = 1 << 16
    assert [unwrapper.unwrap(n & 0xFFFF) - base for n in arrived] == arrived


@pytest.mark.parametrize(
    ("a", "b", "steps"),
    [
        (0, 65_535, 1),
        (65_535, 0, -1),
        (7, 7, 0),
        (32_767, 0, 32_767),
        (32_768, 0, -32_768),
        (0, 32_768, -32_768),
    ],
)
def test_sequence_difference(a: int, b: int, steps: int) -> None:
    assert sequence_difference(a, b) == steps
    assert timestamp_difference(a << 16, b << 16) == steps << 16
