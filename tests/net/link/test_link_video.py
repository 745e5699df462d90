"""Pictures over a link that stands: agreed on, sent, mended, and unknown to who knows none."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from functools import partial

import pytest
from msgspec.structs import replace
from typing_extensions import override

from blink_cli.core.errors import WireError
from blink_cli.core.media.rtcp import parse_rtcp, write_report
from blink_cli.core.media.rtp import RtpPacket, SentPacket
from blink_cli.core.media.video.coded_picture import CodedPicture
from blink_cli.core.media.video.h264_stream import stream_of
from blink_cli.core.media.video.video_counters import VideoReceiveCounters, VideoSendCounters
from blink_cli.core.media.video.video_format import OFFERED, OFFERED_IN_ROOMS
from blink_cli.core.media.video_codec import VideoCodec
from blink_cli.lab.links import End, Wire, connect, frame
from blink_cli.net.link.link_video import LinkVideo
from blink_cli.net.link.video_doors import VideoDoors, is_video_message
from blink_cli.net.link.video_events import VideoEvents
from blink_cli.net.link.video_messages import OFFER, VideoMessage, read_video_message, write_video_message
from blink_cli.runtime.tasks import TaskOwner
from tests.net.gossip_parts import eventually

pytestmark = pytest.mark.real_time


class VideoEnd(VideoEvents):
    """The pictures of one end, which remembers what it was told."""

    def __init__(self, end: End) -> None:
        self.end = end
        self.frames: list[CodedPicture] = []
        self.packets: list[RtpPacket] = []
        self.sent_packets: list[SentPacket] = []
        self.told: list[str] = []
        self.sent, self.received = VideoSendCounters(), VideoReceiveCounters()
        end.link.pictures.open_video = self.open

    def open(self, doors: VideoDoors) -> LinkVideo:
        return LinkVideo(doors, self, sent=self.sent, received=self.received)

    @property
    def video(self) -> LinkVideo:
        video = self.end.link.pictures.with_video()
        assert video is not None
        return video

    @override
    def video_agreed(self) -> None:
        self.told.append("agreed")

    @override
    def video_refused(self) -> None:
        self.told.append("refused")

    @override
    def key_frame_wanted(self) -> None:
        self.told.append("key")

    @override
    def frame_received(self, picture: CodedPicture) -> None:
        self.frames.append(picture)

    @override
    def video_packet_received(self, packet: RtpPacket) -> None:
        self.packets.append(packet)

    @override
    def video_packet_sent(self, packet: SentPacket) -> None:
        self.sent_packets.append(packet)


@pytest.fixture
async def tasks() -> AsyncIterator[TaskOwner]:
    async with TaskOwner("test") as owner:
        yield owner


@pytest.fixture
async def pair(tasks: TaskOwner) -> AsyncIterator[tuple[VideoEnd, VideoEnd]]:
    a, b = End("a", tasks), End("b", tasks)
    yield VideoEnd(a), VideoEnd(b)
    await a.link.aclose()
    await b.link.aclose()


def picture(index: int, *, size: int = 300, key: bool = False) -> CodedPicture:
    """The n-th frame at 15 a second; its payload tells its number."""
    head = bytes([0 if key else 1]) + index.to_bytes(4, "big")
    return CodedPicture(head + bytes(size - 5), index * 6_000, is_key=key)


async def send(a: VideoEnd, frames: range, *, size: int = 300) -> None:
    for index in frames:
        a.video.send(picture(index, size=size, key=index == 0))
        await asyncio.sleep(0.02)


def numbers(b: VideoEnd) -> list[int]:
    return [int.from_bytes(one.payload[1:5], "big") for one in b.frames]


async def agree(a: VideoEnd, b: VideoEnd) -> None:
    a.video.offer()
    await eventually(lambda: a.told == ["agreed"] and b.told == ["agreed"])


async def test_pictures_go_both_ways_beside_the_voice(pair: tuple[VideoEnd, VideoEnd]) -> None:
    a, b = pair
    await connect(a.end, b.end)
    await agree(a, b)
    for index in range(10):
        a.end.send(frame(index))
    await asyncio.gather(send(a, range(12)), send(b, range(12)))
    await eventually(lambda: len(a.frames) == len(b.frames) == 12)
    assert numbers(a) == numbers(b) == list(range(12))
    assert [one.is_key for one in b.frames] == [True] + [False] * 11
    await b.end.until(lambda: len(b.end.packets) == 10)
    assert {packet.payload_type for packet in b.end.packets} <= {111, 63}, (
        "the voice's statistics know no pictures"
    )
    assert b.end.link.receive_counters.packets_of_unknown_source == 0
    assert b.end.link.receive_counters.packets_of_unknown_type == 0
    assert a.sent.packets_sent == b.received.packets_received > 12
    assert len(a.sent_packets) == a.sent.packets_sent


async def test_both_may_offer_at_once(pair: tuple[VideoEnd, VideoEnd]) -> None:
    a, b = pair
    await connect(a.end, b.end)
    a.video.offer()
    b.video.offer()
    await eventually(lambda: a.told == ["agreed"] and b.told == ["agreed"])
    await asyncio.gather(send(a, range(3)), send(b, range(3)))
    await eventually(lambda: numbers(a) == numbers(b) == [0, 1, 2])


async def test_who_knows_no_video_says_nothing_and_the_voice_goes_on(pair: tuple[VideoEnd, VideoEnd]) -> None:
    a, b = pair
    b.end.link.pictures.open_video = None
    await connect(a.end, b.end)
    a.video.offer()
    await eventually(lambda: a.told == ["refused"])
    a.end.send(frame(0))
    await b.end.until(lambda: len(b.end.packets) == 1)
    assert b.end.link.pictures.video is None
    assert b.end.link.receive_counters.packets_malformed == 0


async def test_lost_packets_are_asked_for_and_come_again(pair: tuple[VideoEnd, VideoEnd]) -> None:
    a, b = pair
    async with Wire() as wire:
        await connect(a.end, b.end, wire=wire)
        await agree(a, b)
        await send(a, range(5))
        wire.on_rtp = lambda sequence, _: 0 if sequence % 5 == 0 else 1
        await send(a, range(5, 42))  # the last packet of all may be one that is lost, which nothing tells
        await eventually(lambda: len(b.frames) >= 40)
        assert numbers(b)[:40] == list(range(40))
        assert b.received.nack_count > 5
        assert a.sent.retransmitted_packets_sent >= b.received.retransmitted_packets_received > 5
        assert b.received.pli_count == 0


async def test_who_cannot_go_on_asks_for_a_key_frame(pair: tuple[VideoEnd, VideoEnd]) -> None:
    a, b = pair
    await connect(a.end, b.end)
    await agree(a, b)
    for index in range(1, 5):  # it begins in the middle
        a.video.send(picture(index))
    await eventually(lambda: "key" in a.told)
    assert b.frames == []
    a.video.send(picture(5, key=True))
    await eventually(lambda: numbers(b) == [5])
    before = a.told.count("key")
    b.video.lost_reference()
    await eventually(lambda: a.told.count("key") == before + 1)
    a.video.send(picture(6))
    a.video.send(picture(7, key=True))
    await eventually(lambda: numbers(b) == [5, 7])


async def test_the_rate_follows_what_arrives(pair: tuple[VideoEnd, VideoEnd]) -> None:
    a, b = pair
    await connect(a.end, b.end)
    await agree(a, b)
    before = a.video.rate.target_bps
    await send(a, range(60), size=2_000)
    await eventually(lambda: a.video.rate.target_bps > before)
    assert a.video.rate.loss == 0
    await eventually(lambda: a.video.rtt_s is not None)
    assert a.video.remote is not None
    assert b.video.clock_of_peer is not None


def h264(index: int, *, key: bool = False) -> CodedPicture:
    """The n-th frame as NAL units; a slice tells its number."""
    units = [b"\x67\x42\xc0\x1f\x80", b"\x68\xce\x80"] if key else []
    head = b"\x65\x88" if key else b"\x41\x9a"
    slices = head + (0x80000000 | index).to_bytes(4, "big") + bytes([7]) * 600
    return CodedPicture(stream_of([*units, slices]), index * 6_000, is_key=key, codec=VideoCodec.H264)


async def test_h264_goes_beside_vp8_and_is_mended_as_it_is(pair: tuple[VideoEnd, VideoEnd]) -> None:
    a, b = pair
    async with Wire() as wire:
        await connect(a.end, b.end, wire=wire)
        await agree(a, b)
        for end in pair:
            assert end.video.takes(VideoCodec.H264, 1920, 1080, 30)
            assert not end.video.takes(VideoCodec.H264, 1920, 1080, 60), "more than its level"
            assert end.video.takes(VideoCodec.VP8, 1920, 1080, 60)

        def arrived(frames: int) -> bool:
            return len(b.frames) >= frames

        first_lost: Iterator[bool] = iter(())
        wire.on_rtp = lambda _sequence, _from_offerer: 0 if next(first_lost, False) else 1
        sent = [
            picture(0, key=True),
            picture(1, size=600),
            h264(2, key=True),
            h264(3),
            h264(4),
            picture(5, size=600, key=True),
            picture(6, size=600),
        ]
        for place, one in enumerate(sent):
            # Each but the first loses its first packet: with that of a whole stream a key frame must be asked for.
            first_lost = iter((place > 0,))
            a.video.send(one)
            await eventually(partial(arrived, place + 1))
        assert b.frames == [
            replace(one, arrived_at=came.arrived_at) for one, came in zip(sent, b.frames, strict=True)
        ]
        assert {came.codec for came in b.frames} == set(VideoCodec)
        assert {packet.payload_type for packet in b.packets} == {96, 98}, "what came again is told as it was"
        assert {packet.payload_type for packet in a.sent_packets} == {96, 98}
        assert b.received.retransmitted_packets_received == len(sent) - 1
        assert b.received.pli_count == 0


async def test_who_knows_vp8_alone_is_sent_no_h264(
    pair: tuple[VideoEnd, VideoEnd], monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = pair
    monkeypatch.setattr("blink_cli.net.link.link_video.OFFERED", OFFERED_IN_ROOMS)
    offered = LinkVideo.offer_section
    await connect(a.end, b.end)
    section = offered(b.video)
    assert "H264" not in section
    monkeypatch.setattr("blink_cli.net.link.link_video.OFFERED", OFFERED)
    b.video.accept_section(a.video.answer_section(section))
    assert not a.video.takes(VideoCodec.H264, 320, 240, 15)
    assert a.video.takes(VideoCodec.VP8, 320, 240, 15)
    a.video.send(h264(0, key=True))
    a.video.send(picture(1, key=True))
    await eventually(lambda: len(b.frames) == 1)
    assert b.frames[0].codec is VideoCodec.VP8


def test_messages_are_read_or_refused() -> None:
    message = VideoMessage(OFFER, 7, "m=video 9 UDP/TLS/RTP/SAVPF 96\r\n")
    written = write_video_message(5, message)
    assert is_video_message(written)
    assert read_video_message(written) == message
    for end in range(len(written)):
        cut = written[:end]
        if is_video_message(cut):
            with pytest.raises(WireError):
                read_video_message(cut)


def test_builds_that_know_no_video_pass_its_messages_over() -> None:
    contents = parse_rtcp(
        write_video_message(5, VideoMessage(OFFER, 7, "m=video 9 UDP/TLS/RTP/SAVPF 96\r\n"))
    )
    # What was read of RTCP before there was video is read so still.
    assert contents == parse_rtcp(write_report(5, None, (), "name"))
