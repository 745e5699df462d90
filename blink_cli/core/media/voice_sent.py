"""What went out of the voice of a link, as its pictures need to know: they leave in the gaps that it leaves."""

import msgspec


class VoiceSent(msgspec.Struct, frozen=True, gc=False):
    """What went out of the voice of a link."""

    last_at: float
    """When its newest packet left, monotonic; what went again does not count."""

    last_bytes: int
    """Of that packet, of RTP."""

    every_s: float
    """How much sound one holds: so much later the next one is due."""

    packets: int
    """In all, with what went again."""

    bytes: int
    """Likewise, of RTP."""
