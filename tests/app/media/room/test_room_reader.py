"""What comes on the slots of a room is opened and played by whoever reads it, and counted by the event loop alone."""

from dataclasses import dataclass, field

import pytest

from blink_cli.app.media.room.room_reader import Hearing, RoomReader
from blink_cli.core.ids import Did
from blink_cli.core.media.redundancy_policy import RedundancyPlan
from blink_cli.core.media.room_keys import frame_key
from blink_cli.core.media.room_sender import RoomSender
from blink_cli.core.media.room_stream import RoomStream
from blink_cli.core.media.rtp import EncodedFrame, ReceptionReport, RtpPacket, SenderReport
from blink_cli.core.media.sent_reports import SentReports
from blink_cli.core.sframe.frame_opener import OpenCounters
from blink_cli.core.sframe.replay_window import ReplayWindows

pytestmark = pytest.mark.no_clock

KEY = b"k" * 32
NO_COPIES = RedundancyPlan(0, 0, fec=False, fec_loss_percent=0)


@dataclass
class Listener:
    """Writes down what it is told."""

    played: list[int] = field(default_factory=list)
    told: list[int] = field(default_factory=list)
    reports: list[SenderReport | ReceptionReport] = field(default_factory=list)

    def room_up(self, stream: RoomStream, now_s: float) -> None: ...
    def room_down(self) -> None: ...
    def room_slot_given(self, *, talking: bool) -> None: ...
    def room_slot_lost(self) -> None: ...

    def play_from_room(self, packet: RtpPacket) -> None:
        self.played.append(packet.sequence_number)

    def heard_in_room(self, packet: RtpPacket) -> None:
        self.told.append(packet.sequence_number)

    def reported_in_room(self, report: SenderReport | ReceptionReport) -> None:
        self.reports.append(report)


class Speaker:
    """One who publishes, and how it is heard."""

    def __init__(self, name: str, reader: RoomReader) -> None:
        did = Did(f"did:key:{name}")
        stream_id = name.encode().ljust(16, b".")
        self.sender = RoomSender(did, stream_id, KEY, ssrc=7, sequence=100)
        self.listener = Listener()
        stream = RoomStream(self.sender.feed(1), own_ssrc=99, sent=SentReports())
        self.hearing = Hearing(
            did, 1, stream, self.listener, by_group_key={KEY: frame_key(KEY, did, stream_id)}
        )
        self._frames = 0
        self._reader = reader

    def sealed(self) -> bytes:
        self._frames += 1
        frame = EncodedFrame(b"voice" * 8, 960 * self._frames, 960, -30, voice=True)
        made = self.sender.frame(frame, NO_COPIES, 0.02 * self._frames)
        assert made is not None
        self.sender.went_out(frame, made[1])
        return made[0]

    def comes(self, sealed: bytes | None = None) -> None:
        inner = self.sealed() if sealed is None else sealed
        self._reader.read(
            RtpPacket(1, 1, 960, 111, marker=False, payload=inner, arrival_s=0.02 * self._frames)
        )

    def packets_lost(self) -> int:
        reception = self.hearing.stream.reception
        return 0 if reception is None else reception.packets_lost


def reader_and(*names: str) -> tuple[RoomReader, list[Speaker], list[Did]]:
    reported: list[Did] = []
    reader = RoomReader(ReplayWindows(), OpenCounters(), lambda did, _: reported.append(did))
    speakers = [Speaker(name, reader) for name in names]
    reader.open_for(tuple(one.hearing for one in speakers))
    return reader, speakers, reported


def test_what_is_read_is_played_at_once_and_told_when_the_loop_catches_up() -> None:
    reader, (ann,), _ = reader_and("ann")
    reader.put_on(ann.hearing, 0)
    for _ in range(3):
        ann.comes()
    assert ann.listener.played == [100, 101, 102]
    assert ann.listener.told == []
    assert ann.hearing.stream.reception is None, "statistics are the event loop's"
    reader.catch_up()
    assert ann.listener.told == [100, 101, 102]
    reader.catch_up()
    assert len(ann.listener.told) == 3


def test_without_a_slot_nothing_is_played_and_nothing_is_lost() -> None:
    reader, (ann, bob), _ = reader_and("ann", "bob")
    ann.comes()
    reader.put_on(ann.hearing, 0)
    ann.comes()
    reader.put_on(ann.hearing, None)
    reader.put_on(bob.hearing, 0)
    for _ in range(50):
        ann.comes()
        bob.comes()
    reader.put_on(bob.hearing, None)
    reader.put_on(ann.hearing, 0)
    ann.comes()
    reader.catch_up()
    assert ann.listener.told == ann.listener.played == [101, 102]
    assert len(bob.listener.told) == 50
    assert ann.packets_lost() == bob.packets_lost() == 0


def test_a_stream_that_goes_over_to_another_slot_loses_nothing_of_what_comes_by_both() -> None:
    reader, (ann,), _ = reader_and("ann")
    reader.put_on(ann.hearing, 0)
    late = [ann.sealed(), ann.sealed()]
    reader.put_on(ann.hearing, 1)
    ann.comes()
    for sealed in late:
        ann.comes(sealed)
    ann.comes(late[0])  # by both slots: it passes once
    reader.catch_up()
    assert sorted(ann.listener.told) == [100, 101, 102]
    assert reader.counters.replayed == 1
    assert ann.packets_lost() == 0


def test_reports_come_on_the_event_loop() -> None:
    reader, (ann,), _ = reader_and("ann")
    reader.put_on(ann.hearing, 0)
    ann.comes()
    ann.comes(ann.sender.report((), 1.0, 1_000.0))
    assert ann.listener.reports == []
    reader.catch_up()
    assert [type(one) for one in ann.listener.reports] == [SenderReport]


def test_who_is_not_heard_any_more_is_not_opened() -> None:
    reader, (ann, bob), _ = reader_and("ann", "bob")
    for speaker in (ann, bob):
        reader.put_on(speaker.hearing, 0)
    reader.open_for((bob.hearing,))
    ann.comes()
    bob.comes()
    reader.catch_up()
    assert ann.listener.played == []
    assert bob.listener.told == [100]
    assert reader.counters.of_unknown_key == 1


def test_who_draws_numbers_for_its_stream_is_heard_by_a_few() -> None:
    reader, (ann,), _ = reader_and("ann")
    reader.put_on(ann.hearing, 0)
    inner = bytearray(b"\x80\x6f\x00\x01" + bytes(4) + bytes(4) + b"voice")
    for number in range(20):
        inner[8:12] = number.to_bytes(4, "big")
        inner[2:4] = number.to_bytes(2, "big")
        ann.comes(ann.hearing.by_group_key[KEY].seal(number, bytes(inner)))
    reader.catch_up()
    assert len(ann.listener.played) == len(ann.listener.told) == 4
    assert ann.hearing.stream.receive_counters.packets_of_unknown_source == 16
