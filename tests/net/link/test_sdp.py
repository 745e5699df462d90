"""Session descriptions: ours back and forth, a browser's, and a hostile peer's."""

import ipaddress
import random
import string

import pytest
from aiortc import RTCDtlsFingerprint, RTCDtlsParameters, RTCIceCandidate, RTCIceParameters
from hypothesis import given, settings
from hypothesis import strategies as st

from blink_cli.core.errors import WireError
from blink_cli.core.media.media_format import MediaFormat
from blink_cli.core.media.receiver_wishes import NO_WISHES, ReceiverWishes
from blink_cli.net.link.sdp import (
    MAX_CANDIDATES_READ,
    MAX_SDP_CHARACTERS,
    RemoteDescription,
    is_usable,
    read_candidate,
    read_description,
    write_description,
)
from blink_cli.net.link.secure_transport import LocalTransport

pytestmark = pytest.mark.no_clock

DIGEST = ":".join(["AB"] * 32)
LOCAL = LocalTransport(
    ice=RTCIceParameters("abcd", "p" * 22),
    candidates=tuple(
        RTCIceCandidate(1, "f" * 32, f"192.168.1.{n}", 40_000 + n, 2_130_706_431, "udp", "host")
        for n in range(3)
    ),
    dtls=RTCDtlsParameters([RTCDtlsFingerprint("sha-256", DIGEST), RTCDtlsFingerprint("sha-512", "00")]),
)
MEDIA = MediaFormat(opus=111, red=63, audio_level_id=1)


def ours(
    *,
    setup: str = "actpass",
    media: MediaFormat = MEDIA,
    dtx: bool = False,
    stereo: bool = False,
    packet_ms: float = 20,
) -> str:
    return write_description(
        LOCAL, media, session_id=1, ssrc=12345, cname="c0ffee", setup=setup,
        dtx=dtx, stereo=stereo, packet_ms=packet_ms,
    )  # fmt: skip


def offer(text: str, *, loopback: bool = False) -> RemoteDescription:
    return read_description(text, is_answer=False, loopback=loopback)


CHROME = """v=0
o=- 4611731400430051336 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0
a=extmap-allow-mixed
a=msid-semantic: WMS stream
m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126
c=IN IP4 0.0.0.0
a=rtcp:9 IN IP4 0.0.0.0
a=candidate:1467250027 1 udp 2122260223 6f6a2e9c-3f30-4b6a-9f0e-d8d1f6d1b2d4.local 46243 typ host generation 0
a=candidate:1467250028 1 udp 2122260223 192.168.0.196 46244 typ host generation 0 network-id 1
a=candidate:435653019 1 tcp 1518280447 192.168.0.196 9 typ host tcptype active generation 0
a=ice-ufrag:F7gI
a=ice-pwd:x9cml/YzichV2+XlhiMu8gHj
a=ice-options:trickle
a=fingerprint:sha-256 D2:FA:0E:C3:22:59:5E:14:95:69:92:3D:13:B4:84:24:2C:C2:A2:C0:3E:FD:34:8E:5E:EA:6F:AF:52:CE:E6:0F
a=setup:actpass
a=mid:0
a=extmap:14 urn:ietf:params:rtp-hdrext:ssrc-audio-level
a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time
a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid
a=sendrecv
a=msid:stream track
a=rtcp-mux
a=rtcp-rsize
a=rtpmap:111 opus/48000/2
a=rtcp-fb:111 transport-cc
a=fmtp:111 minptime=10;useinbandfec=1
a=rtpmap:63 red/48000/2
a=fmtp:63 111/111
a=rtpmap:9 G722/8000
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:13 CN/8000
a=rtpmap:110 telephone-event/48000
a=rtpmap:126 telephone-event/8000
a=ssrc:3570614608 cname:4TOk42mSjXCkVIa6
a=ssrc:3570614608 msid:stream track
""".replace("\n", "\r\n")


