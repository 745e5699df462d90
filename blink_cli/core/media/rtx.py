"""A packet that goes again, as a stream of its own beside the one that it repeats (RFC 4588, section 4).

    RTP header of the retransmission stream | original sequence number, 16 bits | payload

The payload is that of the frame alone: copies of earlier frames that the original carried are left out, since whoever asks for a packet has had the time
to ask for those too. So the payload type that `apt` names is Opus's.
"""

from typing import Final

from blink_cli.core.errors import WireError

RTX_PAYLOAD_TYPE: Final = 62
"""The number that we offer it with. What stands between two sessions knows retransmissions by it."""

RTX_HEADER_BYTES: Final = 2
"""The original sequence number."""


def is_retransmission(datagram: bytes) -> bool:
    """Whether RTP, sealed or not, is what one of our sessions sends again."""
    return len(datagram) > 1 and datagram[1] & 0x7F == RTX_PAYLOAD_TYPE


def pack(original_sequence_number: int, payload: bytes) -> bytes:
    """The payload of a retransmission."""
    return original_sequence_number.to_bytes(RTX_HEADER_BYTES, "big") + payload


def unpack(payload: bytes) -> tuple[int, bytes]:
    """Return the original sequence number and the frame.

    Raises:
        WireError: There is none. Browsers probe a line with empty retransmissions.

    """
    if len(payload) <= RTX_HEADER_BYTES:
        raise WireError("A retransmission carries nothing.")
    return int.from_bytes(payload[:RTX_HEADER_BYTES], "big"), payload[RTX_HEADER_BYTES:]
