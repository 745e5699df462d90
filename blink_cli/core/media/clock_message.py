"""What one end of a link tells the other of its clocks, once a second, so that both know how long each direction takes.

It travels in an RTCP APP packet of the name `BLNK` and subtype 1 (RFC 3550, section 6.7); builds that do not know it skip it.

    0     1     2     4            8         16              24           32              40          48
    | ver |  0  |  0  | error, us  | sent ns | wall - mono ns | echoed ns | echo came ns  | identity  |

The four moments are NTP's (RFC 5905, section 8): this end's sending and, of the other end's last message, what it said of its sending and
when it came here; the fourth is when this one arrives. All are of the monotonic clock of who says them.
"""

import struct
from typing import Final, Literal

import msgspec

from blink_cli.core.errors import WireError

_VERSION: Final = 1
_WIRE: Final = struct.Struct("!BBHIQqQQ8s")
_UNKNOWN_US: Final = 0xFFFFFFFF
NO_IDENTITY: Final = bytes(8)

Method = Literal["same_clock", "synchronised_clocks"]
"""How the delay of one direction is known: both ends read one clock, or each one that is synchronised."""


class ClockMessage(msgspec.Struct, frozen=True, gc=False):
    """Nanoseconds of the monotonic clock of who sends it, but for the wall clock's."""

    sent_ns: int
    wall_offset_ns: int
    """The wall clock less the monotonic clock."""

    max_error_us: int | None
    """By how much the system says that its wall clock is wrong at most (`maxerror` of adjtimex); None where it is not synchronised."""

    echoed_ns: int = 0
    """`sent_ns` of the other end's last message; 0 before the first."""

    echo_arrived_ns: int = 0
    identity: bytes = NO_IDENTITY
    """Eight bytes that are the same where both ends read one clock; zeros where that cannot be known."""

    def to_bytes(self) -> bytes:
        """Forty-eight bytes."""
        error_us = _UNKNOWN_US if self.max_error_us is None else min(self.max_error_us, _UNKNOWN_US - 1)
        return _WIRE.pack(
            _VERSION,
            0,
            0,
            error_us,
            self.sent_ns,
            self.wall_offset_ns,
            self.echoed_ns,
            self.echo_arrived_ns,
            self.identity,
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> "ClockMessage":
        """Raises `WireError` when `data` is no such message; longer data are of a later version and accepted."""
        if len(data) < _WIRE.size or data[0] != _VERSION:
            raise WireError("Not a clock message of this version.")
        _, _, _, error_us, sent_ns, wall_offset_ns, echoed_ns, echo_arrived_ns, identity = _WIRE.unpack_from(
            data
        )
        return cls(
            sent_ns,
            wall_offset_ns,
            None if error_us == _UNKNOWN_US else error_us,
            echoed_ns,
            echo_arrived_ns,
            identity,
        )
