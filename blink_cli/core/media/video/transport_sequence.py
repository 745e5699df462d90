"""The RTP header of pictures, with a number for each packet that leaves, whatever stream it is of (draft-holmer-rmcat-transport-wide-cc-extensions-01).

|V=2|P|X|  CC   |M|     PT      |       sequence number         |
|                           timestamp                           |
|                              SSRC                             |
|       0xBEDE                  |       length = 1 word         |   one-byte header extensions (RFC 8285, 4.2)
|  ID   | len=1 |   transport-wide sequence number    |   pad   |
"""

import struct
from typing import Final

_FIXED: Final = struct.Struct("!BBHII")
_NUMBERED: Final = struct.Struct("!BBHIIHHBHx")
_ONE_BYTE_PROFILE: Final = 0xBEDE


def write_header(
    *,
    payload_type: int,
    sequence_number: int,
    timestamp: int,
    ssrc: int,
    marker: bool,
    transport_sequence: tuple[int, int] | None,
) -> bytes:
    """One packet's header.

    Args:
        payload_type: 0 to 127.
        sequence_number: 0 to 65535.
        timestamp: 0 to 2^32 - 1, at 90 kHz.
        ssrc: Of the stream.
        marker: The last packet of a frame (RFC 7741, section 4.1).
        transport_sequence: Id of the extension and the packet's number, 0 to 65535; None: it has none.

    """
    second = payload_type | 0x80 if marker else payload_type
    if transport_sequence is None:
        return _FIXED.pack(0x80, second, sequence_number, timestamp, ssrc)
    element, number = transport_sequence
    return _NUMBERED.pack(
        0x90, second, sequence_number, timestamp, ssrc, _ONE_BYTE_PROFILE, 1, element << 4 | 1, number
    )


def transport_sequence(datagram: bytes, element: int) -> int | None:
    """The transport-wide number of a decrypted RTP packet of at least 12 bytes; None where it has none."""
    if not datagram[0] & 0x10:
        return None
    begin = 12 + 4 * (datagram[0] & 0x0F)
    if datagram[begin : begin + 2] != b"\xbe\xde":
        return None
    end = begin + 4 + 4 * int.from_bytes(datagram[begin + 2 : begin + 4], "big")
    position = begin + 4
    while position < min(end, len(datagram)):
        head = datagram[position]
        if head == 0:  # padding between elements
            position += 1
            continue
        length = (head & 0x0F) + 1
        if head >> 4 == element and length == 2:
            value = datagram[position + 1 : position + 3]
            return int.from_bytes(value, "big") if len(value) == 2 else None
        if head >> 4 == 15:  # reserved: processing stops here
            return None
        position += 1 + length
    return None
