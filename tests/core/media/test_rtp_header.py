"""RTP headers: ours back and forth, aiortc's as a second opinion, and bytes that are none."""

import pytest
from aiortc.rtcrtpparameters import RTCRtpHeaderExtensionParameters, RTCRtpParameters
from aiortc.rtp import HeaderExtensionsMap
from aiortc.rtp import RtpPacket as StockPacket
from hypothesis import given
from hypothesis import strategies as st

from blink_cli.core.errors import WireError
from blink_cli.core.media.rtp_header import (
    AUDIO_LEVEL_URI,
    RtpHeaderWriter,
    clear_ssrc,
    is_rtcp,
    parse_rtp,
)

u7, u16, u32 = st.integers(0, 127), st.integers(0, 2**16 - 1), st.integers(0, 2**32 - 1)


@given(
    ssrc=u32,
    payload_type=u7,
    sequence=u16,
    timestamp=u32,
    marker=st.booleans(),
    level=st.integers(-127, 0),
    voice=st.booleans(),
    payload=st.binary(max_size=200),
    extension=st.integers(1, 14),
)
def test_what_is_written_is_read(
    *,
    ssrc: int,
    payload_type: int,
    sequence: int,
    timestamp: int,
    marker: bool,
    level: int,
    voice: bool,
    payload: bytes,
    extension: int,
) -> None:
    header = RtpHeaderWriter(ssrc, extension).header(
        payload_type=payload_type,
        sequence_number=sequence,
        timestamp=timestamp,
        marker=marker,
        audio_level_dbov=level,
        voice=voice,
    )
    packet = parse_rtp(header + payload, 1.5, extension)
    assert (packet.ssrc, packet.payload_type, packet.sequence_number) == (ssrc, payload_type, sequence)
    assert (packet.timestamp, packet.marker, packet.payload, packet.arrival_s) == (
        timestamp,
        marker,
        payload,
        1.5,
    )
    assert (packet.audio_level_dbov, packet.voice) == (level, voice)
    assert clear_ssrc(header) == ssrc
    assert parse_rtp(header + payload, 1.5).audio_level_dbov is None

    extensions = HeaderExtensionsMap()
    extensions.configure(
        RTCRtpParameters(
            headerExtensions=[RTCRtpHeaderExtensionParameters(id=extension, uri=AUDIO_LEVEL_URI)]
        )
    )
    stock = StockPacket.parse(header + payload, extensions)
    assert (stock.sequence_number, stock.payload, stock.marker) == (sequence, payload, int(marker))
    assert stock.extensions.audio_level == (voice, -level)


@pytest.mark.parametrize(("level", "expected"), [(5, 0), (0, 0), (-127, -127), (-300, -127)])
def test_levels_out_of_range_are_brought_to_the_nearer_end(level: int, expected: int) -> None:
    header = RtpHeaderWriter(1, 1).header(
        payload_type=0, sequence_number=0, timestamp=0, marker=False, audio_level_dbov=level, voice=False
    )
    assert parse_rtp(header, 0.0, 1).audio_level_dbov == expected


FIXED = bytes([111, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3])


@pytest.mark.parametrize(
    ("rest", "level"),
    [
        # two other elements before ours, with padding between them
        (bytes([0xBE, 0xDE, 0, 2, 0x31, 9, 9, 0, 0x20, 9, 0x10, 0x80 | 30]), -30),
        # id 15 ends the list
        (bytes([0xBE, 0xDE, 0, 1, 0xF0, 0, 0x10, 30]), None),
        # two-byte form (RFC 8285, section 4.3), an empty element before ours
        (bytes([0x10, 0x00, 0, 2, 4, 0, 1, 1, 30, 0, 0, 0]), -30),
        # another profile altogether
        (bytes([0x12, 0x34, 0, 1, 0x10, 30, 0, 0]), None),
    ],
)
def test_level_among_other_extensions(rest: bytes, level: int | None) -> None:
    packet = parse_rtp(b"\x90" + FIXED + rest + b"payload", 0.0, 1)
    assert packet.audio_level_dbov == level
    assert packet.payload == b"payload"


def test_contributing_sources_and_padding_are_no_payload() -> None:
    packet = parse_rtp(bytes([0x80 | 0x20 | 2]) + FIXED + bytes(8) + b"opus" + bytes([0, 0, 3]), 0.0)
    assert packet.payload == b"opus"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x80" + FIXED[:-1],
        b"\x40" + FIXED,  # version 1
        b"\x8f" + FIXED + bytes(59),  # 15 contributing sources
        b"\x90" + FIXED + b"\xbe\xde\x00",
        b"\x90" + FIXED + b"\xbe\xde\x00\x02\x10\x00\x00\x00",
        b"\x90" + FIXED + b"\xbe\xde\x00\x01\x00\x00\x00\x13",  # the element is longer than the rest
        b"\x90" + FIXED + b"\x10\x00\x00\x01\x00\x00\x00\x01",
        b"\xa0" + FIXED + b"\x00",  # padding of no bytes
        b"\xa0" + FIXED + b"\x09",  # padding longer than the packet
    ],
)
def test_contradictions_are_refused(data: bytes) -> None:
    with pytest.raises(WireError):
        parse_rtp(data, 0.0, 1)


@given(data=st.binary(max_size=80), extension=st.one_of(st.none(), st.integers(1, 14)), dress=st.booleans())
def test_any_bytes_are_a_packet_or_a_wire_error(*, data: bytes, extension: int | None, dress: bool) -> None:
    if dress and data:
        data = bytes([0x90 | data[0] & 0x2F]) + FIXED + b"\xbe\xde" + data
    try:
        packet = parse_rtp(data, 0.0, extension)
    except WireError:
        return
    assert packet.audio_level_dbov is None or -127 <= packet.audio_level_dbov <= 0
    assert len(packet.payload) <= len(data) - 12


def test_extension_ids_that_one_byte_cannot_say() -> None:
    for extension in (0, 15):
        with pytest.raises(ValueError, match="1 to 14"):
            RtpHeaderWriter(1, extension)


@pytest.mark.parametrize(
    ("second", "expected"), [(200, True), (207, True), (192, True), (111, False), (239, False)]
)
def test_rtcp_is_told_from_rtp(*, second: int, expected: bool) -> None:
    assert is_rtcp(bytes([0x80, second])) is expected
