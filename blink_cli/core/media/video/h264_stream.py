"""What the bytes of H.264 say without being decoded: NAL units, and the size of the pictures (ITU-T H.264, sections 7.3 and Annex B)."""

from collections.abc import Iterator
from typing import Final

START_CODE: Final = b"\0\0\0\1"

SLICE: Final = 1
IDR_SLICE: Final = 5
SEI: Final = 6
SEQUENCE_PARAMETERS: Final = 7
PICTURE_PARAMETERS: Final = 8
ACCESS_UNIT_DELIMITER: Final = 9

_TYPE: Final = 0x1F
_BASELINE_LIKE: Final = frozenset({66, 77, 88})
"""Profiles whose sequence parameters have none of the fields of the high ones."""

_MOST_BITS: Final = 32


def kind_of(unit: bytes) -> int:
    """The type of a NAL unit, 0 to 31; 0 of an empty one."""
    return unit[0] & _TYPE if unit else 0


def units_of(stream: bytes) -> Iterator[bytes]:
    """The NAL units of a byte stream (Annex B), without start codes."""
    at = stream.find(b"\0\0\1")
    while at >= 0:
        begin = at + 3
        at = stream.find(b"\0\0\1", begin)
        # Zeros before a start code are its first octet, or padding; no unit ends with one.
        unit = (stream[begin:] if at < 0 else stream[begin:at]).rstrip(b"\0")
        if unit:
            yield unit


def stream_of(units: "Iterator[bytes] | list[bytes]") -> bytes:
    """NAL units as a byte stream."""
    return b"".join(START_CODE + unit for unit in units)


def begins_picture(unit: bytes) -> bool:
    """Whether a NAL unit, of which the first two octets are enough, may be the first one of a picture."""
    kind = kind_of(unit)
    if kind in (SLICE, IDR_SLICE):
        return len(unit) > 1 and bool(unit[1] & 0x80)  # first_mb_in_slice is 0, which is the one bit 1
    return SEI <= kind <= ACCESS_UNIT_DELIMITER


def picture_size(stream: bytes) -> tuple[int, int] | None:
    """Width and height that the sequence parameters of a byte stream say; None where there are none, or none of a profile that calls use."""
    for unit in units_of(stream):
        if kind_of(unit) == SEQUENCE_PARAMETERS:
            try:
                return _size(unit)
            except _CutOffError:
                return None
    return None


class _CutOffError(Exception):
    """The bits end, or a number is longer than any that is allowed."""


class _Bits:
    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "big")
        self._left = 8 * len(data)

    def take(self, count: int) -> int:
        if count > self._left:
            raise _CutOffError
        self._left -= count
        return self._value >> self._left & ((1 << count) - 1)

    def number(self) -> int:
        """An unsigned number of Exp-Golomb (section 9.1)."""
        zeros = 0
        while not self.take(1):
            zeros += 1
            if zeros >= _MOST_BITS:
                raise _CutOffError
        return (1 << zeros) - 1 + self.take(zeros)

    def signed_is_read(self) -> None:
        """A signed number takes as many bits as an unsigned one."""
        self.number()


def _size(unit: bytes) -> tuple[int, int] | None:
    """Section 7.3.2.1.1, to the cropping."""
    bits = _Bits(unit[1:].replace(b"\0\0\3", b"\0\0"))
    profile = bits.take(8)
    bits.take(16)
    if profile not in _BASELINE_LIKE:
        return None
    bits.number()  # seq_parameter_set_id
    bits.number()  # log2_max_frame_num_minus4
    order = bits.number()
    if order == 0:
        bits.number()
    elif order == 1:
        bits.take(1)
        bits.signed_is_read()
        bits.signed_is_read()
        for _ in range(min(bits.number(), 255)):
            bits.signed_is_read()
    bits.number()  # max_num_ref_frames
    bits.take(1)
    width, map_units = 16 * (bits.number() + 1), 16 * (bits.number() + 1)
    frames_only = bits.take(1)
    if not frames_only:
        bits.take(1)
    bits.take(1)
    height = map_units * (2 - frames_only)
    if bits.take(1):
        left, right, top, bottom = (bits.number() for _ in range(4))
        width -= 2 * (left + right)
        height -= 2 * (2 - frames_only) * (top + bottom)
    return (width, height) if width > 0 and height > 0 else None
