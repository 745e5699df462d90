import random

from blink_cli.core.media.video.coded_picture import CodedPicture
from blink_cli.core.media.video.frame_assembler import FrameAssembler
from blink_cli.core.media.video.picture_payload import PicturePayload

KEY, OTHER = b"\x00", b"\x01"
"""First octet of a frame: the lowest bit says that it needs others."""


class Stream:
    """Frames of three packets each, numbered from 100."""

    def __init__(self, keys: set[int]) -> None:
        self.keys = keys
        self.assembler = FrameAssembler()
        self.shown: list[int] = []

    def packet(self, number: int) -> None:
        frame, place = divmod(number - 100, 3)
        head = (KEY if frame in self.keys else OTHER) if place == 0 else b"."
        found = self.assembler.put(
            number,
            frame * 6000,
            PicturePayload(
                head + bytes([frame, place]),
                begins_frame=place == 0,
                begins_key=place == 0 and head == KEY,
            ),
            0.01 * number,
            ends=place == 2,
        )
        self.shown += [self.number(picture) for picture in found]

    @staticmethod
    def number(picture: CodedPicture) -> int:
        assert len(picture.payload) == 9
        assert picture.is_key == (picture.payload[0] == 0)
        return picture.payload[1]


def test_frames_come_in_order_however_packets_do() -> None:
    for seed in range(20):
        stream = Stream({0})
        stream.packet(100)
        numbers = list(range(101, 160))
        random.Random(seed).shuffle(numbers)
        for number in numbers:
            stream.packet(number)
        assert stream.shown == list(range(20)), f"seed {seed}"


def test_nothing_is_shown_before_a_key_frame() -> None:
    stream = Stream({2})
    for number in range(101, 115):
        stream.packet(number)
    assert stream.shown == [2, 3, 4]


def test_what_is_missing_is_waited_for_and_then_all_follows() -> None:
    stream = Stream({0})
    for number in range(100, 130):
        if number != 107:
            stream.packet(number)
    assert stream.shown == [0, 1]
    assert stream.assembler.waits_for == 107
    stream.packet(107)
    assert stream.shown == list(range(10))
    assert stream.assembler.waits_for is None


def test_a_complete_key_frame_ends_the_waiting() -> None:
    stream = Stream({0, 5})
    for number in range(100, 121):
        if number != 107:
            stream.packet(number)
    assert stream.shown == [0, 1, 5, 6]
    assert stream.assembler.dropped == 3
    stream.packet(107)
    assert stream.shown == [0, 1, 5, 6], "what was passed over stays so"


def test_a_packet_that_only_fills_the_line_is_no_gap() -> None:
    stream = Stream({0})
    for number in range(100, 103):
        stream.packet(number)
    assert stream.assembler.put(103, 5, None, 0.0, ends=False) == []
    found = stream.assembler.put(
        104, 6000, PicturePayload(b"\x01xx", begins_frame=True, begins_key=False), 0.0, ends=True
    )
    assert [picture.payload for picture in found] == [b"\x01xx"]


def test_who_sends_what_never_fits_loses_it_all() -> None:
    assembler = FrameAssembler()
    part = PicturePayload(b"\x01", begins_frame=False, begins_key=False)
    for number in range(0, 20_000, 2):
        assert assembler.put(number, 0, part, 0.0, ends=False) == []
    assert len(assembler._pieces) <= 1024
    assert assembler.awaits_key
