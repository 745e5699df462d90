"""What a link lets its pictures use. Apart from them, since a link that carries a voice alone imports none of what they need."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from blink_cli.core.media.rtcp import APP_NAME
from blink_cli.core.media.voice_sent import VoiceSent


@dataclass(frozen=True, slots=True)
class VideoDoors:
    """What a link lets its pictures use."""

    send_rtp: Callable[[bytes], bool]
    send_rtcp: Callable[[bytes], bool]
    expect: Callable[[Collection[int]], None]
    """Let packets of these streams in from now on, by their SSRCs."""

    rtt_s: Callable[[], float | None]
    """The round trip, by the voice's reports."""

    voice_sent: Callable[[], VoiceSent | None]
    """What went out of the voice; None before its first frame."""

    voice_ssrc: int
    cname: str
    wall_offset_s: float
    """From monotonic to wall time; fixed for the link, the voice's."""

    is_offerer: bool
    """Whether this side made the offer of the link: of two video offers at once its one counts (RFC 8829, section 4.1.8.2)."""


def is_video_message(rtcp: bytes) -> bool:
    """Whether a decrypted compound packet carries the other side's word on pictures (video_messages.py); asked of each."""
    return rtcp[8:10] == b"\x82\xcc" and rtcp[16:20] == APP_NAME
