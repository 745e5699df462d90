"""H.264 in RTP, non-interleaved mode (RFC 6184): a picture cut into payloads, and a payload read.

NAL unit that fits                        one packet: the unit                                         (section 5.6)
several small ones, such as parameters    STAP-A | length, unit | length, unit | ...                   (section 5.7.1)
one that does not fit                     FU-A: |F|NRI|28|  |S|E|R|type|  part of the unit | ...       (section 5.8)
"""

from collections.abc import Iterator
from typing import Final

from blink_cli.core.errors import WireError
from blink_cli.core.media.video.h264_stream import (
    SEQUENCE_PARAMETERS,
    START_CODE,
    begins_picture,
    kind_of,
    units_of,
)
from blink_cli.core.media.video.picture_payload import PicturePayload

STAP_A: Final = 24
FU_A: Final = 28

_IMPORTANCE: Final = 0xE0
"""The bits of a unit's first octet that are not its type."""

_FRAGMENT_BYTES: Final = 2
_LENGTH_BYTES: Final = 2
_BEGINS: Final = 0x80
_ENDS: Final = 0x40
_LONGEST_SINGLE_TYPE: Final = 23


def cut(stream: bytes, most_bytes: int) -> list[bytes]:
    """Payloads of one picture, in their order.

    Args:
        stream: What the encoder made (Annex B); has a NAL unit at least.
        most_bytes: Of one payload.

    """
    payloads: list[bytes] = []
    together: list[bytes] = []
    for unit in units_of(stream):
        if _together_bytes([*together, unit]) > most_bytes:
            payloads += _aggregated(together)
            together = []
        if len(unit) > most_bytes:
            payloads += _fragments(unit, most_bytes)
        else:
            together.append(unit)
    return payloads + _aggregated(together)


def _together_bytes(units: list[bytes]) -> int:
    return len(units[0]) if len(units) == 1 else 1 + sum(_LENGTH_BYTES + len(unit) for unit in units)


def _aggregated(units: list[bytes]) -> list[bytes]:
    """One payload of several units; none of none."""
    if len(units) < 2:
        return units
    importance = max(unit[0] & 0x60 for unit in units)
    return [
        bytes((importance | STAP_A,))
        + b"".join(len(unit).to_bytes(_LENGTH_BYTES, "big") + unit for unit in units)
    ]


def _fragments(unit: bytes, most_bytes: int) -> Iterator[bytes]:
    """Payloads of about equal length."""
    head, content = unit[0], unit[1:]
    room = most_bytes - _FRAGMENT_BYTES
    count = -(-len(content) // room)
    length = -(-len(content) // count)
    indicator = head & _IMPORTANCE | FU_A
    for begin in range(0, len(content), length):
        part = content[begin : begin + length]
        place = (_BEGINS if begin == 0 else 0) | (_ENDS if begin + length >= len(content) else 0)
        yield bytes((indicator, place | kind_of(unit))) + part


def read(payload: bytes) -> PicturePayload:
    """Take one payload apart: its part of the byte stream (Annex B).

    Raises:
        WireError: It is cut off, or of a kind that this mode has not.

    """
    kind = kind_of(payload)
    if kind == FU_A:
        return _fragment(payload)
    if kind == STAP_A:
        units = list(_units_together(payload))
    elif 0 < kind <= _LONGEST_SINGLE_TYPE:
        units = [payload]
    else:
        raise WireError("the H.264 payload is of a kind that was not agreed on")
    return PicturePayload(
        b"".join(START_CODE + unit for unit in units),
        begins_frame=begins_picture(units[0]),
        begins_key=any(kind_of(unit) == SEQUENCE_PARAMETERS for unit in units),
    )


def _fragment(payload: bytes) -> PicturePayload:
    if len(payload) <= _FRAGMENT_BYTES:
        raise WireError("the H.264 payload is cut off")
    content = payload[_FRAGMENT_BYTES:]
    if not payload[1] & _BEGINS:
        return PicturePayload(content, begins_frame=False, begins_key=False)
    unit = bytes((payload[0] & _IMPORTANCE | kind_of(payload[1:2]),)) + content
    return PicturePayload(
        START_CODE + unit,
        begins_frame=begins_picture(unit),
        begins_key=kind_of(unit) == SEQUENCE_PARAMETERS,
    )


def _units_together(payload: bytes) -> Iterator[bytes]:
    at = 1
    if len(payload) <= at + _LENGTH_BYTES:
        raise WireError("the H.264 payload is cut off")
    while at < len(payload):
        length = int.from_bytes(payload[at : at + _LENGTH_BYTES], "big")
        at += _LENGTH_BYTES
        if not 0 < length <= len(payload) - at:
            raise WireError("the H.264 payload is cut off")
        yield payload[at : at + length]
        at += length