def test_ours_is_small_and_says_what_it_must() -> None:
    text = ours(dtx=True)
    assert len(text) < 1000
    assert "a=fmtp:111 minptime=3;useinbandfec=1;usedtx=1\r\n" in text
    assert "a=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\n" in text
    assert "usedtx" not in ours()


@pytest.mark.parametrize(("packet_ms", "told"), [(2.5, 3), (5, 5), (20, 20), (60, 60)])
def test_the_length_of_packets_is_told_in_whole_milliseconds(packet_ms: float, told: int) -> None:
    text = ours(packet_ms=packet_ms, stereo=True)
    assert f"a=ptime:{told}\r\na=maxptime:120\r\n" in text
    assert "a=fmtp:111 minptime=3;useinbandfec=1;stereo=1;sprop-stereo=1\r\n" in text
    assert offer(text).format == MEDIA
    assert "stereo" not in ours()


def test_ours_is_read_as_written() -> None:
    remote = offer(ours())
    assert remote.format == MEDIA
    assert (remote.mid, remote.bundled, remote.setup, remote.ssrcs) == ("0", True, "auto", (12345,))
    assert [candidate.ip for candidate in remote.transport.candidates] == [
        "192.168.1.0",
        "192.168.1.1",
        "192.168.1.2",
    ]
    assert remote.transport.candidates_complete
    assert [fingerprint.value for fingerprint in remote.transport.dtls.fingerprints] == [DIGEST]
    assert read_description(ours(setup="active"), is_answer=True, loopback=False).setup == "client"


def test_the_redundancy_format_follows_the_agreed_number() -> None:
    text = ours(media=MediaFormat(opus=96, red=112, audio_level_id=3))
    assert "a=fmtp:112 96/96\r\n" in text
    assert offer(text).format == MediaFormat(96, 112, 3)
    assert offer(text.replace("96/96", "0/0")).format.red is None


def test_a_peer_without_redundancy_or_level() -> None:
    assert offer(ours(media=MediaFormat(111, None, None))).format == MediaFormat(111, None, None)


def test_a_browsers_offer() -> None:
    remote = offer(CHROME)
    assert remote.format == MediaFormat(opus=111, red=63, audio_level_id=14)
    assert [candidate.ip for candidate in remote.transport.candidates] == ["192.168.0.196"]
    assert not remote.transport.candidates_complete
    assert remote.ssrcs == (3570614608,)


@pytest.mark.parametrize(
    ("fmtp", "more", "wishes"),
    [
        ("minptime=10;useinbandfec=1", "", ReceiverWishes(shortest_packet_ms=10)),
        (
            "maxaveragebitrate=20000; stereo=0 ; usedtx=0;cbr=1",
            "a=maxptime:60\r\n",
            ReceiverWishes(
                longest_packet_ms=60, most_bitrate_bps=20_000, no_stereo=True, no_dtx=True, cbr=True
            ),
        ),
        ("stereo=1;sprop-stereo=0;usedtx=1;cbr=0", "a=ptime:40\r\n", NO_WISHES),
        ("minptime=-3;maxaveragebitrate=1e9;stereo=00;cbr;usedtx", "a=maxptime:much\r\n", NO_WISHES),
        ("maxaveragebitrate=99999999999999999999", "a=maxptime:\r\n", NO_WISHES),
        ("maxaveragebitrate=\N{ARABIC-INDIC DIGIT ONE}0000", "", None),
    ],
)
def test_what_is_wished_of_the_stream_is_read_and_nonsense_is_no_wish(
    fmtp: str, more: str, wishes: ReceiverWishes | None
) -> None:
    text = CHROME.replace("a=fmtp:111 minptime=10;useinbandfec=1\r\n", f"a=fmtp:111 {fmtp}\r\n{more}")
    if wishes is None:
        with pytest.raises(WireError):
            offer(text)
    else:
        assert offer(text).wishes == wishes


def test_ours_wishes_every_length() -> None:
    assert offer(ours(dtx=True, stereo=True)).wishes == ReceiverWishes(
        shortest_packet_ms=3, longest_packet_ms=120
    )


