"""What became of one packet between two participants, whoever counted it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PassedPacket:
    """One RTP packet."""

    at_s: float
    """When it was sent, monotonic."""

    payload_bytes: int
    """Of RTP, copies included."""

    copies: int
    """That came out of the line; 0 if it is lost."""

    changed: bool
    """Whether the first copy came out with a wrong bit, and was of no use."""
