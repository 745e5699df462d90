"""Nothing is believed twice, whatever is forgotten; and clocks some minutes apart do not matter."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blink_cli.core.replay import Freshness, ReplayWindow

FRESH, SEEN, STALE = Freshness.FRESH, Freshness.SEEN, Freshness.STALE
NOW_MS = 1_700_000_000_000


def name(number: int) -> bytes:
    return number.to_bytes(16, "big")


def test_the_same_message_is_believed_once() -> None:
    window = ReplayWindow()
    assert window.accept(b"anna", name(1), NOW_MS, NOW_MS) is FRESH
    assert window.accept(b"anna", name(1), NOW_MS, NOW_MS + 5) is SEEN
    assert window.accept(b"anna", name(2), NOW_MS, NOW_MS + 5) is FRESH
    assert window.accept(b"bob", name(1), NOW_MS, NOW_MS + 5) is FRESH


@pytest.mark.parametrize(
    ("minutes", "expected"), [(-6, STALE), (-4.9, FRESH), (0, FRESH), (4.9, FRESH), (6, STALE)]
)
def test_clocks_may_be_almost_five_minutes_apart(minutes: float, expected: Freshness) -> None:
    assert ReplayWindow().accept(b"anna", name(1), NOW_MS + round(minutes * 60_000), NOW_MS) is expected


def test_messages_may_overtake_each_other() -> None:
    window = ReplayWindow()
    assert window.accept(b"anna", name(1), NOW_MS, NOW_MS) is FRESH
    assert window.accept(b"anna", name(2), NOW_MS - 20_000, NOW_MS) is FRESH
    assert window.accept(b"anna", name(1), NOW_MS, NOW_MS) is SEEN


def test_forgetting_ids_of_a_sender_raises_its_floor_only() -> None:
    window = ReplayWindow(ids_per_sender=10)
    for number in range(20):
        assert window.accept(b"anna", name(number), NOW_MS + number, NOW_MS) is FRESH
    for number in range(20):
        assert window.accept(b"anna", name(number), NOW_MS + number, NOW_MS) is not FRESH
    assert window.accept(b"anna", name(99), NOW_MS, NOW_MS) is STALE
    assert window.accept(b"bob", name(99), NOW_MS, NOW_MS) is FRESH


def test_forgetting_a_sender_opens_no_hole() -> None:
    window = ReplayWindow(senders=4)
    said = [(bytes([number]), name(number), NOW_MS + number) for number in range(12)]
    for sender, message_id, sent_ms in said:
        assert window.accept(sender, message_id, sent_ms, NOW_MS) is FRESH
    assert len(window) == 4
    assert all(window.accept(*message, NOW_MS) is not FRESH for message in said)


def test_dates_in_the_future_of_many_liars_do_not_shut_out_honest_senders() -> None:
    window = ReplayWindow(senders=8)
    for number in range(100):
        window.accept(b"liar%d" % number, name(number), NOW_MS + 290_000, NOW_MS)
    assert window.accept(b"anna", name(1), NOW_MS + 290_001, NOW_MS + 290_001) is FRESH


def test_a_clock_set_back_brings_nothing_back() -> None:
    window = ReplayWindow(window_ms=1_000)
    assert window.accept(b"anna", name(1), NOW_MS, NOW_MS) is FRESH
    assert window.accept(b"anna", name(2), NOW_MS + 5_000, NOW_MS + 5_000) is FRESH
    assert window.accept(b"anna", name(1), NOW_MS, NOW_MS) is not FRESH


@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.integers(0, 12), st.integers(-1_500, 1_500), st.integers(0, 300)),
        max_size=80,
    )
)
def test_no_message_is_ever_fresh_twice(steps: list[tuple[int, int, int, int]]) -> None:
    window = ReplayWindow(window_ms=1_000, ids_per_sender=3, senders=3)
    wall_ms = NOW_MS
    times: dict[tuple[int, int], int] = {}
    fresh: set[tuple[int, int]] = set()
    for sender, number, offset_ms, later_ms in steps:
        wall_ms += later_ms
        # A message has one time, whenever it is said again.
        sent_ms = times.setdefault((sender, number), wall_ms + offset_ms)
        if window.accept(bytes([sender]), name(number), sent_ms, wall_ms) is FRESH:
            assert (sender, number) not in fresh
            fresh.add((sender, number))
        assert len(window) <= 3
