"""Redundant audio data (RED): one RTP payload that also carries copies of earlier frames.

    0                   1                   2                   3
    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
    |1|   block PT  |     timestamp offset      |   block length    |   one for each copy, oldest first
    |0|   block PT  |                                                   the primary: the packet's own timestamp
    copy bytes ... primary bytes, to the end

Source: RFC 2198, section 3.
"""

from collections.abc import Sequence
from typing import Final

from blink_cli.core.errors import WireError

MAXIMUM_OFFSET_SAMPLES: Final = (1 << 14) - 1
"""A copy at most this much older than the primary: 341 ms at 48 kHz."""

MAXIMUM_COPY_BYTES: Final = (1 << 10) - 1

_MAXIMUM_COPIES: Final = 8
"""More blocks than any sender uses; a hostile packet of empty blocks would otherwise cost a thousand tuples."""

_MODULUS: Final = 1 << 32


def carried(copies: Sequence[tuple[int, bytes]], timestamp: int) -> list[tuple[int, bytes]]:
    """Those of the (timestamp, Opus packet) copies that a packet with this timestamp can carry: what the header cannot say is left out.

    That is a copy that is too old (14 bits of offset) or too long (10 bits of length), not older than the primary, or empty.
    """
    return [
        (copy_timestamp, payload)
        for copy_timestamp, payload in copies
        if 0 < (timestamp - copy_timestamp) % _MODULUS <= MAXIMUM_OFFSET_SAMPLES
        and 0 < len(payload) <= MAXIMUM_COPY_BYTES
    ]


def pack(
    primary: bytes, timestamp: int, copies: Sequence[tuple[int, bytes]], opus_payload_type: int
) -> bytes:
    """The RED payload of one frame and of copies of earlier ones.

    Args:
        primary: The Opus packet that belongs to the RTP packet's own timestamp.
        timestamp: That timestamp, 0 to 2^32 - 1.
        copies: (timestamp, Opus packet) of earlier frames, oldest first. Only those of `carried` are packed.
        opus_payload_type: 0 to 127, as negotiated.

    """
    headers = bytearray()
    bodies = []
    for copy_timestamp, payload in carried(copies, timestamp):
        offset = (timestamp - copy_timestamp) % _MODULUS
        word = (0x80 | opus_payload_type) << 24 | offset << 10 | len(payload)
        headers += word.to_bytes(4, "big")
        bodies.append(payload)
    headers.append(opus_payload_type)
    return b"".join((headers, *bodies, primary))


def count_copies(payload: bytes) -> int:
    """How many copies of earlier frames a RED payload announces; any bytes have an answer, and nothing of the frames is read."""
    copies = 0
    for position in range(0, len(payload), 4):
        if payload[position] < 0x80:
            return copies
        copies += 1
    return copies


def unpack(payload: bytes, timestamp: int) -> list[tuple[int, bytes, int]]:
    """The frames of a RED payload as (timestamp, bytes, payload type), oldest first; the primary is the last.

    Raises:
        WireError: The headers do not describe the payload, or there are more copies than any sender makes.

    """
    size = len(payload)
    blocks: list[tuple[int, int, int]] = []
    position = 0
    while True:
        if position >= size:
            raise WireError("A RED payload ends within its headers.")
        first = payload[position]
        if first < 0x80:
            break
        if position + 4 > size:
            raise WireError("A RED payload ends within a block header.")
        if len(blocks) == _MAXIMUM_COPIES:
            raise WireError("A RED payload has too many blocks.")
        word = int.from_bytes(payload[position + 1 : position + 4], "big")
        blocks.append((first & 0x7F, word >> 10, word & 0x3FF))
        position += 4
    primary_type = first
    position += 1
    frames = []
    for block_type, offset, length in blocks:
        end = position + length
        if end > size:
            raise WireError("A RED block is longer than its packet.")
        frames.append(((timestamp - offset) % _MODULUS, payload[position:end], block_type))
        position = end
    frames.append((timestamp, payload[position:], primary_type))
    return frames
