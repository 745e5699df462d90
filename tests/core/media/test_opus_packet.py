"""What the first bytes of an Opus packet say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blink_cli.core.media.opus_packet import carries_fec, is_discontinuous, packet_samples


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
