"""VP8 in RTP (RFC 7741): a frame cut into payloads, and a payload read.

Bits of each octet, from the highest:

    |X|R|N|S|R| PID |   required: S begins a partition, of which the frame's first has PID 0
    |I|L|T|K|  RSV  |   if X
    |M| PictureID   |   if I: 7 bits, or 15 where M is set
    |   TL0PICIDX   |   if L
    |TID|Y| KEYIDX  |   if T or K
"""

from typing import Final

from blink_cli.core.errors import WireError
from blink_cli.core.media.video.coded_picture import is_key_frame
from blink_cli.core.media.video.picture_payload import MAX_PAYLOAD_BYTES, PicturePayload

PICTURE_ID_MASK: Final = 0x7FFF
_DESCRIPTOR_BYTES: Final = 4


class Vp8Payload(PicturePayload, frozen=True, gc=False, kw_only=True):
    """One payload, read."""

    picture_id: int | None
    """7 or 15 bits; None where the sender gives none."""


def cut(frame: bytes, picture_id: int, most_bytes: int = MAX_PAYLOAD_BYTES) -> list[bytes]:
    """Payloads of one frame, of about equal length, in their order.

    Args:
        frame: What the encoder made; not empty.
        picture_id: Grows by one with each frame; 15 bits of it are said.
        most_bytes: Of one payload; `MAX_PAYLOAD_BYTES` at most.

    """
    room = min(most_bytes, MAX_PAYLOAD_BYTES) - _DESCRIPTOR_BYTES
    count = -(-len(frame) // room)
    length = -(-len(frame) // count)
    number = (0x8000 | picture_id & PICTURE_ID_MASK).to_bytes(2, "big")
    return [
        bytes((0x90 if begin == 0 else 0x80, 0x80)) + number + frame[begin : begin + length]
        for begin in range(0, len(frame), length)
    ]


def read(payload: bytes) -> Vp8Payload:
    """Take one payload apart.

    Raises:
        WireError: It is cut off, or carries nothing.

    """
    if not payload:
        raise WireError("the VP8 payload is empty")
    first = payload[0]
    position = 1
    picture_id: int | None = None
    if first & 0x80:
        extension = payload[1] if len(payload) > 1 else 0
        position = 2
        if extension & 0x80:
            if position >= len(payload):
                raise WireError("the VP8 payload is cut off")
            picture_id = payload[position]
            if picture_id & 0x80:
                picture_id = int.from_bytes(payload[position : position + 2], "big") & PICTURE_ID_MASK
                position += 1
            position += 1
        if extension & 0x40:
            position += 1
        if extension & 0x30:
            position += 1
    if position >= len(payload):
        raise WireError("the VP8 payload is cut off")
    data, begins = payload[position:], first & 0x17 == 0x10
    return Vp8Payload(data, begins, begins and is_key_frame(data), picture_id=picture_id)
