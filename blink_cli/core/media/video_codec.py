"""How pictures of a call are encoded."""

from enum import StrEnum


class VideoCodec(StrEnum):
    """Named as in session descriptions (RFC 7741, section 6.1; RFC 6184, section 8.2.1)."""

    VP8 = "VP8"
    """RFC 6386: what every build and every browser has."""

    H264 = "H264"
    """ITU-T H.264, Constrained Baseline."""

    @property
    def mime_type(self) -> str:
        """As W3C's webrtc-stats name it."""
        return f"video/{self.value}"
