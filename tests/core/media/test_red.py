"""RED payloads: what is packed comes back, and garbage is refused with one error type."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blink_cli.core.errors import WireError
from blink_cli.core.media import red

OPUS = 96


def test_two_copies_come_back_oldest_first_and_the_primary_last() -> None:
    payload = red.pack(b"now", 2880, [(960, b"older"), (1920, b"old")], OPUS)
    assert red.unpack(payload, 2880) == [(960, b"older", OPUS), (1920, b"old", OPUS), (2880, b"now", OPUS)]


def test_the_bytes_are_those_of_the_rfc() -> None:
    payload = red.pack(b"\xaa", 960, [(0, b"\xbb\xcc")], OPUS)
    # F=1 and type 96; offset 960 in 14 bits; length 2 in 10 bits; F=0 and type 96.
    assert payload == bytes((0x80 | 96, 0x0F, 0x00, 0x02, 96)) + b"\xbb\xcc\xaa"


@pytest.mark.parametrize("copies", [0, 1, 2, 5])
def test_copies_are_counted_without_being_unpacked(copies: int) -> None:
    payload = red.pack(b"now", 9600, [(960 * n, b"old") for n in range(copies)], OPUS)
    assert red.count_copies(payload) == copies == len(red.unpack(payload, 9600)) - 1


@given(st.binary(max_size=60))
def test_any_bytes_have_a_count_of_copies(payload: bytes) -> None:
    assert 0 <= red.count_copies(payload) <= (len(payload) + 3) // 4


def test_a_copy_across_the_timestamp_wrap_keeps_its_offset() -> None:
    payload = red.pack(b"now", 100, [(2**32 - 860, b"old")], OPUS)
    assert red.unpack(payload, 100)[0] == (2**32 - 860, b"old", OPUS)


@pytest.mark.parametrize(
    "copy",
    [
        (0, b"too old"),
        (16384 * 2, b"the primary itself"),
        (16384 * 2 + 1, b"younger"),
        (16384 * 2 - 960, b""),
        (32000, b"x" * 1024),
    ],
)
def test_what_the_header_cannot_say_is_left_out(copy: tuple[int, bytes]) -> None:
    assert red.unpack(red.pack(b"now", 16384 * 2, [copy], OPUS), 16384 * 2) == [(16384 * 2, b"now", OPUS)]


def test_the_limits_themselves_fit() -> None:
    copy = (0, b"x" * red.MAXIMUM_COPY_BYTES)
    assert (
        red.unpack(red.pack(b"now", red.MAXIMUM_OFFSET_SAMPLES, [copy], OPUS), red.MAXIMUM_OFFSET_SAMPLES)[0][
            :2
        ]
        == copy
    )


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\xe0",
        b"\xe0\x00\x00",
        b"\xe0\x00\x00\x01",
        b"\xe0\x00\x00\x05\x60ab",
        b"\xe0\x00\x00\x00" * 9 + b"\x60",
    ],
)
def test_payloads_that_do_not_add_up_are_refused(payload: bytes) -> None:
    with pytest.raises(WireError):
        red.unpack(payload, 0)


@given(st.binary(max_size=200), st.integers(0, 2**32 - 1))
def test_any_bytes_are_refused_or_understood(payload: bytes, timestamp: int) -> None:
    try:
        frames = red.unpack(payload, timestamp)
    except WireError:
        return
    assert frames[-1][0] == timestamp
    assert all(0 <= at < 2**32 for at, _, _ in frames)
    assert sum(len(body) for _, body, _ in frames) <= len(payload)


@given(
    st.binary(max_size=60),
    st.integers(0, 2**32 - 1),
    st.lists(
        st.tuples(st.integers(1, red.MAXIMUM_OFFSET_SAMPLES), st.binary(min_size=1, max_size=60)), max_size=3
    ),
)
def test_what_is_packed_comes_back(primary: bytes, timestamp: int, offsets: list[tuple[int, bytes]]) -> None:
    copies = [((timestamp - offset) % 2**32, body) for offset, body in offsets]
    unpacked = red.unpack(red.pack(primary, timestamp, copies, OPUS), timestamp)
    assert unpacked == [(at, body, OPUS) for at, body in [*copies, (timestamp, primary)]]
