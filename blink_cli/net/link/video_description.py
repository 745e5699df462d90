"""The section of a session description that is about pictures: what we write, and what we accept of a stranger's (RFC 8866, RFC 8843).

A call begins with audio alone, in a description that every build and browser reads. Pictures are added to a link that stands: they go over the same
transport (BUNDLE), so nothing of it is negotiated anew, and only this section is said, over the link itself (video_messages.py). Browsers are given
whole descriptions: `whole_description` puts the section behind the audio's. Pure: text comes in.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from blink_cli.core.errors import WireError
from blink_cli.core.media.video.video_format import (
    H264_LEVEL,
    TRANSPORT_SEQUENCE_URI,
    VIDEO_CLOCK_HZ,
    CodecFormat,
    VideoFormat,
    VideoSources,
)
from blink_cli.core.media.video_codec import VideoCodec

MAX_SECTION_CHARACTERS: Final = 12_000
"""Ours have about 800; Chromium's, with every codec it knows, about 6,000."""

MAX_LINES: Final = 400
MAX_LINE_CHARACTERS: Final = 512

VIDEO_MID: Final = "video"
"""The section's name in our offers: unlike a number, no audio section has it."""

_TOKEN: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`{|}~-]{1,32}")
_ALPHABET: Final = re.compile(r"[\x20-\x7e\r\n]*")
_SECTION: Final = re.compile(r"^m=video (\d{1,5}) UDP/TLS/RTP/SAVPF ([0-9 ]{1,255})$")
_DIRECTIONS: Final = frozenset({"sendrecv", "sendonly", "recvonly", "inactive"})
_TRANSPORT_LINES: Final = ("a=ice-ufrag:", "a=ice-pwd:", "a=fingerprint:", "a=setup:")


@dataclass(frozen=True, slots=True)
class VideoSection:
    """One side's word on pictures."""

    mid: str
    format: VideoFormat | None
    """None: it wants none, or nothing that we know."""

    sources: VideoSources | None = None
    """None: it does not say which streams it sends."""

    direction: str = "sendrecv"

    @property
    def sends(self) -> bool:
        """Whether pictures may come."""
        return self.direction in ("sendrecv", "sendonly")

    @property
    def receives(self) -> bool:
        """Whether pictures may go there."""
        return self.direction in ("sendrecv", "recvonly")


def write_section(section: VideoSection, *, cname: str) -> str:
    """The section as text, without what it shares with the audio: candidates, credentials, fingerprint.

    The level of H.264 is what we take, unless both must take the same.
    """
    media = section.format
    if media is None:
        return f"m=video 0 UDP/TLS/RTP/SAVPF 0\r\nc=IN IP4 0.0.0.0\r\na=mid:{section.mid}\r\na=inactive\r\n"
    numbers = [number for one in media.codecs for number in (one.payload_type, one.rtx) if number is not None]
    lines = [
        f"m=video 9 UDP/TLS/RTP/SAVPF {' '.join(map(str, numbers))}",
        "c=IN IP4 0.0.0.0",
        f"a=mid:{section.mid}",
        f"a={section.direction}",
        "a=rtcp-mux",
    ]
    if media.transport_sequence_id is not None:
        lines.append(f"a=extmap:{media.transport_sequence_id} {TRANSPORT_SEQUENCE_URI}")
    for one in media.codecs:
        lines += _codec_lines(media, one)
    sources = section.sources
    goes_again = any(one.rtx is not None for one in media.codecs)
    if sources is not None:
        if goes_again and sources.rtx_ssrc is not None:
            lines.append(f"a=ssrc-group:FID {sources.ssrc} {sources.rtx_ssrc}")
        # In this order: Chromium takes the first source for the pictures, whatever the group says.
        lines.append(f"a=ssrc:{sources.ssrc} cname:{cname}")
        if goes_again and sources.rtx_ssrc is not None:
            lines.append(f"a=ssrc:{sources.rtx_ssrc} cname:{cname}")
    return "\r\n".join(lines) + "\r\n"


def _codec_lines(media: VideoFormat, one: CodecFormat) -> list[str]:
    number = one.payload_type
    level = H264_LEVEL if one.level_asymmetry else one.level
    lines = [f"a=rtpmap:{number} {one.codec.value}/{VIDEO_CLOCK_HZ}"]
    if one.codec is VideoCodec.H264:
        asymmetry = f"level-asymmetry-allowed={one.level_asymmetry:d}"
        lines.append(
            f"a=fmtp:{number} {asymmetry};packetization-mode=1;profile-level-id={_CONSTRAINED_BASELINE}{level:02x}"
        )
    told = (
        ("transport-cc", media.transport_sequence_id is not None),
        ("nack", media.nack),
        ("nack pli", media.pli),
        ("ccm fir", media.fir),
    )
    lines += [f"a=rtcp-fb:{number} {what}" for what, is_agreed in told if is_agreed]
    if one.rtx is not None:
        lines += [f"a=rtpmap:{one.rtx} rtx/{VIDEO_CLOCK_HZ}", f"a=fmtp:{one.rtx} apt={number}"]
    return lines


def read_section(text: str) -> VideoSection:
    """Check and read the other side's section, with or without what it shares with the audio.

    Raises:
        WireError: It is no section for pictures. One that has nothing that we know is read as one that wants none.

    """
    if len(text) > MAX_SECTION_CHARACTERS or _ALPHABET.fullmatch(text) is None:
        raise WireError("the video section is too long or not ASCII text")
    lines = text.splitlines()
    if not lines or len(lines) > MAX_LINES or any(len(line) > MAX_LINE_CHARACTERS for line in lines):
        raise WireError("the video section has no, too many or too long lines")
    head = _SECTION.match(lines[0])
    if head is None:
        raise WireError("the section is not for video")
    mid = _first(lines, r"a=mid:(.+)") or VIDEO_MID
    if _TOKEN.fullmatch(mid) is None:
        raise WireError("the video section's name is not a token")
    direction = next((line[2:] for line in lines if line[2:] in _DIRECTIONS and line[:2] == "a="), "sendrecv")
    media = None if head[1] == "0" else _read_format(lines, [int(word) for word in head[2].split()])
    return VideoSection(mid, media, _read_sources(lines), direction)


def _read_format(lines: list[str], numbers: list[int]) -> VideoFormat | None:
    """What we know of it, the first of each codec."""
    codecs: dict[VideoCodec, CodecFormat] = {}
    for number in numbers:
        one = _read_codec(lines, number, numbers) if number < 128 else None
        if one is not None:
            codecs.setdefault(one.codec, one)
    if not codecs:
        return None

    def has(what: str) -> bool:
        return all(
            any(line in (f"a=rtcp-fb:{one.payload_type} {what}", f"a=rtcp-fb:* {what}") for line in lines)
            for one in codecs.values()
        )

    numbering = _first(lines, rf"a=extmap:(\d{{1,3}})(?:/\w+)? {re.escape(TRANSPORT_SEQUENCE_URI)}(?: .*)?")
    element = None if numbering is None or not has("transport-cc") else int(numbering)
    return VideoFormat(
        tuple(codecs.values()),
        element if element is not None and 1 <= element <= 14 else None,
        nack=has("nack"),
        pli=has("nack pli"),
        fir=has("ccm fir"),
    )


def _read_codec(lines: list[str], number: int, numbers: list[int]) -> CodecFormat | None:
    """What a payload type stands for; None where it is nothing that we know."""
    name = _first(lines, rf"a=rtpmap:{number} ([A-Za-z0-9]+)/{VIDEO_CLOCK_HZ}")
    codec = next((one for one in VideoCodec if name is not None and one.value == name.upper()), None)
    if codec is None:
        return None
    rtx = next(
        (
            other
            for other in numbers
            if other < 128
            and _has(lines, rf"a=rtpmap:{other} rtx/{VIDEO_CLOCK_HZ}", re.IGNORECASE)
            and _has(lines, rf"a=fmtp:{other} apt={number}(?:;.*)?")
        ),
        None,
    )
    if codec is not VideoCodec.H264:
        return CodecFormat(codec, number, rtx)
    told = _parameters(_first(lines, rf"a=fmtp:{number} (.+)") or "")
    profile = _PROFILE.fullmatch(told.get("profile-level-id", ""))
    if profile is None or told.get("packetization-mode") != "1":
        return None
    constraints, level = int(profile[1], 16), int(profile[2], 16)
    if not constraints & _CONSTRAINED:
        return None
    asymmetry = told.get("level-asymmetry-allowed") == "1"
    return CodecFormat(codec, number, rtx, level, asymmetry)


def _parameters(text: str) -> dict[str, str]:
    """Of a format (RFC 8866, section 6.15)."""
    pairs = (part.strip().partition("=") for part in text.split(";"))
    return {name.lower(): value.lower() for name, _, value in pairs}


_CONSTRAINED_BASELINE: Final = "42e0"
"""The first two octets of profile-level-id (RFC 6184, section 8.1)."""

_CONSTRAINED: Final = 0x40
"""constraint_set1_flag: of Baseline only what decoders of the other profiles know too, which browsers and FFmpeg are."""

_PROFILE: Final = re.compile(r"42([0-9a-f]{2})([0-9a-f]{2})")


def _read_sources(lines: list[str]) -> VideoSources | None:
    pair = next((found for line in lines if (found := _FID.fullmatch(line))), None)
    if pair is not None:
        return VideoSources(int(pair[1]) & 0xFFFFFFFF, int(pair[2]) & 0xFFFFFFFF)
    alone = _first(lines, r"a=ssrc:(\d{1,10}) .*")
    return None if alone is None else VideoSources(int(alone) & 0xFFFFFFFF)


_FID: Final = re.compile(r"a=ssrc-group:FID (\d{1,10}) (\d{1,10})")


def _has(lines: list[str], pattern: str, flags: int = 0) -> bool:
    return any(re.fullmatch(pattern, line, flags) for line in lines)


def _first(lines: list[str], pattern: str) -> str | None:
    found = (re.fullmatch(pattern, line) for line in lines)
    return next((match[1] for match in found if match is not None), None)


def agreed_section(offer: VideoSection, wanted: VideoFormat, sources: VideoSources | None) -> VideoSection:
    """Our answer to an offer: its numbers (RFC 3264, section 6.1), and of what both know.

    Args:
        offer: The other side's.
        wanted: What we would offer.
        sources: Ours; None: we send nothing.

    """
    theirs = offer.format
    nack = theirs is not None and theirs.nack and wanted.nack
    both = () if theirs is None else tuple(_agreed_codecs(theirs, wanted, nack=nack))
    if theirs is None or not both:
        return VideoSection(offer.mid, None)
    agreed = VideoFormat(
        both,
        theirs.transport_sequence_id if wanted.transport_sequence_id is not None else None,
        nack=nack,
        pli=theirs.pli and wanted.pli,
        fir=theirs.fir and wanted.fir,
    )
    return VideoSection(offer.mid, agreed, sources, _REVERSED[offer.direction])


def _agreed_codecs(theirs: VideoFormat, wanted: VideoFormat, *, nack: bool) -> Iterator[CodecFormat]:
    """In the order of the offer, with the level that the offerer takes."""
    for one in theirs.codecs:
        ours = wanted.of(one.codec)
        if ours is not None:
            asymmetry = one.level_asymmetry and ours.level_asymmetry
            level = one.level if asymmetry else min(one.level, ours.level)
            rtx = one.rtx if nack and ours.rtx is not None else None
            yield CodecFormat(one.codec, one.payload_type, rtx, level, asymmetry)


_REVERSED: Final = {
    "sendrecv": "sendrecv",
    "sendonly": "recvonly",
    "recvonly": "sendonly",
    "inactive": "inactive",
}


def split_sections(text: str) -> tuple[str, list[str]]:
    """A whole description in two: its head with the first media section, and the sections behind that."""
    begin = [found.start() for found in re.finditer(r"^m=", text, re.MULTILINE)]
    ends = [*begin[1:], len(text)]
    first = text[: ends[0]] if begin else text
    return first, [text[at:end] for at, end in zip(begin[1:], ends[1:], strict=True)]


def whole_description(audio: str, section: str, *, mid: str, version: int) -> str:
    """A description with both sections, for browsers.

    Args:
        audio: Our description as it was said when the link was made.
        section: As `write_section` writes it.
        mid: Its name.
        version: Of the origin line; grows with each description of the link.

    """
    text = re.sub(r"^(o=- \d+) \d+ ", rf"\g<1> {version} ", audio, count=1, flags=re.MULTILINE)
    text = re.sub(r"^(a=group:BUNDLE [^\r\n]+)", rf"\g<1> {mid}", text, count=1, flags=re.MULTILINE)
    shared = [line for line in audio.splitlines() if line.startswith(_TRANSPORT_LINES)]
    return text + section + "".join(f"{line}\r\n" for line in shared)
