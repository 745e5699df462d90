"""Session descriptions of a link: what we write, and what we accept of a stranger's (RFC 8866, RFC 8829).

A description that comes in passes three gates: its size and alphabet before anything reads it, aiortc's parser, and
the rules below. What comes out are typed values; nothing of the text goes further. A peer may be invited and hostile
all the same: every gate answers with WireError.
"""

import ipaddress
import math
import re
from dataclasses import replace
from typing import Final

import msgspec

from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.core.errors import WireError
from blink_cli.core.media.extended_report import STATISTICS_SUMMARY, VOIP_METRICS
from blink_cli.core.media.media_format import MediaFormat
from blink_cli.core.media.receiver_wishes import ReceiverWishes
from blink_cli.core.media.rtp_header import AUDIO_LEVEL_URI
from blink_cli.net.library_parts import (
    MediaDescription,
    RTCDtlsFingerprint,
    RTCDtlsParameters,
    RTCIceCandidate,
    RTCIceParameters,
    SessionDescription,
    candidate_from_sdp,
    candidate_to_sdp,
)
from blink_cli.net.link.secure_transport import LocalTransport, RemoteTransport

MAX_SDP_CHARACTERS: Final = 16_384
"""Ours have about 900; a browser's with audio and every codec about 4,000."""

MAX_SDP_LINES: Final = 300
MAX_LINE_CHARACTERS: Final = 512

MAX_CANDIDATES_READ: Final = 200
"""A machine with a hundred addresses may name them all. Few are used: the link ranks them (net/ice/address_ranking.py)."""

OPUS_PAYLOAD_TYPE: Final = 111
"""The number that browsers offer Opus with."""

RED_PAYLOAD_TYPE: Final = 63
"""The number that browsers offer RED with; 35 to 63 are free to be negotiated since RFC 5761."""

SHORTEST_PACKET_MS: Final = 3
LONGEST_PACKET_MS: Final = 120
"""Any Opus packet is taken (RFC 6716, section 3.2.5): 2.5 ms, rounded up, to 120."""

AUDIO_LEVEL_ID: Final = 1
ENCRYPTED_LEVEL_ID: Final = 2

ENCRYPTED_EXTMAP: Final = "blink-extmap"
"""Says what RFC 6904, section 4, says by `extmap`: there aiortc's parser, and with it every older build, refuses the whole description for the
third word in the line. What does not know this attribute ignores it (RFC 8866, section 5.13)."""

ENCRYPTED_URI: Final = "urn:ietf:params:rtp-hdrext:encrypt"

DRED_PARAMETER: Final = "blink-dred"
"""Says which version of DRED we read in Opus packets, while the drafts of mlcodec give no parameter for it; who does not know it ignores it (RFC 7587,
section 6.1: a receiver ignores parameters that it does not know)."""

RTX_SOURCE: Final = "blink-rtx-ssrc"
"""Says what RFC 5576, section 4.2, says by `ssrc-group:FID`: Chromium knows no retransmission of audio, and refuses a whole description that has a second
source of audio."""

EXTENDED_REPORTS: Final = f"a=rtcp-xr:{VOIP_METRICS} {STATISTICS_SUMMARY}=loss,dup,jitt"
"""The extended reports that we want to get (RFC 3611, section 5.1). Each side says so for itself (section 5.2); what does not know it ignores it."""

