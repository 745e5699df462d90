import pytest
from hypothesis import given
from hypothesis import strategies as st

from blink_cli.core.errors import WireError
from blink_cli.core.media.video.sent_history import SentHistory
from blink_cli.core.media.video.transport_feedback import (
    ArrivalFeedback,
    read_feedback,
    wrapped_difference_s,
    write_feedback,
)

BEHIND_HEADS = 12
"""An empty report and the head of the feedback."""


@given(
    st.lists(st.none() | st.floats(1000, 1002), min_size=1, max_size=60).filter(any),
    st.integers(0, 65535),
    st.integers(0, 255),
)
def test_what_is_written_is_read(arrivals: list[float | None], base: int, count: int) -> None:
    found = read_feedback(write_feedback(1, 2, base, arrivals, count)[BEHIND_HEADS:])
    assert (found.base, found.count, len(found.arrivals_s)) == (base, count, len(arrivals))
    for said, heard in zip(arrivals, found.arrivals_s, strict=True):
        assert (said is None) == (heard is None)
        if said is not None and heard is not None:
            assert abs(wrapped_difference_s(heard, said)) <= 0.0003


def test_chunks_of_browsers_are_read() -> None:
    # Base 5, nine packets: a run of three that came within a tick each, then a vector of one-bit symbols of which the first and third came.
    fixed = bytes.fromhex("00000001 00000002 0005 0009 000001 07")
    chunks = bytes.fromhex("2003") + (0x8000 | 0b10100000000000).to_bytes(2, "big")
    deltas = bytes([4, 4, 4, 8, 12])
    found = read_feedback(fixed + chunks + deltas)
    ticks = [None if at is None else round(at / 0.00025) - 256 for at in found.arrivals_s]
    assert ticks == [4, 8, 12, 20, None, 32, None, None, None]


@given(st.binary(max_size=60))
def test_bytes_of_strangers_are_a_feedback_or_an_error(body: bytes) -> None:
    try:
        found = read_feedback(body)
    except WireError:
        return
    assert len(found.arrivals_s) <= 512


def test_too_many_packets_are_refused() -> None:
    with pytest.raises(WireError):
        read_feedback(bytes.fromhex("00000001 00000002 0005 ffff 000001 07 3fff 3fff 3fff 3fff 3fff"))


def test_overtaken_is_not_lost_and_each_packet_counts_once() -> None:
    history = SentHistory()
    for number in range(40):
        history.sent(number, 1000, 0.01 * number)
    first = history.results(ArrivalFeedback(0, (5.0, None, 5.02), 1))
    assert [result.sent_at for result in first] == [0.0, 0.02], "the second may have been overtaken"
    second = history.results(ArrivalFeedback(1, (5.03, 5.02), 2))
    assert [result.sent_at for result in second] == [0.01]
    assert second[0].received_at == pytest.approx(0.03)
    third = history.results(ArrivalFeedback(3, (None, *(5.04 + 0.01 * n for n in range(30))), 3))
    assert [result.sent_at for result in third if result.received_at is None] == [0.03]
    assert history.results(ArrivalFeedback(3, (5.5,), 4)) == [], "it is lost already"
