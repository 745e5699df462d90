"""Nothing is believed twice, whatever is forgotten; and clocks some minutes apart do not matter."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blink_cli.core.signaling.replay import Freshness, ReplayWindow
from blink_cli.core.signaling.replay_memory import MAX_IDS, MAX_MEMORY_BYTES, decode_memory, encode_memory
from blink_cli.core.signaling.timeline import TIMELINE_KEY_BYTES, OwnTimeline

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


KEYS = [bytes([number]) * TIMELINE_KEY_BYTES for number in range(7)]
"""Of more timelines than a window remembers for one sender."""


def marked(key: bytes, number: int) -> bytes:
    own = OwnTimeline(lambda length: number.to_bytes(length, "big"))
    own.key = key
    return own.new_message_id()


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["says", "says", "repeats", "repeats", "proves", "our clock is set"]),
            st.integers(0, 3),
            st.integers(0, len(KEYS) - 1),
            st.integers(0, 12),
            st.integers(0, 400),
            st.sampled_from([0, 0, 0, 900, -900, 5_000, -5_000]),
        ),
        max_size=120,
    )
)
def test_no_message_is_ever_fresh_twice_whatever_is_proved(
    steps: list[tuple[str, int, int, int, int, int]],
) -> None:
    """Each timeline has a clock of its own, seconds off; senders are more than the window remembers, and so are ids."""
    window = ReplayWindow(window_ms=1_000, ids_per_sender=3, senders=2)
    now_ms, ours_ms = 1_000, NOW_MS
    said: dict[tuple[int, bytes], int] = {}
    fresh: set[tuple[int, bytes]] = set()
    for what, sender, timeline, number, later_ms, step_ms in steps:
        now_ms += later_ms
        key = KEYS[timeline]
        date_ms = NOW_MS + now_ms + (timeline - 3) * 700
        message = (sender, marked(key, number))
        if what == "our clock is set":
            ours_ms += step_ms
        elif what == "proves":
            window.prove(bytes([sender]), key, date_ms, now_ms)
        elif what == "says" or message in said:
            sent_ms = said.setdefault(message, date_ms)
            if window.accept(bytes([sender]), message[1], sent_ms, ours_ms + now_ms, now_ms) is FRESH:
                assert message not in fresh
                fresh.add(message)
        assert len(window) <= 2


def test_what_is_on_a_proved_timeline_is_fresh_however_far_off_it_is() -> None:
    window = ReplayWindow()
    hour_ms = 3_600_000
    early = marked(KEYS[0], 1)
    assert window.accept(b"anna", early, NOW_MS + hour_ms, NOW_MS, 0) is STALE
    window.prove(b"anna", KEYS[0], NOW_MS + hour_ms, 0)
    assert window.accept(b"anna", early, NOW_MS + hour_ms, NOW_MS, 0) is FRESH
    assert window.accept(b"anna", early, NOW_MS + hour_ms, NOW_MS, 0) is SEEN
    recorded = marked(KEYS[1], 2)
    assert window.accept(b"anna", recorded, NOW_MS + hour_ms, NOW_MS, 0) is STALE, "another session said that"
    assert window.accept(b"bob", marked(KEYS[0], 3), NOW_MS + hour_ms, NOW_MS, 0) is STALE


def test_what_was_accepted_before_its_timeline_was_proved_stays_accepted() -> None:
    window = ReplayWindow()
    early = marked(KEYS[0], 1)
    assert window.accept(b"anna", early, NOW_MS, NOW_MS, 0) is FRESH
    window.prove(b"anna", KEYS[0], NOW_MS + 10, 10)
    assert window.accept(b"anna", early, NOW_MS, NOW_MS + 10, 10) is SEEN


def test_what_was_forgotten_before_its_timeline_was_proved_is_not_believed_after_it() -> None:
    window = ReplayWindow(ids_per_sender=2)
    for number in range(5):
        assert window.accept(b"anna", marked(KEYS[0], number), NOW_MS + number, NOW_MS, number) is FRESH
    window.prove(b"anna", KEYS[0], NOW_MS + 10, 10)
    for number in range(5):
        assert window.accept(b"anna", marked(KEYS[0], number), NOW_MS + number, NOW_MS, 10) is not FRESH
    assert window.accept(b"anna", marked(KEYS[0], 9), NOW_MS + 9, NOW_MS, 10) is FRESH


def test_a_timeline_behind_what_was_forgotten_of_another_begins_where_that_was_forgotten() -> None:
    window = ReplayWindow(ids_per_sender=2)
    behind = marked(KEYS[0], 1)
    assert window.accept(b"anna", behind, NOW_MS - 200_000, NOW_MS, 0) is FRESH
    for number in range(4):  # another session of hers, whose clock is ahead
        assert window.accept(b"anna", marked(KEYS[1], number), NOW_MS + number, NOW_MS, number) is FRESH
    window.prove(b"anna", KEYS[0], NOW_MS - 200_000 + 100, 100)
    assert window.accept(b"anna", behind, NOW_MS - 200_000, NOW_MS, 100) is not FRESH
    assert window.accept(b"anna", marked(KEYS[0], 2), NOW_MS - 200_000 + 50, NOW_MS, 100) is FRESH


def test_a_timeline_that_was_forgotten_for_others_brings_nothing_back() -> None:
    window = ReplayWindow()
    early = marked(KEYS[0], 1)
    window.prove(b"anna", KEYS[0], NOW_MS, 0)
    assert window.accept(b"anna", early, NOW_MS, NOW_MS, 0) is FRESH
    for key in KEYS[1:6]:
        window.prove(b"anna", key, NOW_MS, 10)
    assert window.accept(b"anna", early, NOW_MS, NOW_MS, 10) is not FRESH
    window.prove(b"anna", KEYS[0], NOW_MS + 20, 20)
    assert window.accept(b"anna", early, NOW_MS, NOW_MS, 20) is not FRESH


def test_a_sender_that_was_forgotten_proves_its_clock_and_brings_nothing_back() -> None:
    window = ReplayWindow(senders=1)
    hour_ms = 3_600_000
    early = marked(KEYS[0], 1)
    window.prove(b"anna", KEYS[0], NOW_MS - hour_ms, 0)
    assert window.accept(b"anna", early, NOW_MS - hour_ms, NOW_MS, 0) is FRESH
    assert window.accept(b"bob", name(1), NOW_MS, NOW_MS, 10) is FRESH  # takes the place
    window.prove(b"anna", KEYS[0], NOW_MS - hour_ms + 100, 100)  # and back
    assert window.accept(b"anna", early, NOW_MS - hour_ms, NOW_MS, 100) is not FRESH
    assert window.accept(b"anna", marked(KEYS[0], 2), NOW_MS - hour_ms + 101, NOW_MS, 101) is FRESH


def test_senders_that_are_kept_keep_their_windows_however_many_others_speak() -> None:
    window = ReplayWindow(senders=4)
    window.keep(frozenset({b"anna"}))
    slow_ms = NOW_MS - 240_000
    assert window.accept(b"anna", name(1), slow_ms, NOW_MS) is FRESH
    for number in range(1_000):
        window.accept(b"stranger%d" % number, name(number), NOW_MS + 290_000, NOW_MS)
    assert window.accept(b"anna", name(2), slow_ms + 1, NOW_MS) is FRESH
    assert window.accept(b"anna", name(1), slow_ms, NOW_MS) is SEEN
    assert window.accept(b"bob", name(2), slow_ms + 1, NOW_MS) is STALE


def test_who_is_kept_from_now_on_or_not_any_more_is_believed_nothing_twice() -> None:
    window = ReplayWindow(senders=2)
    assert window.accept(b"anna", name(1), NOW_MS, NOW_MS) is FRESH
    window.keep(frozenset({b"anna"}))
    assert window.accept(b"anna", name(1), NOW_MS, NOW_MS) is SEEN
    assert window.accept(b"anna", name(2), NOW_MS, NOW_MS) is FRESH
    window.keep(frozenset())
    assert window.accept(b"anna", name(2), NOW_MS, NOW_MS) is SEEN
    for number in range(9):
        window.accept(b"stranger%d" % number, name(number), NOW_MS + 1, NOW_MS)
    assert len(window) == 2
    window.keep(frozenset({b"anna"}))
    assert window.accept(b"anna", name(2), NOW_MS, NOW_MS) is STALE


def test_what_is_handed_on_is_bounded_and_opens_no_hole() -> None:
    window = ReplayWindow()
    window.keep(frozenset({bytes(32)}))
    said = [(bytes(32), name(0), NOW_MS)]
    said += [((n % 60).to_bytes(32, "big"), name(n), NOW_MS + n) for n in range(1, 30_000)]
    for sender, message_id, sent_ms in said:
        window.accept(sender, message_id, sent_ms, NOW_MS)
    memory = window.memory()
    encoded = encode_memory(memory)
    assert len(encoded) < MAX_MEMORY_BYTES
    assert decode_memory(encoded) == memory
    assert sum(len(sender.ids) for sender in memory.senders) <= MAX_IDS
    assert bytes(32) in {sender.sender for sender in memory.senders}
    again = ReplayWindow()
    again.begin(memory, NOW_MS, 0)
    assert all(again.accept(*message, NOW_MS) is not FRESH for message in said)


@pytest.mark.parametrize("encoded", [b"", b"\x90", b"\x93\xa6seen 1\x00\x00", b"\xc1" * 40, b"\x91" * 4_000])
def test_what_was_not_handed_on_whole_is_not_believed(encoded: bytes) -> None:
    assert decode_memory(encoded) is None
