"""What one RTP packet carries of a picture, whichever way it is encoded."""

from typing import Final

import msgspec

MAX_PAYLOAD_BYTES: Final = 1_100
"""Of one packet, descriptors included: with headers, SRTP's tag, UDP and IPv6 it fits a path of 1,280 bytes."""


class PicturePayload(msgspec.Struct, frozen=True, gc=False):
    """One payload, read."""

    data: bytes
    """Its part of the encoded picture."""

    begins_frame: bool
    begins_key: bool
    """Whether a frame that needs no other begins in it."""
