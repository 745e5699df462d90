"""What the two ends of a link agreed to send: payload types and header extensions (RFC 3264, RFC 8285)."""

import msgspec


class MediaFormat(msgspec.Struct, frozen=True):
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

    nack: bool = False
    """Whether who misses packets may ask for them again (RFC 4585)."""

    rtx: int | None = None
    """Payload type of packets that go again as a stream of their own (RFC 4588); None: what is asked for goes again as it was, on its own stream."""

    dred: int | None = None
    """The version of DRED that packets of Opus may carry; None when one side does not read it."""

    @property
    def payload_types(self) -> tuple[int, int | None]:
        """Of Opus and RED: formats with the same ones are played by the same track."""
        return (self.opus, self.red)

    @property
    def level_id(self) -> int | None:
        """Of an agreed format: under which id the level is sent; None when it is not."""
        return self.audio_level_id if self.encrypted_level_id is None else self.encrypted_level_id
