"""What the two ends of a link agreed to send of pictures, and the numbers that we offer it with (RFC 3264, RFC 8285)."""

from dataclasses import dataclass
from typing import Final

from blink_cli.core.media.picture_packets import (
    H264_PAYLOAD_TYPE,
    H264_RTX_PAYLOAD_TYPE,
    VIDEO_RTX_PAYLOAD_TYPE,
    VP8_PAYLOAD_TYPE,
)
from blink_cli.core.media.video_codec import VideoCodec

VIDEO_CLOCK_HZ: Final = 90_000
"""Of RTP timestamps of every kind of picture (RFC 7741, section 6.1)."""

TRANSPORT_SEQUENCE_ID: Final = 5
"""Ids 1 and 2 are the audio's: in one BUNDLE an id means one thing (RFC 8843, section 9.2)."""

TRANSPORT_SEQUENCE_URI: Final = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
"""What browsers know the extension by; the draft never became an RFC."""


H264_LEVEL: Final = 40
"""What we take (ITU-T H.264, table A-1): 1920x1080 at 30 pictures a second."""

_LEVELS: Final = (
    (10, 99, 1_485),
    (11, 396, 3_000),
    (12, 396, 6_000),
    (13, 396, 11_880),
    (20, 396, 11_880),
    (21, 792, 19_800),
    (22, 1_620, 20_250),
    (30, 1_620, 40_500),
    (31, 3_600, 108_000),
    (32, 5_120, 216_000),
    (40, 8_192, 245_760),
    (42, 8_704, 522_240),
    (50, 22_080, 589_824),
)
"""Level, macroblocks of a picture, macroblocks a second. Of levels in between, that of the one below is enough for us."""


@dataclass(frozen=True, slots=True)
class CodecFormat:
    """One codec by which pictures may be sent."""

    codec: VideoCodec
    payload_type: int
    """0 to 127."""

    rtx: int | None = None
    """Payload type of its packets that go again as a stream of their own (RFC 4588); None: nothing goes again."""

    level: int = H264_LEVEL
    """Of H.264, as its level_idc: what the other side takes (RFC 6184, section 8.1)."""

    level_asymmetry: bool = True
    """Of H.264: whether each side may take another level than it sends."""

    def takes(self, width: int, height: int, fps: float) -> bool:
        """Whether pictures of this size may be sent so often."""
        if self.codec is not VideoCodec.H264:
            return True
        blocks = -(-width // 16) * -(-height // 16)
        return any(
            level <= self.level and blocks <= picture and blocks * fps <= second
            for level, picture, second in _LEVELS
        )


@dataclass(frozen=True, slots=True)
class VideoFormat:
    """What both sides agreed to send."""

    codecs: tuple[CodecFormat, ...]
    """Each may be used at any time, and another one from the next key frame on (RFC 3264, section 7); the first is preferred. Not empty."""

    transport_sequence_id: int | None = None
    """Id of the extension that numbers packets for the feedback on their arrival; None: there is no such feedback."""

    nack: bool = False
    """Whether who misses packets may ask for them (RFC 4585)."""

    pli: bool = False
    """Whether who cannot go on may ask for a picture that needs no other (RFC 4585)."""

    fir: bool = False
    """Whether who has just come may (RFC 5104)."""

    def of(self, codec: VideoCodec) -> CodecFormat | None:
        """How this codec is sent; None: it is not."""
        return next((one for one in self.codecs if one.codec is codec), None)

    def numbered(self, payload_type: int) -> CodecFormat | None:
        """Whose payload type this is, of packets that go the first time."""
        return next((one for one in self.codecs if one.payload_type == payload_type), None)

    def repaired_by(self, payload_type: int) -> CodecFormat | None:
        """Whose packets go again by this payload type."""
        return next((one for one in self.codecs if one.rtx == payload_type), None)


_VP8: Final = CodecFormat(VideoCodec.VP8, VP8_PAYLOAD_TYPE, VIDEO_RTX_PAYLOAD_TYPE)
_H264: Final = CodecFormat(VideoCodec.H264, H264_PAYLOAD_TYPE, H264_RTX_PAYLOAD_TYPE)

OFFERED: Final = VideoFormat((_VP8, _H264), TRANSPORT_SEQUENCE_ID, nack=True, pli=True, fir=True)
"""What we offer on a link."""

OFFERED_IN_ROOMS: Final = VideoFormat((_VP8,), TRANSPORT_SEQUENCE_ID, nack=True, pli=True, fir=True)
"""What we offer to a server: it is told of VP8, and whoever subscribes is."""


@dataclass(frozen=True, slots=True)
class VideoSources:
    """The streams of one side."""

    ssrc: int
    rtx_ssrc: int | None = None
    """On which packets go again."""

    @property
    def ssrcs(self) -> tuple[int, ...]:
        """Of both."""
        return (self.ssrc,) if self.rtx_ssrc is None else (self.ssrc, self.rtx_ssrc)
