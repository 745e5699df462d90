"""What a receiver tells a sender about the line before any repair: share and bursts of loss, and jitter.

An RTCP reception report says only how much was lost, about once a second. What repairs it depends on how it was lost, and the
sender should know within a few frames. So the same is sent in a few bytes, early when loss begins (`net` carries them in
an RTCP APP packet, RFC 3550, section 6.7).

    0      1        2        3         4        5 6 7
    | ver  | loss   | mean   | longest | jitter | SideHealth |    loss in 1/255; mean burst in 1/16 packet, longest in packets; jitter in ms

The last three bytes were zero once: padding, and that says what it did.
"""

from typing import Final

import msgspec

from blink_cli.core.errors import WireError
from blink_cli.core.media.side_health import WELL, SideHealth

_VERSION: Final = 1
_SIZE_BYTES: Final = 5


class LossReport(msgspec.Struct, frozen=True, gc=False):
    """Loss of one stream over the last seconds, as its receiver saw it, late packets not counted."""

    fraction_lost: float
    """Share of packets that never came, 0 to 1."""

    mean_burst_packets: float
    """Mean length of a run of lost packets; 0 when none was lost."""

    longest_burst_packets: int
    jitter_s: float = 0.0
    """Interarrival jitter (RFC 3550, section 6.4.1)."""

    health: SideHealth = WELL
    """How the reporter's own side does."""

    def to_bytes(self) -> bytes:
        """Eight bytes; values are rounded to what fits."""
        return bytes(
            (
                _VERSION,
                min(255, -int(-self.fraction_lost * 255 // 1)),
                min(255, round(self.mean_burst_packets * 16)),
                min(255, self.longest_burst_packets),
                min(255, round(self.jitter_s * 1000)),
                *self.health.to_bytes(),
            )
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> "LossReport":
        """Raises `WireError` when `data` is not such a report; longer data are of a later version and accepted."""
        if len(data) < _SIZE_BYTES or data[0] != _VERSION:
            raise WireError("Not a loss report of this version.")
        return cls(
            fraction_lost=data[1] / 255,
            mean_burst_packets=data[2] / 16,
            longest_burst_packets=data[3],
            jitter_s=data[4] / 1000,
            health=SideHealth.from_bytes(data[_SIZE_BYTES:]),
        )
