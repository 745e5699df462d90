"""The UDP datagram in a captured frame, by whatever link it came.

    Ethernet (with VLAN tags) | Linux cooked v1, v2 | BSD loopback | raw IP  ──>  IPv4 | IPv6 with its extension headers  ──>  UDP

Fragments are not put together: voice is sent in packets that need none. Tunnels are not looked into.

Source: draft-richardson-opsawg-pcaplinktype (links), RFC 791, RFC 8200, RFC 768.
"""

import struct
from enum import StrEnum
from typing import Final, NamedTuple

from blink_cli.record.capture.frames import Frame


class LeftOut(StrEnum):
    """Why a frame is left out."""

    OTHER_LINK = "other_link"
    """Its link type is not known here."""

    NOT_IP = "not_ip"
    NOT_UDP = "not_udp"
    FRAGMENT = "fragment"
    """Of an IP packet; its parts are not put together."""

    CUT_OFF = "cut_off"
    """The capture holds too little of it (`-s` of tcpdump), or its lengths contradict each other."""


class Datagram(NamedTuple):
    """A UDP datagram."""

    source: bytes
    """Address, 4 or 16 bytes."""

    source_port: int
    target: bytes
    target_port: int
    payload: bytes
    """What was captured of it."""

    payload_bytes: int
    """How long it was."""


LINK_NAMES: Final = {
    0: "BSD loopback",
    1: "Ethernet",
    9: "PPP",
    12: "raw IP",
    14: "raw IP",
    101: "raw IP",
    105: "IEEE 802.11",
    108: "BSD loopback",
    113: "Linux cooked",
    127: "IEEE 802.11 with radiotap",
    228: "raw IPv4",
    229: "raw IPv6",
    276: "Linux cooked, version 2",
}
"""LINKTYPE_ values in words, of links that are read here and of some that are not."""

_COOKED_2: Final = 276
_COOKED_2_BYTES: Final = 20
_IPV4: Final = 0x0800
_IPV6: Final = 0x86DD
_VLAN: Final = frozenset({0x8100, 0x88A8, 0x9100, 0x9200})
_MOST_TAGS: Final = 8
_UDP: Final = 17
_FRAGMENT: Final = 44
_EXTENSIONS: Final = frozenset({0, 43, 60, 135, 139, 140, 253, 254})
"""IPv6 extension headers that say their length in the common way (RFC 6564); the authentication header counts otherwise."""

_AUTHENTICATION: Final = 51
_MOST_EXTENSIONS: Final = 8
_SHORT: Final = struct.Struct("!H")
_UDP_HEADER: Final = struct.Struct("!HHH")


def datagram_of(frame: Frame) -> Datagram | LeftOut:
    """Return what a frame carries; nothing of the payload is read."""
    data = frame.data
    found = _network(frame.link_type, data)
    if isinstance(found, LeftOut):
        return found
    protocol, at = found
    missing_bytes = frame.original_bytes - len(data)
    if protocol == _IPV4:
        return _ipv4(data, at, missing_bytes)
    if protocol == _IPV6:
        return _ipv6(data, at, missing_bytes)
    return LeftOut.NOT_IP


_ETHER_TYPE_AT: Final = {1: 12, 113: 14}
_NUMBERS_BEFORE: Final = {0: 4, 108: 4, 12: 0, 14: 0, 101: 0, 228: 0, 229: 0}
"""Bytes before the IP packet of links that tell its version in no other way than itself; a loopback's family is a number of the system that captured."""


def _network(link_type: int, data: bytes) -> tuple[int, int] | LeftOut:
    """EtherType, and where the packet begins."""
    at = _ETHER_TYPE_AT.get(link_type)
    if at is not None:
        return _tagged(data, at)
    at = _NUMBERS_BEFORE.get(link_type)
    if at is not None:
        return _by_version(data, at)
    if link_type != _COOKED_2:
        return LeftOut.OTHER_LINK
    if len(data) < _COOKED_2_BYTES:
        return LeftOut.CUT_OFF
    protocol = _SHORT.unpack_from(data)[0]
    return _tagged(data, _COOKED_2_BYTES - 2, protocol) if protocol in _VLAN else (protocol, _COOKED_2_BYTES)


