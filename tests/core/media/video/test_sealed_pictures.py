"""Pictures that somebody else passes on: renumbered, in another time, and sealed, they are what was sent."""

import random
from collections.abc import Iterator

import pytest

from blink_cli.core.ids import Did
from blink_cli.core.media.room_keys import frame_key, picture_stream_id
from blink_cli.core.media.rtcp import SenderInfo, parse_rtcp, write_report
from blink_cli.core.media.rtp import RtpPacket
from blink_cli.core.media.rtp_header import parse_rtp
from blink_cli.core.media.video.coded_picture import CodedPicture
from blink_cli.core.media.video.transport_sequence import write_header
from blink_cli.core.media.video.video_counters import VideoReceiveCounters, VideoSendCounters
from blink_cli.core.media.video.video_format import OFFERED_IN_ROOMS, VideoSources
from blink_cli.core.media.video.video_receiver import VideoReceiver
from blink_cli.core.media.video.video_sender import VideoSender
from blink_cli.core.sframe.frame_opener import FrameOpener
from blink_cli.core.sframe.replay_window import ReplayWindows

pytestmark = pytest.mark.no_clock

MEDIA = OFFERED_IN_ROOMS
ALICE, BOB = Did("did:key:alice"), Did("did:key:bob")
STREAM_ID = bytes(range(16))
KEY = bytes(32)
SERVERS = VideoSources(0x5EED, 0x5EEE)
STEP_S = 0.066


def sealing(did: Did, group_key: bytes = KEY) -> "Sealing":
    return Sealing(did, group_key)


class Sealing:
    """As `RoomPictures` seals."""

    def __init__(self, did: Did, group_key: bytes) -> None:
        self.key = frame_key(group_key, did, picture_stream_id(STREAM_ID))
        self.ctr = 0

    def __call__(self, inner: bytes) -> bytes:
        self.ctr += 1
        return self.key.seal(self.ctr - 1, inner)


def sender(seal: Sealing) -> VideoSender:
    return VideoSender(
        VideoSources(1, 2),
        MEDIA,
        VideoSendCounters(),
        first_sequence_number=30_000,
        first_rtx_number=7,
        target_bps=5e6,
        seal=seal,
    )


def frames(count: int) -> list[CodedPicture]:
    source = random.Random(7)
    return [
        CodedPicture(
            bytes([number > 0]) + source.randbytes(source.randint(200, 4_000)),
            90_000 + 6_000 * number,
            number == 0,
        )
        for number in range(count)
    ]


def passed_on(sender: VideoSender, pictures: list[CodedPicture], report: bytes = b"") -> Iterator[bytes]:
    """What a server makes of it: its own SSRC, numbers from 1 on, and time from 0 on."""
    now_s = 10.0
    for picture in pictures:
        sender.frame(picture, now_s)
        if report and picture is pictures[1]:
            sender.report(report, now_s)
        for _ in range(100):
            for leaving in sender.leaving(now_s):
                packet = parse_rtp(leaving.data, now_s)
                assert picture.payload[:40] not in leaving.data, "it is sealed"
                header = write_header(
                    payload_type=96,
                    sequence_number=(packet.sequence_number - 29_999) & 0xFFFF,
                    timestamp=(packet.timestamp - 90_000) & 0xFFFF_FFFF,
                    ssrc=SERVERS.ssrc,
                    marker=packet.marker,
                    transport_sequence=None,
                )
                yield header + packet.payload
            now_s += STEP_S / 100


def receiver(did: Did, opener: FrameOpener[Did]) -> VideoReceiver:
    opener.add(sealing(did).key, did)

    def unseal(sealed: bytes) -> bytes | None:
        found = opener.open(sealed)
        return None if found is None or found[0] != did else found[1]

    return VideoReceiver(SERVERS, MEDIA, VideoReceiveCounters(), unseal)


def test_frames_and_reports_come_as_they_were_sent() -> None:
    opener = FrameOpener[Did](ReplayWindows())
    end = receiver(ALICE, opener)
    info = SenderInfo(1, 0x1234_5678_9ABC_DEF0, 96_000, 5, 5_000)
    sent, came, empty = frames(30), list[CodedPicture](), list[RtpPacket]()
    for data in passed_on(sender(sealing(ALICE)), sent, write_report(1, info, (), "x")):
        found = end.packet(data, 11.0)
        assert found is not None
        came += found[1]
        if not found[0].payload:
            empty.append(found[0])
    assert [(one.payload, one.timestamp, one.is_key) for one in came] == [
        (one.payload, one.timestamp, one.is_key) for one in sent
    ]
    (report,) = end.inner_reports
    assert list(parse_rtcp(report).senders) == [info]
    # Its packet is logged with the time of the pictures, and not with the server's.
    assert [one.timestamp for one in empty] == [sent[1].timestamp]
    assert opener.counters.refused == 0


def test_what_another_sealed_or_what_comes_again_is_shown_to_nobody() -> None:
    opener = FrameOpener[Did](ReplayWindows())
    end = receiver(ALICE, opener)
    opener.add(sealing(BOB).key, BOB)
    data = list(passed_on(sender(sealing(BOB)), frames(3)))
    assert all(end.packet(one, 11.0) is None for one in data), "bob's on alice's connection"
    again = FrameOpener[Did](ReplayWindows())
    first, second = receiver(ALICE, again), receiver(ALICE, again)
    data = list(passed_on(sender(sealing(ALICE)), frames(3)))
    assert all(first.packet(one, 11.0) for one in data)
    assert all(second.packet(one, 12.0) is None for one in data), "played again on a new connection"
    assert again.counters.replayed == len(data)
    changed = receiver(ALICE, FrameOpener[Did](ReplayWindows()))
    assert changed.packet(data[0][:-1] + bytes([data[0][-1] ^ 1]), 11.0) is None