_EXTENDED: Final = re.compile(r"^a=rtcp-xr:([^\r\n]*)", re.MULTILINE)
_RTX_SOURCE: Final = re.compile(
    rf"^a=(?:{RTX_SOURCE}:|ssrc-group:FID \d{{1,10}} )(\d{{1,10}})\r?$", re.MULTILINE
)
_ICE_TEXT: Final = re.compile(r"[A-Za-z0-9+/]+")
_TOKEN: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`{|}~-]{1,32}")
_NUMBER: Final = re.compile(r"[0-9]{1,6}")
_MOST_SOURCES: Final = 4
_ALPHABET: Final = re.compile(r"[\x20-\x7e\r\n]*")
_FINGERPRINT_CHARACTERS: Final = {"sha-256": 95, "sha-384": 143, "sha-512": 191}
_ENCRYPTED_LEVEL: Final = re.compile(
    rf"^a={ENCRYPTED_EXTMAP}:(\d{{1,3}}) {ENCRYPTED_URI} {AUDIO_LEVEL_URI}\r?$", re.MULTILINE
)
_EXTMAP_REST: Final = re.compile(r"^(a=extmap:[^ \r\n]+ [^ \r\n]+) [^\r\n]*", re.MULTILINE)
"""Attributes of an extension, such as RFC 6464's `vad=on`: legal, and too much for aiortc's parser."""

_PARSER_FAILURES: Final = (
    AssertionError,
    AttributeError,
    IndexError,
    KeyError,
    StopIteration,
    TypeError,
    ValueError,
)
"""What aiortc's parser raises on text that is not SDP; it has no exception of its own."""


class RemoteDescription(msgspec.Struct, frozen=True):
    """A checked description of the other side."""

    format: MediaFormat
    wishes: ReceiverWishes
    mid: str
    bundled: bool
    direction: str
    ssrcs: tuple[int, ...]
    """Announced sources, that of its retransmissions included, at most five; empty when the other side does not say."""

    setup: str
    """DTLS: `auto` (only in an offer), `client` or `server`."""

    transport: RemoteTransport
    extended_reports: frozenset[str]
    """Which of those that we can send (RFC 3611) it wants to get."""


def write_description(
    local: LocalTransport,
    media: MediaFormat,
    *,
    session_id: int,
    ssrc: int,
    rtx_ssrc: int | None = None,
    cname: str,
    setup: str,
    dtx: bool,
    stereo: bool = False,
    packet_ms: float = 20,
    mid: str = "0",
    bundled: bool = True,
    direction: str = "sendrecv",
) -> str:
    """Our description as text: one audio section with Opus, and RED behind it.

    Args:
        local: Candidates, credentials and fingerprint.
        media: Payload types and extension id to state.
        session_id: Of the origin line; any number that does not repeat.
        ssrc: Of the stream that we send.
        rtx_ssrc: Of that on which its packets go again, where `media` has a payload type for it.
        cname: Canonical name of RTCP; a random one, since it says the same to every peer.
        setup: `actpass` in an offer, `active` or `passive` in an answer.
        dtx: State `usedtx=1`.
        stereo: State that two channels are sent, and wanted (RFC 7587, section 6.1). Whoever says nothing of it is sent them all the same: every
            decoder takes them, and there is one encoder for everybody.
        packet_ms: Length of the packets that are sent, which is the one that is liked best.
        mid: Name of the section; in an answer the offer's.
        bundled: Whether to state the BUNDLE group; in an answer as in the offer.
        direction: In an answer the reverse of the offer's.

    """
    formats = [media.opus] if media.red is None else [media.opus, media.red]
    if media.red_first:
        formats.reverse()
    if media.rtx is not None:
        formats.append(media.rtx)
    fmtp = f"minptime={SHORTEST_PACKET_MS};useinbandfec=1" + (";usedtx=1" if dtx else "")
    fmtp += ";stereo=1;sprop-stereo=1" if stereo else ""
    fmtp += "" if media.dred is None else f";{DRED_PARAMETER}={media.dred}"
    lines = ["v=0", f"o=- {session_id} 1 IN IP4 0.0.0.0", "s=-", "t=0 0"]
    if bundled:
        lines.append(f"a=group:BUNDLE {mid}")
    lines += [
        f"m=audio 9 UDP/TLS/RTP/SAVPF {' '.join(map(str, formats))}",
        "c=IN IP4 0.0.0.0",
        f"a={direction}",
        f"a=mid:{mid}",
        "a=rtcp-mux",
        EXTENDED_REPORTS,
    ]
    if media.audio_level_id is not None:
        lines.append(f"a=extmap:{media.audio_level_id} {AUDIO_LEVEL_URI}")
    if media.encrypted_level_id is not None:
        lines.append(f"a={ENCRYPTED_EXTMAP}:{media.encrypted_level_id} {ENCRYPTED_URI} {AUDIO_LEVEL_URI}")
    lines += [f"a=rtpmap:{media.opus} opus/{SAMPLE_RATE_HZ}/2", f"a=fmtp:{media.opus} {fmtp}"]
    if media.red is not None:
        lines += [
            f"a=rtpmap:{media.red} red/{SAMPLE_RATE_HZ}/2",
            f"a=fmtp:{media.red} {media.opus}/{media.opus}",
        ]
    if media.nack:
        lines.append(f"a=rtcp-fb:{media.opus} nack")
    if media.rtx is not None:
        lines += [f"a=rtpmap:{media.rtx} rtx/{SAMPLE_RATE_HZ}/2", f"a=fmtp:{media.rtx} apt={media.opus}"]
    # In whole milliseconds, rounded up (RFC 7587, section 6.1).
    lines += [f"a=ptime:{math.ceil(packet_ms)}", f"a=maxptime:{LONGEST_PACKET_MS}"]
    lines.append(f"a=ssrc:{ssrc} cname:{cname}")
    if media.rtx is not None and rtx_ssrc is not None:
        lines.append(f"a={RTX_SOURCE}:{rtx_ssrc}")
    lines += [f"a=candidate:{candidate_to_sdp(_without_zone(candidate))}" for candidate in local.candidates]
    lines += [
        "a=end-of-candidates",
        f"a=ice-ufrag:{local.ice.usernameFragment}",
        f"a=ice-pwd:{local.ice.password}",
    ]
    lines += [
        f"a=fingerprint:{fingerprint.algorithm} {fingerprint.value}"
        for fingerprint in local.dtls.fingerprints
        if fingerprint.algorithm == "sha-256"
    ]
    lines.append(f"a=setup:{setup}")
    return "\r\n".join(lines) + "\r\n"


def _without_zone(candidate: RTCIceCandidate) -> RTCIceCandidate:
    """As others see it: a zone means something on one machine only (RFC 4007, section 11.2)."""
    related = candidate.relatedAddress
    return replace(
        candidate,
        ip=candidate.ip.partition("%")[0],
        relatedAddress=None if related is None else related.partition("%")[0],
    )


def read_description(text: str, *, is_answer: bool, loopback: bool) -> RemoteDescription:
    """Check and read the other side's description.

    Args:
        text: As it came.
        is_answer: An answer must choose its DTLS role.
        loopback: Whether loopback candidates are believed: only when we use loopback ourselves, or a stranger could
            make us knock at services of this machine.

    Raises:
        WireError: Anything is wrong with it.

    """
    _check_text(text)
    try:
        session = SessionDescription.parse(_EXTMAP_REST.sub(r"\1", text))
    except _PARSER_FAILURES as failure:
        raise WireError("the session description cannot be read") from failure
    if len(session.media) != 1:
        raise WireError("the session description has not exactly one media section")
    media = session.media[0]
    if media.kind != "audio" or not media.rtcp_mux:
        raise WireError("the session description is not for audio with RTCP multiplexed")
    mid = media.rtp.muxId or "0"
    if _TOKEN.fullmatch(mid) is None:
        raise WireError("the media section's name is not a token")
    setup = media.dtls.role if media.dtls is not None else ""
    if setup not in (("client", "server") if is_answer else ("auto", "client", "server")):
        raise WireError("the session description does not say its DTLS role")
    agreed = _read_format(media)
    return RemoteDescription(
        format=msgspec.structs.replace(
            agreed,
            encrypted_level_id=_read_encrypted_level_id(text),
            dred=_read_dred(text, agreed.opus),
            nack=re.search(rf"^a=rtcp-fb:(?:{agreed.opus}|\*) nack\r?$", text, re.MULTILINE) is not None,
        ),
        wishes=_read_wishes(text, agreed.opus),
        mid=mid,
        bundled=any(group.semantic == "BUNDLE" and mid in group.items for group in session.group),
        direction=media.direction or "sendrecv",
        ssrcs=_read_sources(media, text),
        setup=setup,
        transport=_read_transport(media, loopback=loopback),
        extended_reports=_read_extended_reports(text),
    )


def read_candidate(text: str, *, loopback: bool) -> RTCIceCandidate | None:
    """Check and read one candidate that came later, with or without its `candidate:` (RFC 8840, section 4.2).

    Returns:
        None for one that we do not use, such as TCP, or an address that no peer has.

    Raises:
        WireError: It is not a candidate.

    """
    if len(text) > MAX_LINE_CHARACTERS or _ALPHABET.fullmatch(text) is None:
        raise WireError("the candidate is too long or not ASCII")
    try:
        candidate = candidate_from_sdp(text.removeprefix("a=").removeprefix("candidate:"))
    except _PARSER_FAILURES as failure:
        raise WireError("the candidate cannot be read") from failure
    if not is_usable(candidate, loopback=loopback):
        return None
    candidate.sdpMLineIndex = 0
    return candidate


def is_usable(candidate: RTCIceCandidate, *, loopback: bool) -> bool:
    """Whether we are willing to send connectivity checks to this candidate.

    Ports below 1024 belong to services and not to peers, but for 80 and 443 on a public address, where TURN servers
    hide from firewalls. Source: the rule of libwebrtc's P2PTransportChannel.
    """
    if candidate.component != 1 or candidate.protocol.lower() != "udp":
        return False
    if candidate.type not in ("host", "srflx", "relay") or not 0 < candidate.priority < 2**32:
        return False
    try:
        address = ipaddress.ip_address(candidate.ip)
    except ValueError:  # mDNS names are not looked up: that would ask the network on a stranger's word
        return False
    is_peer_port = 1024 <= candidate.port <= 65535 or (candidate.port in (80, 443) and address.is_global)
    return is_peer_port and _is_peer_address(address, loopback=loopback)


def _is_peer_address(address: ipaddress.IPv4Address | ipaddress.IPv6Address, *, loopback: bool) -> bool:
    if isinstance(address, ipaddress.IPv6Address) and (
        address.ipv4_mapped is not None or address.scope_id is not None
    ):
        return False  # a zone is the other side's own name for one of its interfaces
    if address.is_loopback:
        return loopback
    return not (address.is_multicast or address.is_unspecified or address == _BROADCAST)


_BROADCAST: Final = ipaddress.ip_address("255.255.255.255")


def _check_text(text: str) -> None:
    if len(text) > MAX_SDP_CHARACTERS:
        raise WireError("the session description is too long")
    if _ALPHABET.fullmatch(text) is None:
        raise WireError("the session description is not ASCII text")
    lines = text.splitlines()
    if len(lines) > MAX_SDP_LINES or any(len(line) > MAX_LINE_CHARACTERS for line in lines):
        raise WireError("the session description has too many or too long lines")
    if sum(line.startswith("m=") for line in lines) != 1:
        raise WireError("the session description has not exactly one media section")
    if sum(line.startswith("a=candidate:") for line in lines) > MAX_CANDIDATES_READ:
        raise WireError("the session description has too many candidates")


def _read_format(media: MediaDescription) -> MediaFormat:
    opus: int | None = None
    for codec in media.rtp.codecs:
        if (
            codec.mimeType.lower() == "audio/opus"
            and codec.clockRate == SAMPLE_RATE_HZ
            and codec.channels == 2
        ):
            opus = codec.payloadType
            break
    if opus is None or not 0 <= opus <= 127 or opus not in media.fmt:
        raise WireError("the session description has no Opus")
    red: int | None = None
    for codec in media.rtp.codecs:
        number = codec.payloadType
        if (
            codec.mimeType.lower() == "audio/red"
            and codec.clockRate == SAMPLE_RATE_HZ
            and number in media.fmt
        ):
            carried = "/".join(codec.parameters)  # `111/111` is read as a parameter's name
            if number is not None and number < 128 and set(carried.split("/")) == {str(opus)}:
                red = number
                break
    rtx = next(
        (
            codec.payloadType
            for codec in media.rtp.codecs
            if codec.mimeType.lower() == "audio/rtx"
            and codec.payloadType is not None
            and codec.payloadType in media.fmt
            and codec.payloadType < 128
            and codec.clockRate == SAMPLE_RATE_HZ
            and codec.parameters.get("apt") == opus
        ),
        None,
    )
    level = next((x.id for x in media.rtp.headerExtensions if x.uri == AUDIO_LEVEL_URI), None)
    return MediaFormat(
        opus,
        red,
        level if level is not None and 1 <= level <= 14 else None,
        red_first=red is not None and media.fmt.index(red) < media.fmt.index(opus),
        rtx=rtx,
    )


def _read_wishes(text: str, opus: int) -> ReceiverWishes:
    """What is wished of an Opus stream. What makes no sense is no wish: a description is not refused for it."""
    said = {
        name.strip().lower(): value.strip()
        for line in re.findall(rf"^a=fmtp:{opus} ([^\r\n]*)", text, re.MULTILINE)
        for name, equals, value in (part.partition("=") for part in line.split(";"))
        if equals
    }
    longest = re.search(r"^a=maxptime:(\d{1,6})", text, re.MULTILINE)
    return ReceiverWishes(
        shortest_packet_ms=_whole_number(said.get("minptime", "")),
        longest_packet_ms=None if longest is None else _whole_number(longest[1]),
        most_bitrate_bps=_whole_number(said.get("maxaveragebitrate", "")),
        no_stereo=said.get("stereo") == "0",
        no_dtx=said.get("usedtx") == "0",
        cbr=said.get("cbr") == "1",
    )


def _read_dred(text: str, opus: int) -> int | None:
    found = re.search(
        rf"^a=fmtp:{opus} (?:[^\r\n]*;)?\s*{DRED_PARAMETER}=(\d{{1,3}})(?:;|\r?$)", text, re.MULTILINE
    )
    return None if found is None else int(found[1])


def _read_extended_reports(text: str) -> frozenset[str]:
    # Before the section, or in it (section 5.1); what follows a `=` limits what we do not send anyway.
    wanted = {word.partition("=")[0] for line in _EXTENDED.findall(text) for word in line.split()}
    return frozenset({VOIP_METRICS, STATISTICS_SUMMARY} & wanted)


def _read_sources(media: MediaDescription, text: str) -> tuple[int, ...]:
    announced = [source.ssrc & 0xFFFFFFFF for source in media.ssrc[:_MOST_SOURCES]]
    again = _RTX_SOURCE.search(text)
    if announced and again is not None:  # where none is announced, all are learned
        announced.append(int(again[1]) & 0xFFFFFFFF)
    return tuple(dict.fromkeys(announced))


def _whole_number(text: str) -> int | None:
    return int(text) if _NUMBER.fullmatch(text) else None


def _read_encrypted_level_id(text: str) -> int | None:
    found = _ENCRYPTED_LEVEL.search(text)
    number = 0 if found is None else int(found[1])
    return number if 1 <= number <= 14 else None


def _read_transport(media: MediaDescription, *, loopback: bool) -> RemoteTransport:
    ice = media.ice or RTCIceParameters()
    username, password = ice.usernameFragment or "", ice.password or ""
    if not 4 <= len(username) <= 256 or _ICE_TEXT.fullmatch(username) is None:
        raise WireError("the ICE user name is not one")
    if not 22 <= len(password) <= 256 or _ICE_TEXT.fullmatch(password) is None:
        raise WireError("the ICE password is not one")
    fingerprints = [
        RTCDtlsFingerprint(fingerprint.algorithm.lower(), fingerprint.value.upper())
        for fingerprint in (media.dtls.fingerprints if media.dtls is not None else [])
        if _FINGERPRINT_CHARACTERS.get(fingerprint.algorithm.lower()) == len(fingerprint.value)
    ]
    if not fingerprints:
        raise WireError("the session description has no usable DTLS fingerprint")
    usable = [candidate for candidate in media.ice_candidates if is_usable(candidate, loopback=loopback)]
    return RemoteTransport(
        ice=RTCIceParameters(username, password, iceLite=ice.iceLite),
        candidates=tuple(usable),
        candidates_complete=media.ice_candidates_complete,
        dtls=RTCDtlsParameters(fingerprints=fingerprints, role=media.dtls.role if media.dtls else "auto"),
    )
