"""What of a stranger's section is agreed on, and how ours reads."""

import pytest

from blink_cli.core.media.video.video_format import OFFERED, OFFERED_IN_ROOMS, VideoSources
from blink_cli.core.media.video_codec import VideoCodec
from blink_cli.net.link.video_description import VideoSection, agreed_section, read_section, write_section
from blink_cli.net.link.video_messages import MAX_SECTION_BYTES

pytestmark = pytest.mark.no_clock

OURS = VideoSources(0xFFFFFFFF, 0xFFFFFFFE)


def section(*lines: str, numbers: str) -> str:
    return "\r\n".join(
        [f"m=video 9 UDP/TLS/RTP/SAVPF {numbers}", "a=mid:1", "a=sendrecv", "a=ssrc:5 cname:x", *lines, ""]
    )


def h264(number: int, fmtp: str) -> tuple[str, ...]:
    return (
        f"a=rtpmap:{number} H264/90000",
        f"a=fmtp:{number} {fmtp}",
        f"a=rtcp-fb:{number} nack",
        f"a=rtcp-fb:{number} nack pli",
    )


VP8 = ("a=rtpmap:96 VP8/90000", "a=rtcp-fb:96 nack", "a=rtcp-fb:96 nack pli", "a=rtcp-fb:96 ccm fir")


def test_ours_is_read_as_it_was_meant_and_fits_its_message() -> None:
    text = write_section(VideoSection("video", OFFERED, OURS), cname="a" * 40)
    assert len(text) < MAX_SECTION_BYTES
    assert read_section(text) == VideoSection("video", OFFERED, OURS)
    assert text.splitlines()[0].endswith(" 96 97 98 99"), "VP8 is the first choice"


def test_both_codecs_are_agreed_on_with_the_numbers_and_the_order_of_the_offer() -> None:
    offer = read_section(
        section(
            *h264(120, "profile-level-id=42001f;packetization-mode=1;level-asymmetry-allowed=1"),
            *h264(121, "profile-level-id=42e01f;packetization-mode=0;level-asymmetry-allowed=1"),
            *h264(122, "profile-level-id=64001f;packetization-mode=1;level-asymmetry-allowed=1"),
            *h264(123, "level-asymmetry-allowed=1; packetization-mode=1; profile-level-id=42E01F"),
            "a=rtpmap:124 rtx/90000",
            "a=fmtp:124 apt=123",
            *VP8,
            numbers="120 121 122 123 124 96",
        )
    )
    agreed = agreed_section(offer, OFFERED, OURS).format
    assert agreed is not None
    assert [(one.codec, one.payload_type, one.rtx) for one in agreed.codecs] == [
        (VideoCodec.H264, 123, 124),
        (VideoCodec.VP8, 96, None),
    ]
    taken = agreed.of(VideoCodec.H264)
    assert taken is not None
    assert taken.takes(1280, 720, 30)
    assert not taken.takes(1920, 1080, 15), "level 3.1"
    text = write_section(VideoSection("1", agreed, OURS), cname="x")
    assert "profile-level-id=42e028" in text, "what we take is told, where each side may take another level"


def test_where_both_must_take_the_same_level_it_is_the_lower_one() -> None:
    offer = read_section(section(*h264(98, "packetization-mode=1;profile-level-id=42e01f"), numbers="98"))
    agreed = agreed_section(offer, OFFERED, OURS).format
    assert agreed is not None
    text = write_section(VideoSection("1", agreed, OURS), cname="x")
    assert "level-asymmetry-allowed=0;packetization-mode=1;profile-level-id=42e01f" in text


def test_rooms_are_told_of_vp8_alone_and_who_has_other_h264_is_told_no() -> None:
    offer = section(*h264(98, "packetization-mode=1;profile-level-id=42e01f"), *VP8, numbers="98 96")
    agreed = agreed_section(read_section(offer), OFFERED_IN_ROOMS, OURS).format
    assert agreed is not None
    assert [one.codec for one in agreed.codecs] == [VideoCodec.VP8]
    for fmtp in ("packetization-mode=1", "packetization-mode=1;profile-level-id=640028", "apt=5"):
        alone = read_section(section(*h264(98, fmtp), numbers="98"))
        assert alone.format is None
