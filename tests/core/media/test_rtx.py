"""Retransmissions on the wire (RFC 4588), and the requests for them (RFC 4585)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blink_cli.core.errors import WireError
from blink_cli.core.media import rtx
from blink_cli.core.media.rtcp import MAX_NACK_NAMES, parse_rtcp, write_retransmission_request

NUMBERS = st.integers(0, 0xFFFF)


@given(NUMBERS, st.binary(min_size=1, max_size=1200))
def test_what_is_packed_is_unpacked(number: int, payload: bytes) -> None:
    assert rtx.unpack(rtx.pack(number, payload)) == (number, payload)


@pytest.mark.parametrize("payload", [b"", b"\x00", b"\x00\x01"])
def test_one_that_carries_nothing_is_refused(payload: bytes) -> None:
    with pytest.raises(WireError, match="carries nothing"):
        rtx.unpack(payload)


def test_a_request_is_as_rfc_4585_writes_it() -> None:
    # RR without blocks, then RTPFB, format 1: asker, asked, then 7 with 8 and 23 behind it, and 24.
    expected = bytes.fromhex(
        "80c90001 00000005 81cd0004 00000005 00000009 00078001 00180000".replace(" ", "")
    )
    assert write_retransmission_request(5, 9, [7, 8, 23, 24]) == expected


@given(st.lists(st.integers(0, 400), min_size=1, max_size=40, unique=True), NUMBERS)
def test_every_name_arrives_across_the_wrap(steps: list[int], first: int) -> None:
    names = [(first + step) & 0xFFFF for step in sorted(steps)]
    (request,) = parse_rtcp(write_retransmission_request(1, 2, names)).requests
    assert request.ssrc == 2
    assert list(request.sequence_numbers)[: len(names)] == names[: len(request.sequence_numbers)]
    assert len(request.sequence_numbers) >= min(len(names), 16)


def test_a_request_that_is_cut_off_is_refused_and_one_with_many_names_is_bounded() -> None:
    with pytest.raises(WireError, match="request is cut off"):
        parse_rtcp(bytes.fromhex("81cd000100000005"))
    many = b"".join(bytes((0, number, 0xFF, 0xFF)) for number in range(200))
    head = bytes.fromhex("81cd") + (2 + 200).to_bytes(2, "big") + bytes(8)
    (request,) = parse_rtcp(head + many).requests
    assert len(request.sequence_numbers) == 16 * 17


def test_a_datagram_full_of_requests_is_read_as_far_as_anybody_could_need_it() -> None:
    all_of_17 = write_retransmission_request(1, 2, list(range(17)))[8:]
    asked = parse_rtcp(all_of_17 * 80).requests
    assert sum(len(request.sequence_numbers) for request in asked) == MAX_NACK_NAMES
