import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blink_cli.core.errors import WireError
from blink_cli.core.media.video import vp8_payload
from blink_cli.core.media.video.picture_payload import MAX_PAYLOAD_BYTES


@given(st.binary(min_size=1, max_size=20_000), st.integers(0, 100_000))
def test_a_frame_is_cut_and_found_again(frame: bytes, picture_id: int) -> None:
    payloads = vp8_payload.cut(frame, picture_id)
    found = [vp8_payload.read(payload) for payload in payloads]
    assert b"".join(one.data for one in found) == frame
    assert [one.begins_frame for one in found] == [True] + [False] * (len(found) - 1)
    assert {one.picture_id for one in found} == {picture_id & 0x7FFF}
    assert max(map(len, payloads)) <= MAX_PAYLOAD_BYTES


@pytest.mark.parametrize(
    ("payload", "data", "begins", "picture_id"),
    [
        (b"\x10abc", b"abc", True, None),  # RFC 7741, section 4.2: the required octet alone
        (b"\x00abc", b"abc", False, None),
        (b"\x11abc", b"abc", False, None),  # another partition begins, not the frame
        (b"\x90\x80\x11abc", b"abc", True, 0x11),  # 7 bits of PictureID
        (b"\x90\x80\x92\x34abc", b"abc", True, 0x1234),  # 15 bits
        (
            b"\x90\xe0\x92\x34\x07\x60abc",
            b"abc",
            True,
            0x1234,
        ),  # with TL0PICIDX and TID, as Chromium says them
        (b"\x90\x10\x1fabc", b"abc", True, None),  # KEYIDX alone
    ],
)
def test_descriptors_of_others_are_read(
    payload: bytes,
    data: bytes,
    begins: bool,  # noqa: FBT001
    picture_id: int | None,
) -> None:
    found = vp8_payload.read(payload)
    assert (found.data, found.begins_frame, found.picture_id) == (data, begins, picture_id)


@given(st.binary(max_size=12))
def test_bytes_of_strangers_are_a_payload_or_an_error(payload: bytes) -> None:
    with contextlib.suppress(WireError):
        assert vp8_payload.read(payload).data
