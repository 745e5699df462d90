"""Descriptions of a connection that brings pictures alone, for a link that knows of voice first.

    the server's offer, m=video --as_voice--> m=audio with the same transport --MediaLink--> answer --as_pictures--> m=video again

A link's description has one section of audio, and pictures go over its transport. What the server offers for pictures has no audio at all: so the link is
told of a voice that never comes, and its answer is said of the pictures. Pure.
"""

import re
from typing import Final

from blink_cli.core.errors import WireError
from blink_cli.core.media.video.video_format import VideoFormat
from blink_cli.net.link.video_description import VideoSection, agreed_section, read_section, write_section

_OPUS: Final = 111
_OF_PICTURES: Final = ("a=rtpmap:", "a=fmtp:", "a=rtcp-fb:", "a=extmap:", "a=ssrc", "a=msid:", "b=")
_OF_TRANSPORT: Final = ("a=ice-", "a=fingerprint:", "a=setup:", "a=candidate:", "a=end-of-candidates")


def section_of(offer: str) -> str:
    """The only section of an offer, which is for pictures.

    Raises:
        WireError: There is another one, or none.

    """
    begins = [found.start() for found in re.finditer(r"^m=", offer, re.MULTILINE)]
    if len(begins) != 1 or not offer.startswith("m=video ", begins[0]):
        raise WireError("the description is not of pictures alone")
    return offer[begins[0] :]


def as_voice(offer: str) -> str:
    """The same transport, as if a voice came by it.

    Raises:
        WireError: It is no offer of pictures alone.

    """
    section = section_of(offer)
    kept = [
        f"m=audio 9 UDP/TLS/RTP/SAVPF {_OPUS}",
        *(line for line in section.splitlines()[1:] if not line.startswith(_OF_PICTURES)),
        f"a=rtpmap:{_OPUS} opus/48000/2",
    ]
    return offer.removesuffix(section) + "".join(f"{line}\r\n" for line in kept)


def as_pictures(answer: str, offer: str, wanted: VideoFormat) -> str:
    """Our answer about pictures: that of the link, of the voice that never comes, with what we take of the offer.

    Args:
        answer: Of the link, to `as_voice`.
        offer: The server's.
        wanted: What we know of pictures.

    Raises:
        WireError: The offer cannot be read.

    """
    offered = read_section(section_of(offer))
    agreed = agreed_section(offered, wanted, sources=None)
    at = answer.index("m=audio")
    shared = [line for line in answer[at:].splitlines() if line.startswith(_OF_TRANSPORT)]
    section = write_section(VideoSection(offered.mid, agreed.format, None, "recvonly"), cname="")
    return answer[:at] + section + "".join(f"{line}\r\n" for line in shared)
