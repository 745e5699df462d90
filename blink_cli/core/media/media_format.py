"""What the two ends of a link agreed to send: payload types and header extensions (RFC 3264, RFC 8285)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MediaFormat:
    """What both sides agreed to send."""

    opus: int
    """Payload type of Opus, 0 to 127."""

    red: int | None
    """Payload type of RED around it (RFC 2198); None when one side does not know it."""

    audio_level_id: int | None
    """Id of the RFC 6464 header extension in the clear; None when one side does not know it, or it is encrypted."""

    red_first: bool = False
    """Whether the offer named RED before Opus. An answer keeps the offer's order (RFC 3264, section 6.1), by which a browser decides what it sends."""

    encrypted_level_id: int | None = None
    """Id of the same extension, its value encrypted (RFC 6904). An offer has both, an answer one of them."""

    @property
    def level_id(self) -> int | None:
        """Of an agreed format: under which id the level is sent; None when it is not."""
        return self.audio_level_id if self.encrypted_level_id is None else self.encrypted_level_id
