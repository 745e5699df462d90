import math

from blink_cli.core.media.video.missing_packets import GIVEN_UP_S, MissingPackets


def test_a_gap_is_asked_for_soon_and_once_a_round_trip_until_it_comes() -> None:
    missing = MissingPackets()
    missing.rtt_s = 0.04
    missing.received(10, 0.0, again=False)
    missing.received(13, 0.01, again=False)
    assert missing.due(0.01) == ()
    assert missing.due(missing.next_at()) == (11, 12)
    assert missing.due(0.05) == ()
    missing.received(11, 0.055, again=True)
    assert missing.due(missing.next_at()) == (12,)
    missing.received(12, 0.2, again=True)
    assert missing.next_at() == math.inf


def test_who_sees_packets_overtaken_waits_longer() -> None:
    missing = MissingPackets()
    missing.received(10, 0.0, again=False)
    for number in range(12, 60, 2):
        missing.received(number, 0.001 * number, again=False)
        missing.received(number - 1, 0.001 * number + 0.02, again=False)
    missing.received(70, 1.0, again=False)
    assert missing.due(1.015) == ()
    assert missing.due(1.025) == tuple(range(59, 70))


def test_what_nobody_needs_any_more_is_not_asked_for() -> None:
    missing = MissingPackets()
    missing.received(10, 0.0, again=False)
    missing.received(14, 0.0, again=False)
    missing.forget_before(13)
    assert missing.due(1.0) == (13,)
    assert missing.due(GIVEN_UP_S + 0.01) == ()
    assert missing.next_at() == math.inf


def test_another_place_in_the_sequence_is_no_gap() -> None:
    missing = MissingPackets()
    missing.received(10, 0.0, again=False)
    missing.received(5_000, 0.0, again=False)
    assert missing.next_at() == math.inf
