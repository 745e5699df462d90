"""What the two ends of a link agreed to send of pictures, and the numbers that we offer it with (RFC 3264, RFC 8285)."""

from dataclasses import dataclass
from typing import Final

VIDEO_CLOCK_HZ: Final = 90_000
"""Of RTP timestamps of every kind of picture (RFC 7741, section 6.1)."""

TRANSPORT_SEQUENCE_ID: Final = 5
"""Ids 1 and 2 are the audio's: in one BUNDLE an id means one thing (RFC 8843, section 9.2)."""

TRANSPORT_SEQUENCE_URI: Final = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
"""What browsers know the extension by; the draft never became an RFC."""


@dataclass(frozen=True, slots=True)
class VideoFormat:
    """What both sides agreed to send."""

    vp8: int
    """Payload type of VP8, 0 to 127."""

    rtx: int | None = None
    """Payload type of packets that go again as a stream of their own (RFC 4588); None: nothing goes again."""

    transport_sequence_id: int | None = None
    """Id of the extension that numbers packets for the feedback on their arrival; None: there is no such feedback."""

    nack: bool = False
    """Whether who misses packets may ask for them (RFC 4585)."""

    pli: bool = False
    """Whether who cannot go on may ask for a picture that needs no other (RFC 4585)."""

    fir: bool = False
    """Whether who has just come may (RFC 5104)."""


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
