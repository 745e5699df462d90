import threading

import pytest

from blink_cli.audio.voice_thread import ENDED, VoiceThread
from tests.audio.manual_clock import ManualClock

pytestmark = pytest.mark.no_clock


class Worker:
    """Wants to be called every so often, and keeps when it was."""

    def __init__(self, clock: ManualClock, period_s: float) -> None:
        self._clock = clock
        self._period_s = period_s
        self.called_at: list[float] = []
        self.threads: set[str] = set()
        self.ends = False
        self._due_s = clock.now_s()

    def step(self) -> float | None:
        now_s = self._clock.now_s()
        self.threads.add(threading.current_thread().name)
        if self.ends:
            return ENDED
        if now_s < self._due_s:
            return self._due_s
        self.called_at.append(now_s)
        self._due_s += self._period_s
        return None


def test_two_share_a_thread_which_sleeps_until_the_first_is_due_and_is_told_before() -> None:
    clock, waits = ManualClock(), [0]

    def before_wait() -> None:
        waits[0] += 1

    thread = VoiceThread("test-voice", clock, before_wait=before_wait)
    often, seldom = Worker(clock, 0.01), Worker(clock, 0.02)
    for worker in (often, seldom):
        thread.add(worker.step)
    clock.advance(1.0)
    assert len(often.called_at) == pytest.approx(100, abs=2)
    assert len(seldom.called_at) == pytest.approx(50, abs=2)
    assert often.threads == seldom.threads == {"test-voice"}
    # Both are due at the same moments: one wake-up serves both.
    assert waits[0] == pytest.approx(100, abs=3)
    clock.release()
    for worker in (often, seldom):
        thread.remove(worker.step)


def test_who_is_removed_is_not_called_any_more_and_the_last_one_ends_the_thread() -> None:
    clock = ManualClock()
    thread = VoiceThread("test-voice", clock)
    first, second = Worker(clock, 0.01), Worker(clock, 0.01)
    steps = first.step, second.step
    for step in steps:
        thread.add(step)
    clock.advance(0.1)
    clock.release()
    thread.remove(steps[0])
    called = len(first.called_at)
    thread.remove(steps[1])
    assert len(first.called_at) == called
    assert "test-voice" not in {one.name for one in threading.enumerate()}
    thread.remove(steps[1])  # no harm


def test_one_that_ends_leaves_the_thread_to_the_other_and_may_be_added_again() -> None:
    clock = ManualClock()
    thread = VoiceThread("test-voice", clock)
    ending, going = Worker(clock, 0.01), Worker(clock, 0.01)
    steps = ending.step, going.step
    for step in steps:
        thread.add(step)
    clock.advance(0.1)
    ending.ends = True
    clock.advance(0.1)
    called = len(ending.called_at)
    ending.ends = False
    clock.advance(0.1)
    assert len(ending.called_at) == called
    assert len(going.called_at) == pytest.approx(30, abs=2)
    thread.add(steps[0])
    clock.advance(0.1)
    assert len(ending.called_at) > called
    clock.release()
    for step in steps:
        thread.remove(step)


def test_when_all_have_ended_there_is_no_thread_until_one_is_added() -> None:
    clock = ManualClock()
    thread = VoiceThread("test-voice", clock)
    worker = Worker(clock, 0.01)
    worker.ends = True
    step = worker.step
    thread.add(step)
    for one in threading.enumerate():
        if one.name == "test-voice":
            one.join()
    worker.ends = False
    thread.add(step)
    clock.advance(0.1)
    assert worker.called_at
    clock.release()
    thread.remove(step)


def test_who_may_begin_at_any_moment_meets_the_others_at_their_next_wake_up() -> None:
    clock = ManualClock()
    thread = VoiceThread("test-voice", clock)
    assert thread.meeting_s(clock.now_s()) == clock.now_s()
    worker = Worker(clock, 0.01)
    step = worker.step
    thread.add(step)
    clock.advance(0.095)
    now_s = clock.now_s()
    assert now_s < thread.meeting_s(now_s) <= now_s + 0.01
    assert thread.meeting_s(now_s + 1.0) == now_s + 1.0  # it sleeps longer than anybody waits
    clock.release()
    thread.remove(step)
