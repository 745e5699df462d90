"""How two sessions agree on pictures over a link that stands: the video section of a description, in RTCP of our own (RFC 3550, section 6.7).

    RR, empty | APP `BLNK`, subtype 2 | kind, number | section as text, zeros behind it

The link is authentic, encrypted, and there: a signal would have to find its way past every change of the call. Builds that know no video pass the
packet over, as RFC 3550 tells them to; who hears no answer has been told that there is no video.
"""

import struct
from typing import Final

import msgspec

from blink_cli.core.errors import WireError
from blink_cli.core.media.rtcp import APP_NAME

VIDEO_SUBTYPE: Final = 2
MAX_SECTION_BYTES: Final = 1_200
"""With the rest it fits a path of 1,280 bytes."""

OFFER: Final = 1
ANSWER: Final = 2

_REPORT: Final = struct.Struct("!BBHI")
_APP: Final = struct.Struct("!BBHI")
_RR: Final = 201
_APP_KIND: Final = 204
_TEXT_AT: Final = 22


class VideoMessage(msgspec.Struct, frozen=True, gc=False):
    """One side's word."""

    kind: int
    """`OFFER` or `ANSWER`."""

    number: int
    """0 to 255, of the offer; an answer has that of its offer."""

    section: str


def write_video_message(ssrc: int, message: VideoMessage) -> bytes:
    """A compound packet with one message; `ssrc` is that of our voice, which the other side knows."""
    text = message.section.encode("ascii")
    body = APP_NAME + bytes((message.kind, message.number)) + text
    body += bytes(-len(body) % 4)
    head = _APP.pack(0x80 | VIDEO_SUBTYPE, _APP_KIND, 1 + len(body) // 4, ssrc)
    return _REPORT.pack(0x80, _RR, 1, ssrc) + head + body


def read_video_message(rtcp: bytes) -> VideoMessage:
    """Read what `is_video_message` knows.

    Raises:
        WireError: It is cut off, too long or no text.

    """
    end = 8 + 4 + 4 * int.from_bytes(rtcp[10:12], "big")
    if not _TEXT_AT < end <= len(rtcp) or end > _TEXT_AT + MAX_SECTION_BYTES:
        raise WireError("the video message is cut off or too long")
    kind, number = rtcp[20], rtcp[21]
    if kind not in (OFFER, ANSWER):
        raise WireError("the video message is neither an offer nor an answer")
    try:
        text = rtcp[_TEXT_AT:end].rstrip(b"\0").decode("ascii")
    except UnicodeDecodeError as failure:
        raise WireError("the video message is no text") from failure
    return VideoMessage(kind, number, text)
