"""What the first bytes of an Opus packet say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blink_cli.core.media.opus_packet import (
    carries_fec,
    dred_version,
    is_discontinuous,
    packet_samples,
    without_padding,
)


@pytest.mark.parametrize(
    ("payload", "samples"),
    [
        (b"", 0),
        (bytes([0 << 3]), 480),
        (bytes([3 << 3]), 2880),
        (bytes([9 << 3]), 960),
        (bytes([13 << 3]), 960),
        (bytes([15 << 3 | 1]), 1920),
        (bytes([16 << 3]), 120),
        (bytes([31 << 3]), 960),
        (bytes([31 << 3 | 3]), 0),
        (bytes([31 << 3 | 3, 6]), 5760),
        (bytes([31 << 3 | 3, 7]), 0),
    ],
)
def test_how_long_a_packet_lasts(payload: bytes, samples: int) -> None:
    assert packet_samples(payload) == samples


def test_a_packet_of_two_bytes_is_a_pause() -> None:
    assert is_discontinuous(b"\x78\x00")
    assert not is_discontinuous(b"\x78\x00\x00")


@given(st.binary(max_size=40))
def test_any_bytes_have_an_answer(payload: bytes) -> None:
    assert 0 <= packet_samples(payload) <= 5760
    assert carries_fec(payload) in (True, False)
    assert len(without_padding(payload)) <= len(payload)
    assert dred_version(payload) in (None, *range(256))


def padded(toc: int, frame: bytes, padding: bytes) -> bytes:
    """One frame with padding behind it (RFC 6716, section 3.2.5)."""
    length = len(padding)
    return bytes((toc | 3, 0x41)) + b"\xff" * (length // 254) + bytes((length % 254,)) + frame + padding


@pytest.mark.parametrize("size", [1, 100, 253, 254, 255, 600])
def test_padding_is_taken_off_and_nothing_else(size: int) -> None:
    frame = bytes(range(1, 60))
    plain = bytes((9 << 3,)) + frame
    assert without_padding(padded(9 << 3, frame, b"\x00" * size)) == plain
    assert without_padding(plain) == plain
    two = bytes((9 << 3 | 1,)) + frame
    assert without_padding(two) == two


def test_fec_is_found_in_a_packet_with_padding() -> None:
    assert carries_fec(padded(9 << 3, b"\x40" + b"\x00" * 9, b"\x00" * 30))
    assert not carries_fec(padded(9 << 3, b"\x00" * 10, b"\x00" * 30))


@pytest.mark.parametrize(
    ("padding", "version"),
    [
        (bytes((126 << 1,)) + b"D\x0c" + b"\x01" * 40, 12),
        (bytes((126 << 1 | 1, 42)) + b"D\x0d" + b"\x01" * 40, 13),
        (bytes((126 << 1 | 1, 255, 20)) + b"D\x0e" + b"\x01" * 300, 14),
        (bytes((126 << 1,)) + b"X\x0c" + b"\x01" * 40, None),
        (bytes((33 << 1,)) + b"D\x0c" + b"\x01" * 40, None),
        (bytes((126 << 1,)), None),
        (b"\x00" * 40, None),
    ],
)
def test_the_version_of_dred(padding: bytes, version: int | None) -> None:
    assert dred_version(padded(9 << 3, b"\x00" * 20, padding)) == version
    assert dred_version(bytes((9 << 3,)) + padding) is None
