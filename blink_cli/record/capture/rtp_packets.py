"""The RTP packet in a captured datagram, also where the capture holds only its beginning."""

import ipaddress
import struct
from typing import Final, NamedTuple

from blink_cli.core.errors import WireError
from blink_cli.core.media.rtp import RtpPacket
from blink_cli.core.media.rtp_header import RTP_HEADER_BYTES, is_rtcp, parse_rtp
from blink_cli.record.capture.datagrams import Datagram

_PADDING_BIT: Final = 0x20
_EXTENSION_BIT: Final = 0x10
_WORDS: Final = struct.Struct("!H")


class Flow(NamedTuple):
    """From one socket to another."""

    source: bytes
    source_port: int
    target: bytes
    target_port: int


class StreamKey(NamedTuple):
    """What one stream is told from others by, as Wireshark does."""

    flow: Flow
    ssrc: int


class CapturedPacket(NamedTuple):
    """An RTP packet of a capture."""

    key: StreamKey
    packet: RtpPacket
    is_whole: bool
    """Else zeros stand for the part of its payload that was not captured."""


def endpoint_text(address: bytes, port: int) -> str:
    """ADDRESS:PORT; an IPv6 address in brackets."""
    text = str(ipaddress.ip_address(address))
    return f"[{text}]:{port}" if len(address) == 16 else f"{text}:{port}"


def flow_of(datagram: Datagram) -> Flow:
    """Whose datagram it is."""
    return Flow(datagram.source, datagram.source_port, datagram.target, datagram.target_port)


def is_rtp_like(payload: bytes) -> bool:
    """Whether it may be RTP by its first two bytes (RFC 7983, RFC 5761)."""
    return len(payload) >= RTP_HEADER_BYTES and 128 <= payload[0] <= 191 and not is_rtcp(payload)


def is_rtcp_like(payload: bytes) -> bool:
    """Whether it may be RTCP."""
    return len(payload) >= 8 and 128 <= payload[0] <= 191 and is_rtcp(payload)


def is_cut_off(datagram: Datagram) -> bool:
    """Whether it may be RTP whose header was not captured whole."""
    payload = datagram.payload
    return len(payload) < datagram.payload_bytes and (not payload or 128 <= payload[0] <= 191)


def rtp_of(datagram: Datagram, at_s: float, audio_level_id: int | None = None) -> CapturedPacket | None:
    """Return the packet in a datagram; None if it is none, or not even its header was captured."""
    data = datagram.payload
    if not is_rtp_like(data):
        return None
    missing_bytes = datagram.payload_bytes - len(data)
    if missing_bytes:
        if _header_bytes(data) > len(data) or data[0] & _PADDING_BIT:
            return None
        data += bytes(missing_bytes)
    try:
        packet = parse_rtp(data, at_s, audio_level_id)
    except WireError:
        # A padding that contradicts itself leaves the header as it is.
        if not data[0] & _PADDING_BIT:
            return None
        try:
            packet = parse_rtp(bytes((data[0] & ~_PADDING_BIT,)) + data[1 : _header_bytes(data)], at_s)
        except WireError:
            return None
    return CapturedPacket(StreamKey(flow_of(datagram), packet.ssrc), packet, not missing_bytes)


def _header_bytes(data: bytes) -> int:
    """Length of a header with CSRCs and extension, as far as the bytes tell."""
    length = RTP_HEADER_BYTES + 4 * (data[0] & 0x0F)
    if data[0] & _EXTENSION_BIT:
        length += 4
        if length <= len(data):
            length += 4 * _WORDS.unpack_from(data, length - 2)[0]
    return length
