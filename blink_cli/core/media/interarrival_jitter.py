"""How unevenly packets arrive (RFC 3550, section 6.4.1 and appendix A.8)."""

from typing import Final

GAIN: Final = 16.0
"""One packet's share in the mean is a sixteenth: a step is forgotten in about as many packets."""


class InterarrivalJitter:
    """The running mean of one stream, in seconds and as a float, where A.8 has whole ticks."""

    __slots__ = ("jitter_s",)

    def __init__(self) -> None:
        self.jitter_s = 0.0
        """Now."""

    def observe(self, transit_change_s: float) -> float:
        """Take how much longer, or shorter, one packet was under way than the one that arrived before it; return the jitter now."""
        jitter_s = self.jitter_s
        jitter_s += (abs(transit_change_s) - jitter_s) / GAIN
        self.jitter_s = jitter_s
        return jitter_s