def test_the_order_of_the_offer_is_that_of_the_answer() -> None:
    assert "m=audio 9 UDP/TLS/RTP/SAVPF 111 63" in ours(media=offer(CHROME).format)
    red_first = offer(CHROME.replace(" 111 63 ", " 63 111 ")).format
    assert red_first == MediaFormat(opus=111, red=63, audio_level_id=14, red_first=True)
    assert "m=audio 9 UDP/TLS/RTP/SAVPF 63 111" in ours(media=red_first)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("m=audio", "m=video"),
        ("a=rtcp-mux\r\n", ""),
        ("opus/48000", "opus/16000"),
        ("a=ice-pwd:", "a=ice-pwd:short"[:12] + "\r\nx="),
        ("a=ice-ufrag:abcd", "a=ice-ufrag:ab d"),
        ("a=ice-ufrag:abcd\r\n", ""),
        ("a=fingerprint:sha-256", "a=fingerprint:sha-1"),
        (DIGEST, DIGEST[:-3]),
        ("a=setup:actpass", "a=setup:holdconn"),
        ("a=setup:actpass\r\n", ""),
        ("a=mid:0", "a=mid:<script>"),
        ("m=audio 9", "m=audio 99999999999999999999999999 x"),
        ("a=rtpmap:111", "a=rtpmap:300"),
        ("v=0", "v=\u0660"),
        ("s=-", "s=-\x00"),
    ],
)
def test_what_is_not_acceptable_is_refused(old: str, new: str) -> None:
    text = ours()
    assert old in text
    with pytest.raises(WireError):
        offer(text.replace(old, new))


def test_size_is_checked_before_anything_is_read() -> None:
    for text in (
        "v=0\r\n" * MAX_SDP_CHARACTERS,
        ours() + "a=x\r\n" * 400,
        ours() + f"a={'x' * 600}\r\n",
        ours() + ours()[ours().index("m=audio") :],
        "",
    ):
        with pytest.raises(WireError):
            offer(text)


def test_candidates_are_capped() -> None:
    line = "a=candidate:1 1 udp 100 10.0.0.1 {} typ host\r\n"
    many = [line.format(20_000 + n) for n in range(MAX_CANDIDATES_READ)]
    known = len(offer(ours()).transport.candidates)
    assert len(offer(ours() + "".join(many[known:])).transport.candidates) == MAX_CANDIDATES_READ
    with pytest.raises(WireError):
        offer(ours() + "".join(many))


def test_a_zone_is_nobody_elses_business() -> None:
    candidate = RTCIceCandidate(1, "1", "fe80::1%eth0", 5000, 100, "udp", "host")
    local = LocalTransport(LOCAL.ice, (candidate,), LOCAL.dtls)
    text = write_description(
        local, MediaFormat(111, None, None), session_id=1, ssrc=1, cname="c", setup="actpass", dtx=False
    )
    assert "fe80::1 5000" in text
    assert "%" not in text
    assert [found.ip for found in offer(text).transport.candidates] == ["fe80::1"]


@pytest.mark.parametrize(
    ("address", "port", "usable"),
    [
        ("10.0.0.7", 5000, True),
        ("169.254.3.4", 5000, True),  # two machines on a cable
        ("fd00::2", 5000, True),
        ("8.8.8.8", 443, True),
        ("10.0.0.7", 443, False),
        ("10.0.0.7", 22, False),
        ("10.0.0.7", 0, False),
        ("10.0.0.7", 70_000, False),
        ("127.0.0.1", 5000, False),
        ("::1", 5000, False),
        ("0.0.0.0", 5000, False),
        ("255.255.255.255", 5000, False),
        ("224.0.0.251", 5353, False),
        ("ff02::fb", 5353, False),
        ("fe80::1", 5000, True),  # each of our interfaces has its own zone for it
        ("fe80::1%eth0", 5000, False),
        ("::ffff:127.0.0.1", 5000, False),
        ("victim.example", 5000, False),
        ("peer.local", 5000, False),
        ("10.0.0", 5000, False),
    ],
)
def test_which_addresses_are_checked(*, address: str, port: int, usable: bool) -> None:
    candidate = RTCIceCandidate(1, "f", address, port, 100, "udp", "host")
    assert is_usable(candidate, loopback=False) is usable
    if ":" in address or address[0].isdigit():
        try:
            is_loopback = ipaddress.ip_address(address).is_loopback and "ffff" not in address
        except ValueError:
            is_loopback = False
        assert is_usable(candidate, loopback=True) is (usable or is_loopback)


