"""H.264 cut into payloads and put together again, and what others may send of it."""

import contextlib

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blink_cli.core.errors import WireError
from blink_cli.core.media.video import h264_payload
from blink_cli.core.media.video.h264_stream import (
    IDR_SLICE,
    PICTURE_PARAMETERS,
    SEQUENCE_PARAMETERS,
    SLICE,
    kind_of,
    picture_size,
    stream_of,
    units_of,
)

SEQUENCE, PARAMETERS = b"\x67\x42\xc0\x1f\x11", b"\x68\xce\x3c\x80"
KEY, OTHER = b"\x65\x88\x84", b"\x41\x9a\x22"

# No start code, and no zeros at the end: emulation prevention (section 7.4.1) takes care of that.
contents = st.binary(max_size=5_000).map(lambda data: data.replace(b"\0\0", b"\0\3") + b"\x80")


@given(st.lists(contents, min_size=1, max_size=5), st.integers(160, 1_100))
def test_a_picture_is_cut_and_found_again(contents: list[bytes], most_bytes: int) -> None:
    stream = stream_of([OTHER + content for content in contents])
    payloads = h264_payload.cut(stream, most_bytes)
    found = [h264_payload.read(payload) for payload in payloads]
    assert b"".join(one.data for one in found) == stream
    assert max(map(len, payloads)) <= most_bytes
    assert found[0].begins_frame
    assert not any(one.begins_key for one in found)


def test_parameters_go_together_in_one_packet_and_begin_a_key_frame() -> None:
    stream = stream_of([SEQUENCE, PARAMETERS, KEY + bytes([7]) * 3_000])
    payloads = h264_payload.cut(stream, 1_100)
    assert [kind_of(payload) for payload in payloads] == [h264_payload.STAP_A] + [h264_payload.FU_A] * 3
    assert [payload[1] & 0xC0 for payload in payloads[1:]] == [0x80, 0, 0x40], "begins, goes on, ends"
    found = [h264_payload.read(payload) for payload in payloads]
    assert [one.begins_key for one in found] == [True, False, False, False]
    assert [kind_of(unit) for unit in units_of(b"".join(one.data for one in found))] == [
        SEQUENCE_PARAMETERS,
        PICTURE_PARAMETERS,
        IDR_SLICE,
    ]


@pytest.mark.parametrize(
    ("payload", "begins", "key"),
    [
        (SEQUENCE, True, True),  # Firefox's way: parameters in packets of their own
        (PARAMETERS, True, False),
        (KEY, True, False),
        (OTHER, True, False),
        (b"\x41\x1a\x22", False, False),  # another slice of the same picture
        (b"\x09\xf0", True, False),  # an access unit delimiter
        (b"\x7c\x85\x88\x84", True, False),  # FU-A that begins a slice of a key frame
        (b"\x7c\x05\x88\x84", False, False),  # its next part
    ],
)
def test_payloads_of_others_are_read(
    payload: bytes,
    begins: bool,  # noqa: FBT001
    key: bool,  # noqa: FBT001
) -> None:
    found = h264_payload.read(payload)
    assert (found.begins_frame, found.begins_key) == (begins, key)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\x00",
        b"\x78",
        b"\x78\x00\x00",
        b"\x78\x00\x09\x67",
        b"\x7c",
        b"\x7c\x85",
        b"\x79\x00\x01",
        b"\x7d\x85\x00",
    ],
)
def test_what_is_cut_off_or_of_another_mode_is_refused(payload: bytes) -> None:
    with pytest.raises(WireError):
        h264_payload.read(payload)


@given(st.binary(max_size=40))
def test_bytes_of_strangers_are_a_payload_or_an_error(payload: bytes) -> None:
    with contextlib.suppress(WireError):
        assert h264_payload.read(payload).data
    picture_size(stream_of([payload]))


@pytest.mark.parametrize(("width", "height"), [(640, 360), (426, 240), (16, 16), (1920, 1080)])
def test_the_size_is_what_the_encoder_was_told(width: int, height: int) -> None:
    encoder = av.VideoCodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.options = {"preset": "ultrafast", "tune": "zerolatency"}
    (packet,) = encoder.encode(av.VideoFrame(width, height, "yuv420p"))
    stream = bytes(packet)
    assert picture_size(stream) == (width, height)
    assert (
        picture_size(stream_of([unit for unit in units_of(stream) if kind_of(unit) != SEQUENCE_PARAMETERS]))
        is None
    )
    assert kind_of(KEY) == IDR_SLICE
    assert kind_of(OTHER) == SLICE
