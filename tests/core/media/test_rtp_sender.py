"""Packets of one link: sequence, wrap, counters, and the clock of sender reports."""

import pytest

from blink_cli.core.media import red
from blink_cli.core.media.copy_brake import RedLevels
from blink_cli.core.media.media_format import MediaFormat
from blink_cli.core.media.rtp import EncodedFrame, SentPacket
from blink_cli.core.media.rtp_header import parse_rtp
from blink_cli.core.media.rtp_receiver import RtpReceiver
from blink_cli.core.media.rtp_sender import RetransmissionStream, RtpSender, SenderClock
from blink_cli.lab.links import frame

pytestmark = pytest.mark.no_clock

MEDIA = MediaFormat(opus=111, red=63, audio_level_id=5)


def sent(sender: RtpSender, index: int, *, size: int = 80) -> tuple[bytes, SentPacket]:
    """Send a frame over a network that takes everything."""
    made = sender.packet(frame(index, size=size), 0.0)
    assert made is not None
    sender.went_out(frame(index, size=size), made[1])
    return made


def test_sequence_numbers_wrap_and_only_sent_packets_have_one() -> None:
    sender = RtpSender(1, 65534, MEDIA)
    packets = [sent(sender, index)[0] for index in range(3)]
    assert sender.packet(frame(3), 0.0) is not None
    sender.discarded()
    packets.append(sent(sender, 4)[0])

    parsed = [parse_rtp(packet, 0.0, 5) for packet in packets]
    assert [packet.sequence_number for packet in parsed] == [65534, 65535, 0, 1]
    assert {packet.audio_level_dbov for packet in parsed} == {-30}
    assert sender.counters.packets_discarded == 1


def test_without_a_level_extension_the_header_is_twelve_bytes() -> None:
    sender = RtpSender(1, 0, MediaFormat(111, None, None))
    sender.redundancy = 2
    assert [len(sent(sender, index)[0]) for index in range(2)] == [92, 92]


@pytest.mark.parametrize("levels", [1, 2])
def test_what_is_told_of_copies_is_what_the_packet_carries(levels: RedLevels) -> None:
    sender = RtpSender(1, 0, MEDIA)
    sender.redundancy = levels
    # A talk spurt, a pause of 0.4 s, and frames of which one is longer than a copy can be.
    frames = ((0, 80), (1, 80), (2, 80), (23, 80), (24, 1100), (25, 80), (26, 80))
    made = [sent(sender, index, size=size) for index, size in frames]
    received = [parse_rtp(packet, 0.0, 5) for packet, _ in made]
    told = [one for _, one in made]
    kinds = [packet.payload_type for packet in received]
    assert kinds == [one.payload_type for one in told]
    assert kinds[0] == kinds[3] == MEDIA.opus, (
        "the first frame, and that after the pause, have nothing to carry"
    )
    carried = [
        red.count_copies(packet.payload) if packet.payload_type == MEDIA.red else 0 for packet in received
    ]
    assert [one.redundancy for one in told] == carried
    assert 0 not in [n for n, kind in zip(carried, kinds, strict=True) if kind == MEDIA.red]
    assert carried == ([0, 1, 1, 0, 1, 0, 1] if levels == 1 else [0, 1, 2, 0, 1, 1, 1])


def at(ticks: int) -> EncodedFrame:
    return EncodedFrame(b"x", ticks & 0xFFFFFFFF, 960)


def test_clock_follows_the_least_late_frame() -> None:
    clock = SenderClock()
    assert clock.timestamp(0.0) is None
    lateness_s = [0.004, 0.0, 0.009, 0.002]
    for index, late_s in enumerate(lateness_s):
        clock.sent(at(960 * index), 100 + 0.02 * index + late_s)
    # The first frame's last sample, tick 960, was captured at 100 s.
    assert clock.timestamp(100.0) == 960
    assert clock.timestamp(100.5) == 960 + 24_000


def test_clock_runs_across_the_wrap_of_timestamps() -> None:
    clock = SenderClock()
    start = 2**32 - 2 * 960
    for index in range(6):
        clock.sent(at(start + 960 * index), 10 + 0.02 * index)
    assert clock.timestamp(10.1) == (start + 960 + 4800) & 0xFFFFFFFF


