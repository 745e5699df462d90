"""Dates that never run back, and ids that say whose dates they are to those who know."""

from random import Random

from blink_cli.core.signaling.timeline import OwnTimeline, is_on

NOW_S, WALL_S = 100.0, 1_800_000_000.0
HOUR_S = 3_600.0


def test_in_a_call_the_dates_go_on_whatever_is_done_to_the_wall_clock() -> None:
    own = OwnTimeline(Random(1).randbytes)
    key = own.key
    first = own.date_ms(NOW_S, WALL_S, in_call=True)
    for step_s in (HOUR_S, -HOUR_S, 1e9, -1e9):
        assert own.date_ms(NOW_S + 10, WALL_S + 10 + step_s, in_call=True) == first + 10_000
    assert own.key == key


def test_outside_of_a_call_a_clock_that_was_set_begins_another_timeline() -> None:
    own = OwnTimeline(Random(1).randbytes)
    own.date_ms(NOW_S, WALL_S, in_call=False)
    key, message_id = own.key, own.new_message_id()
    assert own.date_ms(NOW_S + 1, WALL_S - HOUR_S, in_call=False) == round((WALL_S - HOUR_S) * 1000)
    assert own.key != key
    assert is_on(key, message_id)
    assert not is_on(own.key, message_id)


def test_a_clock_that_is_steered_into_step_begins_none() -> None:
    own = OwnTimeline(Random(1).randbytes)
    key = own.key
    for second in range(1_000):
        own.date_ms(NOW_S + second, WALL_S + second * 1.0005, in_call=False)
    assert own.key == key


def test_ids_differ_and_only_the_key_tells_them_apart() -> None:
    own, other = OwnTimeline(Random(1).randbytes), OwnTimeline(Random(2).randbytes)
    ids = [own.new_message_id() for _ in range(100)]
    assert len(set(ids)) == 100
    assert {len(message_id) for message_id in ids} == {16}
    assert all(is_on(own.key, message_id) for message_id in ids)
    assert not any(is_on(other.key, message_id) for message_id in ids)


def test_a_clock_from_before_1970_has_dates_that_grow() -> None:
    own = OwnTimeline(Random(1).randbytes)
    dates = [own.date_ms(NOW_S + second, second - WALL_S, in_call=second > 50) for second in range(100)]
    assert min(dates) == 0
    assert dates[51:] == sorted(set(dates[51:]))
