"""RTCP of the pictures of one link, read: what concerns our stream, and what the other side says of its own (RFC 3550, RFC 4585)."""

import struct
from dataclasses import dataclass, field
from typing import Final

from blink_cli.core.media.rtcp import BlockOnWire, SenderInfo, parse_rtcp
from blink_cli.core.media.video.picture_requests import read_picture_requests
from blink_cli.core.media.video.transport_feedback import FEEDBACK_FORMAT, ArrivalFeedback, read_feedback

_HEAD: Final = struct.Struct("!BBH")
_RTPFB: Final = 205
_PSFB: Final = 206


@dataclass(slots=True)
class VideoRtcp:
    """What one compound packet says of pictures."""

    senders: list[SenderInfo] = field(default_factory=list)
    blocks: list[BlockOnWire] = field(default_factory=list)
    missing: list[tuple[int, ...]] = field(default_factory=list)
    """Of each request the numbers, 0 to 65535."""

    key_frames: list[tuple[str, int]] = field(default_factory=list)
    """`pli` or `fir`, and the number of a FIR."""

    feedbacks: list[ArrivalFeedback] = field(default_factory=list)


def read_video_rtcp(data: bytes, own_ssrc: int, peer_ssrc: int | None) -> VideoRtcp:
    """Take a decrypted compound packet apart.

    Args:
        data: The packet.
        own_ssrc: Of our pictures: requests for others are passed over.
        peer_ssrc: Of the peer's: sender reports of others are passed over.

    Raises:
        WireError: A length does not fit.

    """
    contents = parse_rtcp(data)
    found = VideoRtcp(
        senders=[sender for sender in contents.senders if sender.ssrc == peer_ssrc],
        blocks=[block for block in contents.blocks if block.ssrc == own_ssrc],
        missing=[request.sequence_numbers for request in contents.requests if request.ssrc == own_ssrc],
    )
    position = 0
    while position + 4 <= len(data):
        first, kind, words = _HEAD.unpack_from(data, position)
        end = position + 4 + 4 * words
        body = data[position + 4 : end]
        if kind == _RTPFB and first & 0x1F == FEEDBACK_FORMAT:
            found.feedbacks.append(read_feedback(body))
        elif kind == _PSFB:
            wish = read_picture_requests(first & 0x1F, body)
            if wish is not None and wish[1] == own_ssrc:
                found.key_frames.append((wish[0], wish[2]))
        position = end
    return found
