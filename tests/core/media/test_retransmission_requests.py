"""What a receiver asks for again, and when."""

import itertools
import math

import pytest

from blink_cli.core.media.retransmission_requests import AskingSettings, RetransmissionRequests

TICKS = 960
WAY_S = 0.001


class Stream:
    """Packets of 20 ms from second 100 on, each with the same way."""

    def __init__(self, settings: AskingSettings | None = None) -> None:
        self.requests = RetransmissionRequests(settings or AskingSettings())
        self.requests.rtt_s = 0.002
        self.asked: list[tuple[float, tuple[int, ...]]] = []

    def comes(
        self, number: int, *, late_s: float = 0.0, media: int | None = None, pause: bool = False
    ) -> float:
        at_s = self.due(number if media is None else media) + late_s
        self.wait(at_s)
        self.requests.received(
            number,
            TICKS * (number if media is None else media),
            at_s,
            marker=False,
            may_pause=pause,
        )
        return at_s

    @staticmethod
    def due(number: int) -> float:
        return 100 + 0.02 * number + WAY_S

    def wait(self, until_s: float) -> None:
        """Wake whenever it wants to be woken."""
        while (at_s := self.requests.next_at()) < until_s:
            numbers = self.requests.due(at_s)
            if numbers:
                self.asked.append((at_s, numbers))

    def first_asked(self, number: int) -> float:
        return next(at_s for at_s, numbers in self.asked if number in numbers)

    def times(self, number: int) -> int:
        return sum(number in numbers for _, numbers in self.asked)


def settled(settings: AskingSettings | None = None) -> Stream:
    """A stream that has lost a packet lately, and so is watched."""
    stream = Stream(settings)
    for number in range(20):
        if number != 10:
            stream.comes(number)
    stream.requests.resent(10)
    stream.asked.clear()
    return stream


def test_a_clean_line_is_not_watched() -> None:
    stream = Stream()
    for number in range(200):
        stream.comes(number)
        assert stream.requests.next_at() == math.inf
    assert not stream.asked


def test_the_first_loss_is_noticed_by_the_packet_behind_it() -> None:
    stream = Stream()
    for number in (0, 1, 2, 4):
        at_s = stream.comes(number)
    stream.wait(at_s + 0.001)
    ((asked_at, numbers),) = stream.asked
    assert numbers == (3,)
    assert asked_at == pytest.approx(at_s)


def test_later_ones_are_noticed_by_the_clock_before_any_packet_is_behind_them() -> None:
    stream = settled()
    stream.wait(stream.due(20) + 0.015)
    assert stream.first_asked(20) == pytest.approx(stream.due(20) + 0.002, abs=0.001)


def test_it_is_asked_again_while_it_can_be_of_use_and_then_given_up() -> None:
    stream = settled()
    for number in range(21, 60):
        stream.comes(number)
    asked = [at_s for at_s, numbers in stream.asked if 20 in numbers]
    assert len(asked) >= 30
    assert all(later - before >= 0.0039 for before, later in itertools.pairwise(asked))
    assert asked[-1] <= stream.due(20) + AskingSettings().horizon_s
    assert not stream.requests.is_missing_some


def test_what_came_again_or_in_another_packet_is_asked_for_no_more() -> None:
    stream = settled()
    stream.wait(stream.due(20) + 0.004)
    assert stream.times(20) == 1
    stream.requests.resent(20)
    for number in range(21, 40):
        stream.comes(number)
    assert stream.times(20) == 1


def asked_while_four_of_five_are_lost(*, come_again: bool) -> list[float]:
    """When names were asked for, each as often as it was, in 6 s of which every fifth packet comes by itself."""
    stream = settled()
    for number in range(20, 320):
        if number % 5 == 0:
            stream.comes(number)
            continue
        stream.wait(stream.due(number) + 0.012)
        if come_again:
            stream.requests.resent(number)
    return [at_s for at_s, numbers in stream.asked for _ in numbers]


def test_where_next_to_nothing_comes_of_it_asking_stops_for_seconds() -> None:
    settings = AskingSettings()
    vain = asked_while_four_of_five_are_lost(come_again=False)
    pauses = [later - before for before, later in itertools.pairwise(vain)]
    assert max(pauses) == pytest.approx(settings.futile_s, abs=0.2)
    assert len(vain) < 2 * settings.judged_requests + 2 * settings.burst_requests
    useful = asked_while_four_of_five_are_lost(come_again=True)
    assert max(later - before for before, later in itertools.pairwise(useful)) < 0.1


def test_an_outage_is_no_reason_to_stop_asking() -> None:
    stream = settled()
    stream.wait(stream.due(120))  # two seconds in which nothing comes at all
    for number in range(120, 140):
        if number != 130:
            stream.comes(number)
    assert stream.times(130) > 0


def test_who_may_have_paused_is_asked_a_few_times_and_no_more() -> None:
    stream = settled()
    stream.comes(20, pause=True)
    stream.wait(stream.due(40))
    assert 1 <= stream.times(21) <= AskingSettings().pause_requests
    assert {number for _, numbers in stream.asked for number in numbers} == {21, 22}
    # The next packet has the next number and a later time: nothing was lost.
    before = len(stream.asked)
    stream.comes(21, media=60)
    stream.comes(22, media=61)
    stream.wait(stream.due(61) + 0.001)
    assert not any(number <= 22 for _, numbers in stream.asked[before:] for number in numbers)


def test_behind_a_packet_that_waited_the_next_one_is_waited_for_as_long() -> None:
    stream = settled()
    stream.comes(20, late_s=0.015)
    stream.wait(stream.due(21) + 0.016)
    assert not stream.times(21)
    stream.wait(stream.due(21) + 0.019)
    assert stream.times(21) == 1


def test_a_stream_in_a_queue_is_not_asked_for() -> None:
    stream = settled()
    for number in range(20, 120):
        stream.comes(number, late_s=min(0.3, 0.01 * (number - 19)))
    stream.asked.clear()
    for number in range(121, 140):
        stream.comes(number, late_s=0.3)
    assert not stream.asked


def test_far_away_nothing_is_asked() -> None:
    stream = settled()
    stream.requests.rtt_s = 0.1
    for number in range(22, 60):
        stream.comes(number)
    assert not stream.asked


def test_a_line_that_passes_nothing_is_not_filled_with_requests() -> None:
    settings = AskingSettings()
    stream = settled()
    stream.wait(stream.due(20) + 2.0)
    names = sum(len(numbers) for _, numbers in stream.asked)
    assert names <= settings.burst_requests + 2 * settings.requests_per_s
    assert {number for _, numbers in stream.asked for number in numbers} == set(
        range(20, 20 + settings.ahead_packets)
    )


def test_another_stream_begins_anew() -> None:
    stream = settled()
    stream.requests.begin()
    stream.comes(5000)
    stream.comes(5001)
    assert not stream.requests.is_missing_some
