"""Packets of pictures leave in the gaps of the voice."""

import math

import pytest

from blink_cli.core.media.video.send_queue import SLACK_S, VOICE_IS_DUE_S, QueuedPacket, SendQueue

pytestmark = pytest.mark.no_clock

LINE_BPS = 300_000.0
EVERY_S = 0.02
VOICE_BYTES = 100


def packet(number: int, size: int = 200, *, again: bool = False) -> QueuedPacket:
    return QueuedPacket(1, 96, number, 0, marker=False, payload=bytes(size), again=again)


def queue(*sizes: int) -> SendQueue:
    one = SendQueue(LINE_BPS)
    one.wants_pairs = False
    for number, size in enumerate(sizes):
        assert one.put(packet(number, size))
    return one


def took_s(packets: list[QueuedPacket]) -> float:
    return sum(each.line_bytes for each in packets) * 8 / LINE_BPS


def test_as_many_leave_as_pass_before_the_next_voice_packet() -> None:
    one = queue(*[200] * 6)
    one.voice_left(10.0, VOICE_BYTES, EVERY_S)
    left = one.due(10.0)
    assert len(left) == 2
    voice_s = (VOICE_BYTES + 58) * 8 / LINE_BPS
    assert voice_s + took_s(left) < EVERY_S + SLACK_S
    assert one.due(10.01) == [], "the gap is used up"
    assert 10.02 < one.next_at(10.01) < 10.022
    one.voice_left(10.02, VOICE_BYTES, EVERY_S)
    assert [each.sequence_number for each in one.due(10.0205)] == [2, 3]


def test_the_rest_of_a_gap_is_used_by_what_fits_into_it() -> None:
    one = queue(200, 200)
    one.voice_left(10.0, VOICE_BYTES, EVERY_S)
    assert len(one.due(10.013)) == 1
    assert len(one.due(10.018)) == 0


def test_a_packet_that_fits_no_gap_leaves_right_behind_a_voice_packet_and_alone() -> None:
    one = queue(800, 800)
    one.voice_left(10.0, VOICE_BYTES, EVERY_S)
    assert len(one.due(10.0005)) == 1
    one.voice_left(10.02, VOICE_BYTES, EVERY_S)
    assert one.due(10.0205) == [], "the voice has one packet before it, not two"
    one.voice_left(10.04, VOICE_BYTES, EVERY_S)
    assert len(one.due(10.0405)) == 1


def test_a_payload_is_made_that_fits_a_gap() -> None:
    one = queue()
    one.voice_left(10.0, VOICE_BYTES, EVERY_S)
    assert one.put(packet(0, one.most_payload_bytes))
    assert len(one.due(10.0)) == 1
    assert one.most_payload_bytes < 600


def test_without_a_voice_packets_follow_each_other_at_the_pace_of_the_line() -> None:
    one = queue(*[1_000] * 20)
    now_s, sent = 10.0, 0
    while one.next_at(now_s) < math.inf:
        now_s = max(one.next_at(now_s), now_s)
        sent += len(one.due(now_s))
    assert sent == 20
    assert now_s - 10.0 == pytest.approx(20 * 1_078 * 8 / LINE_BPS, rel=0.1)


def test_a_voice_that_pauses_holds_nothing_back() -> None:
    one = queue(*[200] * 6)
    one.voice_left(10.0, VOICE_BYTES, EVERY_S)
    assert len(one.due(10.0)) == 2
    assert one.due(10.03) == [], "the next one may still come"
    assert len(one.due(10.0 + VOICE_IS_DUE_S)) > 0


def test_two_leave_together_now_and_then_while_the_line_is_not_known() -> None:
    one = queue(*[400] * 20)
    one.wants_pairs = True
    together = []
    for tick in range(10):
        now_s = 10 + tick * EVERY_S
        one.voice_left(now_s, VOICE_BYTES, EVERY_S)
        together.append(len(one.due(now_s)))
    assert together.count(2) == 3, "one pair in 0.08 s"
    assert max(together) == 2


def test_what_goes_again_goes_first_and_a_full_queue_takes_no_more() -> None:
    one = queue(200)
    assert one.put(packet(9, again=True))
    one.voice_left(10.0, VOICE_BYTES, EVERY_S)
    assert [each.sequence_number for each in one.due(10.0)] == [9, 0]
    assert one.backlog_s == 0
    taken = sum(one.put(packet(number)) for number in range(600))
    assert taken == 512
    assert one.overflowed == 88


def test_what_goes_again_of_the_voice_takes_its_room_from_pictures() -> None:
    one = queue(*[200] * 4)
    one.voice_left(10.0, VOICE_BYTES, EVERY_S)
    one.voice_left_again(2 * (VOICE_BYTES + 58))
    assert len(one.due(10.0)) == 1, "two would have fitted"
