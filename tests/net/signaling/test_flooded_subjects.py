"""Subjects that bring too much are left alone for a moment; those that do not are not."""

import pytest

from blink_cli.net.signaling.flooded_subjects import BURST, LEFT_ALONE_S, PER_S, FloodedSubjects

pytestmark = pytest.mark.no_clock


def test_a_flooded_subject_is_left_alone_for_a_while_and_the_others_are_not() -> None:
    subjects, now_s = FloodedSubjects(), 100.0
    grew = [subjects.take("quiet" if number % 10 == 0 else "busy", 512, now_s) for number in range(BURST)]
    assert grew.index(True) == BURST - 1
    assert subjects.left_alone(now_s) == {"busy"}
    assert subjects.next_end_s() == now_s + LEFT_ALONE_S
    assert subjects.left_alone(now_s + LEFT_ALONE_S) == frozenset()
    assert subjects.next_end_s() is None


def test_who_floods_all_that_is_listened_to_has_none_of_it_read() -> None:
    subjects = FloodedSubjects()
    for number in range(BURST):
        subjects.take(f"topic {number % 20}", 512, 100.0)
    assert len(subjects.left_alone(100.0)) >= 15


def test_what_comes_no_faster_than_is_read_is_read_for_ever() -> None:
    subjects, now_s = FloodedSubjects(), 100.0
    for _ in range(10 * BURST):
        now_s += 1.01 / PER_S
        assert not subjects.take("topic", 512, now_s)
    # All who were away come back at once.
    now_s += 10.0
    assert not any(subjects.take(f"contact {number}", 512, now_s) for number in range(BURST - 1))


def test_a_message_counts_by_its_size() -> None:
    subjects = FloodedSubjects()
    assert subjects.take("big", 900_000, 100.0)
    assert subjects.left_alone(100.0) == {"big"}
