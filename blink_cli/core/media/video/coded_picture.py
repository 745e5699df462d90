"""One picture as it is encoded, on its way to the network or from it."""

from typing import Final

import msgspec

from blink_cli.core.media.video import h264_stream
from blink_cli.core.media.video_codec import VideoCodec

_KEY_HEAD_BYTES: Final = 10
_START_CODE: Final = b"\x9d\x01\x2a"


class CodedPicture(msgspec.Struct, frozen=True, gc=False):
    """One encoded frame."""

    payload: bytes
    """As its codec has it: of H.264, NAL units behind start codes (Annex B)."""

    timestamp: int
    """RTP timestamp, 0 to 2^32 - 1, at 90 kHz; the same for every peer."""

    is_key: bool
    """Whether it needs no other frame."""

    captured_at: float | None = None
    """Monotonic time at which the camera took it; None where nobody knows, such as of one that was received."""

    arrived_at: float = 0.0
    """Monotonic arrival of the packet that completed it; 0 of one that is sent."""

    codec: VideoCodec = VideoCodec.VP8

    @property
    def key_size(self) -> tuple[int, int] | None:
        """Width and height that a key frame says; None of any other frame, and of what is damaged."""
        if self.codec is VideoCodec.H264:
            return h264_stream.picture_size(self.payload)
        return key_frame_size(self.payload)


def is_key_frame(vp8: bytes) -> bool:
    """Whether an encoded frame needs no other one (RFC 6386, section 9.1: the lowest bit of its first octet)."""
    return bool(vp8) and not vp8[0] & 1


def key_frame_size(vp8: bytes) -> tuple[int, int] | None:
    """Width and height that a key frame says (RFC 6386, section 9.1); None of any other frame, and of what is no VP8."""
    if len(vp8) < _KEY_HEAD_BYTES or vp8[0] & 1 or vp8[3:6] != _START_CODE:
        return None
    return int.from_bytes(vp8[6:8], "little") & 0x3FFF, int.from_bytes(vp8[8:10], "little") & 0x3FFF