def _tagged(data: bytes, at: int, protocol: int | None = None) -> tuple[int, int] | LeftOut:
    """Read the EtherType at a place; behind a VLAN tag of four bytes stands the next one."""
    for _ in range(_MOST_TAGS):
        if protocol is None:
            if at + 2 > len(data):
                return LeftOut.CUT_OFF
            protocol = _SHORT.unpack_from(data, at)[0]
        if protocol not in _VLAN:
            return protocol, at + 2
        at += 4
        protocol = None
    return LeftOut.NOT_IP


def _by_version(data: bytes, at: int) -> tuple[int, int] | LeftOut:
    if at >= len(data):
        return LeftOut.CUT_OFF
    version = data[at] >> 4
    return (_IPV4, at) if version == 4 else (_IPV6, at) if version == 6 else LeftOut.NOT_IP


def _ipv4(data: bytes, at: int, missing_bytes: int) -> Datagram | LeftOut:
    if at + 20 > len(data):
        return LeftOut.CUT_OFF
    header_bytes = 4 * (data[at] & 0x0F)
    if data[at] >> 4 != 4 or header_bytes < 20:
        return LeftOut.NOT_IP
    if data[at + 9] != _UDP:
        return LeftOut.NOT_UDP
    if _SHORT.unpack_from(data, at + 6)[0] & 0x3FFF:
        return LeftOut.FRAGMENT
    # No length: the packet was too long for it when it was captured, before a network card cut it (TSO).
    total_bytes = _SHORT.unpack_from(data, at + 2)[0] or len(data) - at + missing_bytes
    end = min(at + total_bytes, len(data) + missing_bytes)
    return _udp(data, at + header_bytes, end, (data[at + 12 : at + 16], data[at + 16 : at + 20]))


def _ipv6(data: bytes, at: int, missing_bytes: int) -> Datagram | LeftOut:
    if at + 40 > len(data):
        return LeftOut.CUT_OFF
    if data[at] >> 4 != 6:
        return LeftOut.NOT_IP
    payload_bytes = _SHORT.unpack_from(data, at + 4)[0]
    end = len(data) + missing_bytes
    if payload_bytes:
        end = min(end, at + 40 + payload_bytes)
    position = _behind_extensions(data, at)
    if isinstance(position, LeftOut):
        return position
    return _udp(data, position, end, (data[at + 8 : at + 24], data[at + 24 : at + 40]))


def _behind_extensions(data: bytes, at: int) -> int | LeftOut:
    """Where the UDP header of an IPv6 packet is."""
    following = data[at + 6]
    position = at + 40
    for _ in range(_MOST_EXTENSIONS):
        if following == _UDP:
            return position
        if following not in _EXTENSIONS and following not in {_FRAGMENT, _AUTHENTICATION}:
            return LeftOut.NOT_UDP
        if position + 8 > len(data):
            return LeftOut.CUT_OFF
        if following == _FRAGMENT:
            if _SHORT.unpack_from(data, position + 2)[0] & 0xFFF9:
                return LeftOut.FRAGMENT
            length = 8
        elif following == _AUTHENTICATION:
            length = 4 * (data[position + 1] + 2)
        else:
            length = 8 * (data[position + 1] + 1)
        following = data[position]
        position += length
    return LeftOut.NOT_UDP


def _udp(data: bytes, at: int, end: int, addresses: tuple[bytes, bytes]) -> Datagram | LeftOut:
    """Take the datagram at a place apart; `end` is where its IP packet ends, which may be behind what was captured."""
    begin = at + 8
    if begin > len(data):
        return LeftOut.CUT_OFF
    source_port, target_port, length = _UDP_HEADER.unpack_from(data, at)
    if length:  # none: a jumbogram (RFC 2675)
        end = min(end, at + length)
    if end < begin:
        return LeftOut.CUT_OFF
    source, target = addresses
    return Datagram(source, source_port, target, target_port, data[begin:end], end - begin)