def test_clock_follows_drift_and_forgets_an_old_minimum() -> None:
    clock = SenderClock()
    drift = 1 + 150e-6  # the sound card is slow: its frames come later and later
    for interval in range(60):
        clock.next_interval()
        for index in range(50):
            number = interval * 50 + index
            clock.sent(at(960 * number), 0.02 * number * drift)
    now_s = 0.02 * 2999 * drift
    timestamp = clock.timestamp(now_s)
    assert timestamp is not None
    assert abs(timestamp - 960 * 3000) < 48  # within a millisecond


def test_clock_takes_up_a_source_that_began_anew() -> None:
    clock = SenderClock()
    clock.sent(at(0), 0.0)
    clock.sent(at(960 * 100), 60.0)  # the device was closed for a minute and its timestamps stood still
    assert clock.timestamp(60.0) == 960 * 101


@pytest.mark.parametrize("agreed", [12, None])
def test_dred_goes_to_who_agreed_to_it_and_copies_and_what_goes_again_are_without(agreed: int | None) -> None:
    sender = RtpSender(1, 0, MediaFormat(111, 63, None, dred=agreed))
    sender.redundancy, sender.dred = 1, True
    frames = [
        EncodedFrame(bytes((72, number)) * 20, number * 960, 960, payload_with_dred=bytes((75, number)) * 30)
        for number in range(2)
    ]
    payloads = []
    for frame_sent in frames:
        made = sender.packet(frame_sent, 0.0)
        assert made is not None
        sender.went_out(frame_sent, made[1])
        payloads.append(made[1].payload)
    primary = [one.payload if agreed is None else one.payload_with_dred for one in frames]
    assert payloads[0] == primary[0]
    carried = [payload for _, payload, _ in red.unpack(payloads[1], 960)]
    assert carried == [frames[0].payload, primary[1]]
    added = 0 if agreed is None else 2 * 20
    assert sender.counters.redundant_bytes_sent == added + len(frames[0].payload) + 5


def test_copies_behind_the_first_are_the_shorter_ones() -> None:
    sender = RtpSender(1, 10, MediaFormat(96, 63, None))
    sender.redundancy, sender.full_copies = 3, 1
    packet = b""
    for number in range(5):
        # The third frame came without a shorter copy: it goes as it was.
        frame = EncodedFrame(
            bytes([number]) * 9, number * 960, 960, copy=b"" if number == 2 else bytes([number])
        )
        made = sender.packet(frame, 0.0)
        assert made is not None
        packet, told = made
        sender.went_out(frame, told)
    copies = red.unpack(packet[12:], 4 * 960)
    assert [body for _, body, _ in copies] == [b"\1", b"\2" * 9, b"\3" * 9, b"\4" * 9]


def test_earlier_frames_go_once_more_behind_a_packet_where_a_stream_for_it_was_agreed() -> None:
    media = MediaFormat(96, 63, None, nack=True, rtx=62)
    sender = RtpSender(1, 10, media, retransmissions=RetransmissionStream(2, 100))
    receiver = RtpReceiver(media, ())
    sender.sent_twice = 2
    heard = []
    for number in range(4):
        # The second packet is lost; the fourth comes behind a pause of a second.
        at = (number if number < 3 else 53) * 960
        frame = EncodedFrame(bytes([number + 8]) * 9, at, 960, copy=bytes([number + 8]) * 3)
        made = sender.packet(frame, 0.0)
        assert made is not None
        sender.went_out(frame, made[1])
        datagrams = [made[0]] if number != 1 else []
        datagrams += sender.unasked()
        heard += [packet for data in datagrams if (packet := receiver.received(data, 0.0)) is not None]
    assert [(one.sequence_number, one.payload, one.retransmitted) for one in heard] == [
        (10, bytes([8]) * 9, False),
        (12, bytes([10]) * 9, False),
        (11, bytes([9]) * 3, True),
        (13, bytes([11]) * 9, False),
    ]
    assert sender.counters.retransmitted_packets_sent == 3
    assert sender.counters.packets_sent == 4
    assert receiver.counters.retransmissions_unneeded == 2
    assert RtpSender(1, 10, MediaFormat(96, 63, None)).unasked() == []
