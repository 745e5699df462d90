"""Extended numbers of one playout: wraps, strays, other streams."""

import pytest

from blink_cli.audio.playout.stream_clock import StreamClock
from blink_cli.core.media.rtp import RtpPacket

pytestmark = pytest.mark.no_clock

START = (1 << 32) - 2 * 960


def packet(index: int, *, ssrc: int = 1, start: int = START, arrival_s: float | None = None) -> RtpPacket:
    return RtpPacket(
        ssrc=ssrc,
        sequence_number=(65_534 + index) & 0xFFFF,
        timestamp=(start + 960 * index) & 0xFFFFFFFF,
        payload_type=111,
        marker=False,
        payload=b"x",
        arrival_s=0.02 * index if arrival_s is None else arrival_s,
    )


def test_numbers_go_on_through_the_wrap_of_both_and_a_late_packet_keeps_its_place() -> None:
    clock = StreamClock()
    placed = [clock.place(packet(index)) for index in (0, 1, 3, 2, 4, 4)]
    found = [(placed_at[0], placed_at[1], placed_at[2]) for placed_at in placed if placed_at is not None]
    first_timestamp, first_number, is_new = found[0]
    assert is_new
    assert [(timestamp - first_timestamp, number - first_number) for timestamp, number, _ in found] == [
        (960 * index, index) for index in (0, 1, 3, 2, 4, 4)
    ]
    assert not any(new for _, _, new in found[1:])


def test_another_stream_begins_with_the_second_packet_that_says_so() -> None:
    clock = StreamClock()
    clock.place(packet(0))
    assert clock.place(packet(1, start=START + 10 * 48_000)) is None
    placed = clock.place(packet(2, start=START + 10 * 48_000))
    assert placed is not None
    assert placed[2]
    assert clock.place(packet(3)) is None, "now the old time is the stray one"


def test_the_last_packets_of_the_source_before_are_dropped_until_it_is_back() -> None:
    clock = StreamClock()
    clock.place(packet(0, ssrc=1))
    clock.place(packet(0, ssrc=2, start=START + 10 * 48_000))
    assert [clock.place(packet(index, ssrc=1)) for index in (1, 2)] == [None, None]
    placed = clock.place(packet(3, ssrc=1))
    assert placed is not None
    assert placed[2]


def test_who_comes_by_another_connection_goes_on() -> None:
    clock = StreamClock()
    first = clock.place(packet(0))
    second = clock.place(packet(1))
    other = packet(2, ssrc=2)
    third = clock.place(RtpPacket(2, 4_000, other.timestamp, 111, marker=False, payload=b"x", arrival_s=0.06))
    fourth = clock.place(
        RtpPacket(2, 4_001, packet(3).timestamp, 111, marker=False, payload=b"x", arrival_s=0.08)
    )
    late = clock.place(packet(1, arrival_s=0.09))
    assert first is not None
    placed = [one for one in (first, second, third, fourth, late) if one is not None]
    assert [(at - first[0], number - first[1], new) for at, number, new in placed] == [
        (0, 0, True),
        (960, 1, False),
        (1920, 2, False),
        (2880, 3, False),
        (960, 1, False),
    ]
