"""What is under way comes out at its moment, in its order, each once; and the counters add up."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blink_cli.core.impairment.conditions import Conditions
from blink_cli.core.impairment.line import Line
from blink_cli.core.impairment.line_queue import LineQueue

BAD = Conditions(
    loss=0.1, burst_packets=2, delay_ms=40, jitter_ms=20, reordering=0.05, duplication=0.1, corruption=0.05
)


def queue(conditions: Conditions, **bound: int) -> LineQueue[int]:
    return LineQueue(Line(conditions, random.Random(3).random), **bound)


def test_a_datagram_comes_out_when_it_is_due_with_what_was_given() -> None:
    one = queue(Conditions(delay_ms=40))
    assert one.next_timeout() is None
    one.put(b"voice", 5, 1.0)
    assert one.next_timeout() == pytest.approx(1.04)
    assert list(one.take(1.039)) == []
    (out,) = one.take(1.05)
    assert (out.datagram, out.item, out.sent_at) == (b"voice", 5, 1.0)
    assert out.due_at == pytest.approx(1.04)
    assert one.next_timeout() is None


def test_what_is_due_at_once_keeps_its_order() -> None:
    one = queue(Conditions(delay_ms=40))
    for n in range(10):
        one.put(b"x", n, 1.0)
    assert [out.item for out in one.take(2.0)] == list(range(10))


def test_a_corrupted_datagram_differs_in_one_bit() -> None:
    one = queue(Conditions(corruption=1.0))
    one.put(bytes(20), 0, 0.0, overhead_bytes=28)
    (out,) = one.take(0.0)
    assert int.from_bytes(out.datagram).bit_count() == 1


def test_no_more_is_under_way_than_may_be() -> None:
    one = queue(Conditions(delay_ms=1000), most_under_way=3)
    for n in range(5):
        one.put(b"x", n, 0.0)
    assert len(one) == 3
    assert one.line.counters.datagrams_dropped == 2
    assert [out.item for out in one.take(1.0)] == [0, 1, 2]


def test_overhead_takes_its_time_on_a_limited_rate() -> None:
    one = queue(Conditions(rate_kbps=8))
    one.put(bytes(72), 0, 0.0, overhead_bytes=28)
    assert one.next_timeout() == pytest.approx(0.1)


def test_all_that_is_under_way_can_come_out_early_and_in_order() -> None:
    one = queue(Conditions(delay_ms=1000))
    for n in range(3):
        one.put(b"x", n, n)
    assert [out.item for out in one.take_all()] == [0, 1, 2]
    assert one.line.counters.datagrams_delivered == 3


def test_taken_away_a_line_drops_what_is_under_way() -> None:
    one = queue(Conditions(delay_ms=1000))
    for n in range(3):
        one.put(b"x", n, n)
    assert [out.item for out in one.take(1.5)] == [0]
    one.clear()
    assert len(one) == 0
    assert one.next_timeout() is None
    counters = one.line.counters
    assert (counters.datagrams, counters.datagrams_delivered, counters.datagrams_dropped) == (3, 1, 2)


@given(steps=st.lists(st.tuples(st.floats(0, 0.1), st.booleans()), max_size=300), seed=st.integers(0, 99))
def test_the_counters_say_what_became_of_each(steps: list[tuple[float, bool]], seed: int) -> None:
    one: LineQueue[int] = LineQueue(Line(BAD, random.Random(seed).random), most_under_way=20)
    now, out = 0.0, []
    for n, (pause_s, take) in enumerate(steps):
        now += pause_s
        one.put(n.to_bytes(2), n, now)
        if take:
            out += list(one.take(now))
    counters = one.line.counters
    assert counters.datagrams == len(steps)
    assert counters.datagrams_delivered == len(out)
    assert counters.datagrams + counters.datagrams_duplicated == (
        counters.datagrams_lost + counters.datagrams_dropped + len(out) + len(one)
    )
    assert [released.due_at for released in out] == sorted(released.due_at for released in out)
    behind = sum(
        any(earlier.item > released.item for earlier in out[:place]) for place, released in enumerate(out)
    )
    assert counters.datagrams_overtaken == behind
    assert counters.delay_total_s == pytest.approx(sum(r.due_at - r.sent_at for r in out))
