"""How long a voice takes from its microphone until it is sent: device, filters, the frame that has to be full, encoder.

A sender report says the RTP time of the moment at which it was sent (RFC 3550, section 6.4.1), and RTP time is the time at the microphone. So a
packet came as much later than the report as it was captured later, and besides as much as its sender kept it; that both were under
way falls out. No clock of the two machines has to agree with the other.
"""

from typing import Final

from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.core.media.unwrapper import timestamp_difference

LONGEST_S: Final = 1.0
"""A sender that kept a voice for longer, or sent it before it was said, says something else with its reports."""


class SendingDelay:
    """Of one stream. Pure."""

    __slots__ = ("_clock_rate_hz", "_count", "_sum_s")

    def __init__(self, clock_rate_hz: int = SAMPLE_RATE_HZ) -> None:
        self._clock_rate_hz = clock_rate_hz
        self._sum_s = 0.0
        self._count = 0

    def reported(self, timestamp: int, arrival_s: float, last_timestamp: int, last_arrival_s: float) -> None:
        """Take a sender report, and the packet that came last before it.

        Args:
            timestamp: RTP time of the moment at which the report was sent.
            arrival_s: Of the report, monotonic.
            last_timestamp: RTP time of the packet's first sample.
            last_arrival_s: Of the packet.

        """
        captured_later_s = timestamp_difference(last_timestamp, timestamp) / self._clock_rate_hz
        kept_s = last_arrival_s - arrival_s - captured_later_s
        if 0.0 <= kept_s <= LONGEST_S:
            self._sum_s += kept_s
            self._count += 1

    @property
    def mean_ms(self) -> float | None:
        """From the first sample of a packet at the microphone to its sending, the mean over all reports; None before the first."""
        return 1000 * self._sum_s / self._count if self._count else None
