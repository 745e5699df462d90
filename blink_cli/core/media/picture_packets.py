"""By which payload types our sessions know pictures on a link. Apart from all else about pictures: what stands between two sessions asks this of every datagram."""

from typing import Final

VP8_PAYLOAD_TYPE: Final = 96
"""The number that browsers offer VP8 with."""

VIDEO_RTX_PAYLOAD_TYPE: Final = 97

H264_PAYLOAD_TYPE: Final = 98
H264_RTX_PAYLOAD_TYPE: Final = 99

PICTURE_PAYLOAD_TYPES: Final = frozenset(
    {VP8_PAYLOAD_TYPE, VIDEO_RTX_PAYLOAD_TYPE, H264_PAYLOAD_TYPE, H264_RTX_PAYLOAD_TYPE}
)


def carries_pictures(datagram: bytes) -> bool:
    """Whether RTP, sealed or not, is what one of our sessions sends of pictures, for the first time or again."""
    return len(datagram) > 1 and datagram[1] & 0x7F in PICTURE_PAYLOAD_TYPES
