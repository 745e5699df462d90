"""Who dials, and with which number."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blink_cli.core.call.dialling import Epochs, dials
from blink_cli.core.ids import Did


@given(st.text(max_size=8), st.text(max_size=8))
def test_exactly_one_of_two_dials(one: str, other: str) -> None:
    if one != other:
        assert dials(Did(one), Did(other)) != dials(Did(other), Did(one))


def test_nobody_dials_itself() -> None:
    with pytest.raises(AssertionError):
        dials(Did("did:key:z6MkA"), Did("did:key:z6MkA"))


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 2**50)), max_size=30))
def test_epochs_only_grow(steps: list[tuple[bool, int]]) -> None:
    epochs, last = Epochs(), -1
    for raises, number in steps:
        if raises:
            epochs.raise_to(number)
        else:
            epoch = epochs.next(number)
            assert epoch > max(last, number)
            last = epoch


def test_a_joining_starts_its_epochs_at_its_incarnation() -> None:
    epochs = Epochs()
    epochs.raise_to(1_800_000_000_000)
    assert [epochs.next(0), epochs.next(0)] == [1_800_000_000_000, 1_800_000_000_001]
