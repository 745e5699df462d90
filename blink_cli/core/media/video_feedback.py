"""What a receiver of pictures asks their sender for, as those who listen in on a call learn of it."""

from enum import StrEnum

import msgspec


class FeedbackKind(StrEnum):
    """What is asked for."""

    NACK = "nack"
    """Packets that are missing (RFC 4585, section 6.2.1)."""

    PLI = "pli"
    """A key frame, since pictures are missing (RFC 4585, section 6.3.1)."""

    FIR = "fir"
    """A key frame, for somebody new (RFC 5104, section 4.3.1)."""


class VideoFeedback(msgspec.Struct, frozen=True, gc=False):
    """One such wish."""

    kind: FeedbackKind
    ssrc: int
    """Of the stream that it is about."""

    is_ours: bool
    """Whether we sent it, about what comes; else the peer sent it, about what we send."""

    at_s: float
    """Monotonic."""

    packets: int = 0
    """That a NACK asks for."""
