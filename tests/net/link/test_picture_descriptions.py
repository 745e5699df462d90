"""What an SFU offers of pictures alone, told to a link as a voice, and answered."""

import pytest

from blink_cli.core.errors import WireError
from blink_cli.core.media.video.video_format import CodecFormat, VideoFormat
from blink_cli.core.media.video_codec import VideoCodec
from blink_cli.net.link.picture_descriptions import as_pictures, as_voice, section_of
from blink_cli.net.link.sdp import read_description
from blink_cli.net.link.video_description import read_section

pytestmark = pytest.mark.no_clock

SHARED = """c=IN IP4 192.0.2.2
a={direction}
a=mid:0
a=rtcp-mux
a=ice-ufrag:jyaX
a=ice-pwd:L0icz0kZICvk4bMZGnU0YZ
a=ice-options:trickle
a=setup:{setup}
"""

HEAD = """v=0
o=- 1796056615067737 1 IN IP4 192.0.2.2
s=VideoRoom 277830678002031
t=0 0
a=group:BUNDLE 0
a=ice-options:trickle
a=fingerprint:sha-256 8B:35:70:81:FB:05:BE:5C:C6:27:26:EC:74:F0:2B:19:AE:26:E5:D4:DC:C4:B6:05:70:01:08:91:3F:60:D0:8A
"""

CANDIDATES = """a=candidate:1 1 udp 2015363327 192.0.2.2 52075 typ host
a=end-of-candidates
"""

OFFER = f"""{HEAD}m=video 9 UDP/TLS/RTP/SAVPF 96 97
{SHARED.format(direction="sendonly", setup="actpass")}a=rtpmap:96 VP8/90000
a=rtcp-fb:96 ccm fir
a=rtcp-fb:96 nack
a=rtcp-fb:96 nack pli
a=rtcp-fb:96 goog-remb
a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time
a=rtpmap:97 rtx/90000
a=fmtp:97 apt=96
a=ssrc-group:FID 2533917592 1374692378
a=msid:janus janus0
a=ssrc:2533917592 cname:janus
a=ssrc:1374692378 cname:janus
{CANDIDATES}""".replace("\n", "\r\n")
"""Of Janus 1.1."""

ANSWER = f"""{HEAD}m=audio 9 UDP/TLS/RTP/SAVPF 111
{SHARED.format(direction="recvonly", setup="active")}a=rtpmap:111 opus/48000/2
{CANDIDATES}""".replace("\n", "\r\n")

WANTED = VideoFormat((CodecFormat(VideoCodec.VP8, 100, 101),), 5, nack=True, pli=True, fir=True)


def test_a_link_takes_its_transport_for_that_of_a_voice() -> None:
    found = read_description(as_voice(OFFER), is_answer=False, loopback=False)
    assert (found.mid, found.direction, found.setup, found.bundled) == ("0", "sendonly", "auto", True)
    assert found.format.opus == 111
    assert not found.format.nack
    assert not found.ssrcs
    assert len(found.transport.candidates) == 1


def test_the_answer_is_about_the_pictures() -> None:
    answer = as_pictures(ANSWER, OFFER, WANTED)
    assert answer.startswith(HEAD.replace("\n", "\r\n"))
    assert "m=audio" not in answer
    section = section_of(answer)
    for line in (
        "a=ice-ufrag:jyaX",
        "a=setup:active",
        "a=candidate:1 1 udp 2015363327 192.0.2.2 52075 typ host",
    ):
        assert f"{line}\r\n" in section
    assert section.count("a=rtcp-mux") == 1
    said = read_section(section)
    assert (said.mid, said.direction, said.sources) == ("0", "recvonly", None)
    # In the server's numbers, without what it does not offer.
    assert said.format == VideoFormat(
        (CodecFormat(VideoCodec.VP8, 96, 97),), None, nack=True, pli=True, fir=True
    )


@pytest.mark.parametrize("text", [ANSWER, OFFER + "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n", HEAD, ""])
def test_what_is_not_of_pictures_alone_is_refused(text: str) -> None:
    with pytest.raises(WireError):
        as_voice(text)