def test_candidates_that_come_later() -> None:
    line = "candidate:1 1 udp 100 10.0.0.1 5000 typ host"
    for text in (line, f"a={line}", line.removeprefix("candidate:")):
        candidate = read_candidate(text, loopback=False)
        assert candidate is not None
        assert (candidate.ip, candidate.port, candidate.sdpMLineIndex) == ("10.0.0.1", 5000, 0)
    assert read_candidate(line.replace("udp", "tcp"), loopback=False) is None
    for text in ("", "candidate:1 1 udp x 10.0.0.1 5000 typ host", "\u2028" * 9, "x" * 600):
        with pytest.raises(WireError):
            read_candidate(text, loopback=False)


lines = st.sampled_from(CHROME.splitlines() + ours().splitlines())
noise = st.text(alphabet=string.printable, max_size=60)


@settings(max_examples=300)
@given(
    parts=st.lists(st.one_of(lines, noise, lines.map(lambda line: line[: len(line) // 2])), max_size=60),
    is_answer=st.booleans(),
)
def test_any_text_is_a_description_or_a_wire_error(*, parts: list[str], is_answer: bool) -> None:
    try:
        read_description("\r\n".join(parts), is_answer=is_answer, loopback=False)
    except WireError:
        return


@pytest.mark.parametrize("seed", range(300))
def test_a_damaged_description_is_one_or_a_wire_error(seed: int) -> None:
    chance = random.Random(seed)
    text = list(chance.choice((ours(), CHROME)))
    for _ in range(chance.randrange(1, 12)):
        place = chance.randrange(len(text))
        match chance.randrange(4):
            case 0:
                text[place] = chance.choice(string.printable)
            case 1:
                del text[place : place + chance.randrange(30)]
            case 2:
                text[place:place] = text[chance.randrange(len(text)) :][: chance.randrange(60)]
            case _:
                text.insert(place, chance.choice("\r\n:/ =9\u0669"))
    try:
        remote = offer("".join(text))
    except WireError:
        return
    assert 0 <= remote.format.opus <= 127
    assert len(remote.transport.candidates) <= MAX_CANDIDATES_READ
    for candidate in remote.transport.candidates:
        assert not ipaddress.ip_address(candidate.ip).is_loopback


def test_extended_reports_are_asked_for_and_who_does_not_ask_gets_none() -> None:
    assert "\r\na=rtcp-xr:voip-metrics stat-summary=loss,dup,jitt\r\n" in ours()
    assert offer(ours()).extended_reports == {"voip-metrics", "stat-summary"}
    assert offer(CHROME).extended_reports == frozenset()
    asked = CHROME.replace(
        "a=rtcp-mux", "a=rtcp-mux\r\na=rtcp-xr:rcvr-rtt=all:800 voip-metrics pkt-loss-rle=400"
    )
    assert offer(asked).extended_reports == {"voip-metrics"}


def test_dred_is_told_by_its_version_and_a_peer_without_sees_nothing() -> None:
    text = ours(media=MediaFormat(111, 63, 1, dred=12), dtx=True)
    assert "a=fmtp:111 minptime=3;useinbandfec=1;usedtx=1;blink-dred=12\r\n" in text
    assert offer(text).format.dred == 12
    assert "dred" not in ours()
    assert offer(ours()).format.dred is None
    for nonsense in ("blink-dred=x", "blink-dred=1234", "not-blink-dred=12", "blink-dred="):
        assert offer(text.replace("blink-dred=12", nonsense)).format.dred is None
