"""What one seals into a room another opens as it was sent, and time without a slot is no loss."""

import pytest

from blink_cli.core.ids import Did
from blink_cli.core.media import red
from blink_cli.core.media.redundancy_policy import RedundancyPlan
from blink_cli.core.media.room_keys import frame_key
from blink_cli.core.media.room_sender import ONSET_COPIES, ONSET_FRAMES, RED_TYPE, RoomSender
from blink_cli.core.media.room_stream import RoomStream
from blink_cli.core.media.rtp import EncodedFrame, ReceptionReport, RtpPacket, SenderReport
from blink_cli.core.media.rtp_header import is_rtcp
from blink_cli.core.media.sent_reports import SentReports
from blink_cli.core.sframe.frame_opener import FrameOpener
from blink_cli.core.sframe.replay_window import ReplayWindows

ANN = Did("did:key:z6MkAnn")
STREAM_ID = b"s" * 16
FIRST, SECOND = b"1" * 32, b"2" * 32
NO_COPIES = RedundancyPlan(0, 0, fec=False, fec_loss_percent=0)
ONE_COPY = RedundancyPlan(1, 1, fec=False, fec_loss_percent=0)


class Room:
    """One sender, one listener, and what is between them."""

    def __init__(self) -> None:
        self.sender = RoomSender(ANN, STREAM_ID, FIRST, ssrc=7, sequence=65_530)
        self.opener = FrameOpener[RoomStream](ReplayWindows())
        self.stream = RoomStream(self.sender.feed(5), own_ssrc=99, sent=SentReports())
        self.opener.add(frame_key(FIRST, ANN, STREAM_ID), self.stream)
        self.number = 0

    def send(self, plan: RedundancyPlan = NO_COPIES) -> bytes:
        self.number += 1
        frame = EncodedFrame(bytes([self.number % 250 + 1]) * 40, 960 * self.number, 960, -30, voice=True)
        made = self.sender.frame(frame, plan, 0.02 * self.number)
        assert made is not None
        self.sender.went_out(frame, made[1])
        return made[0]

    def hear(self, sealed: bytes) -> RtpPacket | None:
        opened = self.opener.open(sealed)
        assert opened is not None
        stream, inner = opened
        assert not is_rtcp(inner)
        packet = stream.read(inner, 0.02 * self.number + 0.01)
        return packet if packet is not None and stream.count(packet) else None


def test_a_packet_arrives_as_it_was_sent() -> None:
    room = Room()
    packet = room.hear(room.send())
    assert packet is not None
    assert (packet.ssrc, packet.sequence_number, packet.timestamp) == (7, 65_530, 960)
    assert (packet.audio_level_dbov, packet.voice, packet.payload) == (-30, True, bytes([2]) * 40)
    second = room.hear(room.send(ONE_COPY))
    assert second is not None
    assert second.payload_type == RED_TYPE
    assert [frame[0] for frame in red.unpack(second.payload, second.timestamp)] == [960, 1920]


def test_a_sealed_packet_shows_nothing_of_it() -> None:
    room = Room()
    sealed = room.send()
    assert bytes([2]) * 8 not in sealed
    assert b"did:key" not in sealed
    assert len(sealed) == 1 + 5 + 20 + 40 + 16  # config with CTR, KID, RTP header with level, frame, tag


def test_the_beginning_of_a_word_carries_what_was_before_it() -> None:
    room = Room()
    for _ in range(10):
        room.hear(room.send())
    room.sender.word_begins()
    copies = []
    for _ in range(ONSET_FRAMES + 1):
        packet = room.hear(room.send())
        assert packet is not None
        copies.append(red.count_copies(packet.payload) if packet.payload_type == RED_TYPE else 0)
    assert copies == [ONSET_COPIES] * ONSET_FRAMES + [0]


def test_time_without_a_slot_is_no_loss_and_keeps_its_time() -> None:
    room = Room()
    for _ in range(20):
        room.hear(room.send())
    room.stream.left()
    for _ in range(500):
        room.send()
    room.sender.word_begins()
    packet = room.hear(room.send())
    assert packet is not None
    assert packet.timestamp == 521 * 960
    assert packet.sequence_number == (65_530 + 19 + 1) % 65_536
    following = room.hear(room.send())
    assert following is not None
    assert following.sequence_number == packet.sequence_number + 1
    reception = room.stream.reception
    assert reception is not None
    assert reception.packets_lost == 0


def test_a_new_key_is_used_at_once_and_counters_go_on() -> None:
    room = Room()
    room.hear(room.send())
    room.sender.use_key(SECOND)
    assert room.opener.open(room.send()) is None
    room.opener.add(frame_key(SECOND, ANN, STREAM_ID), room.stream)
    assert room.hear(room.send()) is not None
    room.sender.use_key(FIRST)
    assert room.hear(room.send()) is not None


def test_reports_tell_the_clock_and_the_round_trip() -> None:
    ann, bob = Room(), RoomSender(Did("did:key:z6MkBob"), b"t" * 16, FIRST, ssrc=99, sequence=1)
    ann.stream = RoomStream(ann.sender.feed(5), own_ssrc=99, sent=bob.sent)
    ann.opener = FrameOpener(ReplayWindows())
    ann.opener.add(frame_key(FIRST, ANN, STREAM_ID), ann.stream)
    ann.hear(ann.send())
    frame = EncodedFrame(b"x" * 40, 960, 960)
    made = bob.frame(frame, NO_COPIES, 1.0)
    assert made is not None
    bob.went_out(frame, made[1])
    bobs = RoomStream(bob.feed(6), own_ssrc=7, sent=ann.sender.sent)
    opener = FrameOpener[RoomStream](ReplayWindows())
    opener.add(frame_key(FIRST, Did("did:key:z6MkBob"), b"t" * 16), bobs)

    def rtcp(
        opening: FrameOpener[RoomStream], sealed: bytes, at_s: float
    ) -> tuple[SenderReport | ReceptionReport, ...]:
        opened = opening.open(sealed)
        assert opened is not None
        assert is_rtcp(opened[1])
        return opened[0].rtcp(opened[1], at_s)

    opened = opener.open(made[0])
    assert opened is not None
    packet = bobs.read(opened[1], 1.01)
    assert packet is not None
    assert bobs.count(packet)
    rtcp(opener, bob.report((), 1.0, 1_000.0), 1.01)
    told = rtcp(ann.opener, ann.sender.report(bobs.report_blocks(1.11), 1.11, 1_000.0), 1.13)
    clock, ours = told
    assert isinstance(clock, SenderReport)
    assert clock.ssrc == 7
    assert isinstance(ours, ReceptionReport)
    assert ours.rtt_s == pytest.approx(0.03, abs=0.001)
    assert ann.stream.rtt_s == ours.rtt_s
