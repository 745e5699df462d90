"""What is sent again because it was asked for, within its bounds."""

from blink_cli.core.media.sent_packets import AGAIN_AFTER_S, BURST_BYTES, KEPT_S, MAX_TIMES, SentPackets


def sent(packets: int, size_bytes: int = 100) -> SentPackets[str]:
    store: SentPackets[str] = SentPackets()
    for number in range(packets):
        store.sent(number, f"packet {number}", size_bytes, 0.02 * number)
    return store


def test_what_was_sent_lately_goes_again_in_the_order_asked() -> None:
    assert sent(10).asked_for((3, 5), 0.2) == [(3, "packet 3"), (5, "packet 5")]


def test_what_is_too_old_or_was_never_sent_is_passed_over() -> None:
    store = sent(100)
    assert store.asked_for((0, 99, 100, 40_000), 2.0) == [(99, "packet 99")]
    assert store.asked_for((99,), 1.98 + KEPT_S + 0.01) == []
    assert store.refused == 0


def test_two_requests_that_meet_are_answered_once() -> None:
    store = sent(2)
    assert store.asked_for((1, 1), 0.1) == [(1, "packet 1")]
    assert store.asked_for((1,), 0.1 + AGAIN_AFTER_S / 2) == []
    assert store.asked_for((1,), 0.1 + 2 * AGAIN_AFTER_S) == [(1, "packet 1")]


def test_one_packet_goes_so_often_and_no_more() -> None:
    store = sent(1)
    times = sum(len(store.asked_for((0,), 0.01 + 0.01 * attempt)) for attempt in range(40))
    assert times == MAX_TIMES
    assert store.refused > 0


def test_who_asks_for_everything_all_the_time_gets_a_share_of_the_stream() -> None:
    store: SentPackets[None] = SentPackets()
    again_bytes = own_bytes = 0
    for number in range(1000):
        at_s = 0.02 * number
        store.sent(number & 0xFFFF, None, 500, at_s)
        own_bytes += 500
        for part in range(1, 5):
            again_bytes += 500 * len(store.asked_for(range(max(0, number - 24), number), at_s + 0.004 * part))
    assert again_bytes <= 1.5 * own_bytes + BURST_BYTES
    assert store.refused > 0


def test_numbers_that_wrap_name_the_newest() -> None:
    store: SentPackets[str] = SentPackets()
    store.sent(65_535, "before", 10, 0.0)
    store.sent(0, "behind", 10, 0.02)
    assert store.asked_for((65_535, 0), 0.05) == [(65_535, "before"), (0, "behind")]
