"""The RTP header on the wire: parsing what arrives and building what is sent (RFC 3550, RFC 8285, RFC 6464).

One bit below each column of the picture, 32 to a line:

    |V=2|P|X|  CC   |M|     PT      |       sequence number         |
    |                           timestamp                           |
    |                              SSRC                             |
    |       0xBEDE                  |       length = 1 word         |   one-byte header extensions (RFC 8285, 4.2)
    |  ID   | len=0 |V|   level     |       padding                 |   client-to-mixer audio level (RFC 6464)
"""

import struct
from typing import Final

from blink_cli.core.errors import WireError
from blink_cli.core.media.rtp import RtpPacket

RTP_HEADER_BYTES: Final = 12
"""Length of the fixed header."""

AUDIO_LEVEL_URI: Final = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
"""The name of the level extension in SDP (RFC 6464, section 4)."""

_ONE_BYTE_PROFILE: Final = 0xBEDE
_TWO_BYTE_PROFILE: Final = 0x1000
_FIXED: Final = struct.Struct("!BBHII")
_FIXED_WITH_LEVEL: Final = struct.Struct("!BBHIIHHBBxx")
_LEVEL_ALONE: Final = struct.Struct("!HHBB")
_EXTENSION: Final = struct.Struct("!HH")


def is_rtcp(datagram: bytes) -> bool:
    """Whether a datagram with RTP's version is RTCP, by its second byte (RFC 5761, section 4)."""
    return len(datagram) > 1 and 192 <= datagram[1] <= 223


def clear_ssrc(datagram: bytes) -> int:
    """The SSRC of an SRTP packet, which is not encrypted. The packet has at least 12 bytes."""
    return int.from_bytes(datagram[8:12], "big")


def parse_rtp(datagram: bytes, arrival_s: float, audio_level_id: int | None = None) -> RtpPacket:
    """Take one decrypted RTP packet apart.

    Args:
        datagram: Header and payload.
        arrival_s: Monotonic time of arrival, passed through.
        audio_level_id: The negotiated id of the RFC 6464 extension, or None when there is none.

    Raises:
        WireError: Not an RTP packet, or one whose lengths contradict each other.

    """
    size = len(datagram)
    if size < RTP_HEADER_BYTES:
        raise WireError("the RTP header is cut off")
    first, second, sequence_number, timestamp, ssrc = _FIXED.unpack_from(datagram)
    if first == 0x90 and size >= _FIXED_WITH_LEVEL.size and audio_level_id is not None:
        # What this program writes, and most others: the level is all that the extension has.
        profile, words, head, octet = _LEVEL_ALONE.unpack_from(datagram, RTP_HEADER_BYTES)
        if profile == _ONE_BYTE_PROFILE and words == 1 and head == audio_level_id << 4:
            return RtpPacket(
                ssrc,
                sequence_number,
                timestamp,
                second & 0x7F,
                second > 0x7F,
                datagram[_FIXED_WITH_LEVEL.size :],
                arrival_s,
                -(octet & 0x7F),
                octet > 0x7F,
            )
    if first >> 6 != 2:
        raise WireError("not RTP version 2")
    start = RTP_HEADER_BYTES + 4 * (first & 0x0F)
    end = size
    level: int | None = None
    voice = False
    if first & 0x10:
        profile, begin, start = _extension(datagram, start)
        octet = (
            None if audio_level_id is None else _element_octet(datagram[begin:start], profile, audio_level_id)
        )
        if octet is not None:
            level = -(octet & 0x7F)
            voice = octet > 0x7F
    if first & 0x20:
        end = size - (datagram[-1] or size)  # a padding of no bytes contradicts itself
    if start > end:
        raise WireError("the RTP payload is cut off")
    return RtpPacket(
        ssrc,
        sequence_number,
        timestamp,
        second & 0x7F,
        second > 0x7F,
        datagram[start:end],
        arrival_s,
        level,
        voice,
    )


def _extension(datagram: bytes, position: int) -> tuple[int, int, int]:
    """Profile, begin and end of the header extension's elements (RFC 3550, section 5.3.1)."""
    begin = position + 4
    if begin > len(datagram):
        raise WireError("the RTP header extension is cut off")
    profile, words = _EXTENSION.unpack_from(datagram, position)
    end = begin + 4 * words
    if end > len(datagram):
        raise WireError("the RTP header extension is cut off")
    return profile, begin, end


def _element_octet(elements: bytes, profile: int, wanted: int) -> int | None:
    """The first value byte of one element, or None when it is absent (RFC 8285, sections 4.2 and 4.3)."""
    if profile == _ONE_BYTE_PROFILE:
        head_bytes = 1
    elif profile & 0xFFF0 == _TWO_BYTE_PROFILE:
        head_bytes = 2
    else:
        return None
    position = 0
    while position < len(elements):
        head = elements[position]
        if head == 0:  # padding between elements
            position += 1
            continue
        if head_bytes == 1:
            element, length = head >> 4, (head & 0x0F) + 1
            if element == 15:  # reserved: processing stops here
                return None
        else:
            element, length = head, elements[position + 1] if position + 1 < len(elements) else len(elements)
        value = position + head_bytes
        if value + length > len(elements):
            raise WireError("an RTP header extension element is cut off")
        if element == wanted and length > 0:
            return elements[value]
        position = value + length
    return None


class RtpHeaderWriter:
    """Builds the header of one stream's packets, with the audio level where it was negotiated."""

    def __init__(self, ssrc: int, audio_level_id: int | None) -> None:
        """Write headers for one SSRC.

        Args:
            ssrc: 0 to 2^32 - 1.
            audio_level_id: Negotiated id of the RFC 6464 extension, 1 to 14, or None to leave it out.

        """
        if audio_level_id is not None and not 1 <= audio_level_id <= 14:
            raise ValueError("a one-byte header extension has an id of 1 to 14")
        self._ssrc = ssrc
        self._element_head = None if audio_level_id is None else audio_level_id << 4
        self.header_bytes = RTP_HEADER_BYTES if audio_level_id is None else _FIXED_WITH_LEVEL.size
        """Length of every header that this writer builds."""

    def header(
        self,
        *,
        payload_type: int,
        sequence_number: int,
        timestamp: int,
        marker: bool,
        audio_level_dbov: int,
        voice: bool,
    ) -> bytes:
        """One packet's header.

        Args:
            payload_type: 0 to 127.
            sequence_number: 0 to 65535.
            timestamp: 0 to 2^32 - 1.
            marker: The first packet after a pause (RFC 7587, section 4.1).
            audio_level_dbov: 0 down to -127; what lies outside is brought to the nearer end.
            voice: The V bit.

        """
        second = payload_type | 0x80 if marker else payload_type
        if self._element_head is None:
            return _FIXED.pack(0x80, second, sequence_number, timestamp, self._ssrc)
        level = min(max(-audio_level_dbov, 0), 127)
        return _FIXED_WITH_LEVEL.pack(
            0x90,
            second,
            sequence_number,
            timestamp,
            self._ssrc,
            _ONE_BYTE_PROFILE,
            1,
            self._element_head,
            level | 0x80 if voice else level,
        )
