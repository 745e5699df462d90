"""RTP's wrapping counters as plain integers: the one place where a sequence number or a timestamp is unwrapped.

    wire     65534  65535      0      1  65535 (late)            16 bits of sequence number, 32 of timestamp
    number  131070 131071 131072 131073 131071                   `Unwrapper.unwrap`

A value stands for the number nearest to the highest so far (RFC 1982, serial number arithmetic; RFC 3711, section 3.3.1, guesses the same way).
"""

from typing import Final

SEQUENCE_BITS: Final = 16
SEQUENCE_MASK: Final = (1 << SEQUENCE_BITS) - 1
"""A sequence number on the wire is the number and this."""

FIRST_SEQUENCE_TURN: Final = 1 << SEQUENCE_BITS
"""A sequence number unwrapped is so much more than the extended one of RFC 3550, which begins with the number on the wire."""

TIMESTAMP_BITS: Final = 32
TIMESTAMP_MASK: Final = (1 << TIMESTAMP_BITS) - 1
"""A timestamp on the wire is the number and this."""


def sequence_difference(a: int, b: int) -> int:
    """Steps from sequence number `b` to `a`, -32768 to 32767, across the wrap at 65535.

    Source: RFC 1982, serial number arithmetic.
    """
    return ((a - b + 0x8000) & 0xFFFF) - 0x8000


def timestamp_difference(a: int, b: int) -> int:
    """Ticks from RTP timestamp `b` to `a`, -2^31 to 2^31 - 1, across the wrap at 2^32 - 1."""
    return ((a - b + 0x80000000) & 0xFFFFFFFF) - 0x80000000


class Unwrapper:
    """Counts one run of a counter. Which run a value belongs to is `StreamJump`'s to say."""

    __slots__ = ("_half", "_mask", "highest")

    def __init__(self, first: int, bits: int) -> None:
        """Begin with a value as on the wire, of a counter of so many bits."""
        turn = 1 << bits
        self._mask = turn - 1
        self._half = turn >> 1
        self.highest = first + turn
        """The highest number so far. Counting begins one turn up, so that what was sent before the first to arrive stays positive."""

    def near(self, value: int) -> int:
        """The number that a value stands for now; the highest stays."""
        highest = self.highest
        return highest + ((value - highest + self._half) & self._mask) - self._half

    def unwrap(self, value: int) -> int:
        """The number that a value stands for, which may be the highest from now on."""
        highest = self.highest
        step = ((value - highest + self._half) & self._mask) - self._half
        if step > 0:
            self.highest = highest + step
        return highest + step


def sequence_unwrapper(first: int) -> Unwrapper:
    """Unwrap sequence numbers, beginning with this one (RFC 3550, section 5.1)."""
    return Unwrapper(first, SEQUENCE_BITS)


def timestamp_unwrapper(first: int) -> Unwrapper:
    """Unwrap RTP timestamps, beginning with this one (RFC 3550, section 5.1)."""
    return Unwrapper(first, TIMESTAMP_BITS)
