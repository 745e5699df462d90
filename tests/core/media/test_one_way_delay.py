"""How long each direction takes: known to the half millisecond on one machine, by what both clocks promise on two, and otherwise not said."""

import random
from dataclasses import dataclass

import pytest

from blink_cli.core.errors import WireError
from blink_cli.core.media.clock_message import ClockMessage
from blink_cli.core.media.one_way_delay import ClockExchange, MachineClock, OneWayDelay

pytestmark = pytest.mark.no_clock

ONE_MACHINE, OTHER_MACHINE = b"machine1", b"machine2"


@dataclass
class End:
    """One end with its clocks: what they show at a true moment."""

    monotonic_s: float
    """At the true moment 0."""

    wall_s: float
    max_error_s: float | None
    identity: bytes

    def __post_init__(self) -> None:
        self.clocks = ClockExchange(self._read)

    def _read(self) -> MachineClock:
        return MachineClock(self.wall_s - self.monotonic_s, self.max_error_s, self.identity)

    def at(self, true_s: float) -> float:
        return self.monotonic_s + true_s


def talk(a: End, b: End, *, there_s: float, back_s: float, seconds: int = 12, jitter_s: float = 0.0) -> None:
    """Each says its message once a second, in turn, over an asymmetric way."""
    rng = random.Random(1)
    for second in range(seconds):
        for one, other, way_s, at_s in ((a, b, there_s, second), (b, a, back_s, second + 0.43)):
            message = one.clocks.message(one.at(at_s))
            arrival_s = other.at(at_s + way_s + rng.expovariate(1) * jitter_s)
            other.clocks.received(ClockMessage.from_bytes(message.to_bytes()), arrival_s)


def delay(end: End, true_s: float = 12.0) -> OneWayDelay:
    return end.clocks.delay(end.at(true_s))


def test_on_one_machine_an_asymmetric_way_is_seen() -> None:
    a, b = End(500.0, 1.7e9, None, ONE_MACHINE), End(500.0, 1.7e9, None, ONE_MACHINE)
    talk(a, b, there_s=0.040, back_s=0.005)
    found = delay(a)
    assert (found.method, found.why) == ("same_clock", None)
    assert found.incoming_s == pytest.approx(0.005, abs=1e-6)
    assert found.outgoing_s == pytest.approx(0.040, abs=1e-6)
    assert found.error_s == pytest.approx(0.0005)
    assert found.clock_ahead_s == pytest.approx(0, abs=1e-6)
    assert delay(b).incoming_s == pytest.approx(0.040, abs=1e-6)


def test_a_wall_clock_that_is_set_apart_does_not_matter_on_one_machine() -> None:
    a, b = End(500.0, 1.7e9, None, ONE_MACHINE), End(500.0, 1.7e9 + 7200, 0.001, ONE_MACHINE)
    talk(a, b, there_s=0.040, back_s=0.005)
    assert delay(a).outgoing_s == pytest.approx(0.040, abs=1e-6)
    assert delay(a).clock_ahead_s == pytest.approx(7200, abs=1e-6)


@pytest.mark.parametrize("wrong_s", [-0.002, 0.0, 0.002])
def test_synchronised_machines_are_right_within_what_they_promise(wrong_s: float) -> None:
    a, b = End(500.0, 1.7e9, 0.001, ONE_MACHINE), End(9.0, 1.7e9 + wrong_s, 0.001, OTHER_MACHINE)
    talk(a, b, there_s=0.040, back_s=0.005)
    found = delay(a)
    assert found.method == "synchronised_clocks"
    assert found.error_s == pytest.approx(0.002)
    assert found.incoming_s is not None
    assert found.outgoing_s is not None
    assert abs(found.incoming_s - 0.005) <= 0.002 + 1e-6
    assert abs(found.outgoing_s - 0.040) <= 0.002 + 1e-6
    assert found.incoming_s + found.outgoing_s == pytest.approx(0.045, abs=1e-6)


def test_clocks_that_nobody_keeps_tell_nothing_of_one_direction_and_an_honest_difference() -> None:
    a, b = End(500.0, 1.7e9, None, ONE_MACHINE), End(9.0, 1.7e9 + 0.3, 0.001, OTHER_MACHINE)
    talk(a, b, there_s=0.040, back_s=0.005)
    found = delay(a)
    assert (found.incoming_s, found.outgoing_s, found.error_s, found.method) == (None, None, None, None)
    assert found.why == "this machine's clock is not synchronised"
    assert delay(b).why == "the peer's clock is not synchronised"
    assert found.clock_ahead_s is not None
    assert found.clock_error_s is not None
    # 17.5 ms of it are the asymmetry that messages cannot see; the error says as much.
    assert found.clock_ahead_s == pytest.approx(0.3175, abs=1e-6)
    assert abs(found.clock_ahead_s - 0.3) < found.clock_error_s < 0.0255


def test_a_promise_that_is_no_better_than_half_of_the_round_trip_says_nothing() -> None:
    a, b = End(500.0, 1.7e9, 0.010, ONE_MACHINE), End(9.0, 1.7e9, 0.015, OTHER_MACHINE)
    talk(a, b, there_s=0.040, back_s=0.005)
    found = delay(a)
    assert found.incoming_s is None
    assert found.why == "the clocks may be 25.0 ms apart, which is no less than half of the round trip"


def test_clocks_that_break_their_promise_are_not_believed() -> None:
    a, b = End(500.0, 1.7e9, 0.001, ONE_MACHINE), End(9.0, 1.7e9 + 1.0, 0.001, OTHER_MACHINE)
    talk(a, b, there_s=0.040, back_s=0.005)
    found = delay(a)
    assert found.incoming_s is None
    assert found.why == "the clocks are further apart than both systems say"
    assert found.clock_ahead_s == pytest.approx(1.0, abs=0.0225)


def test_machines_without_a_name_are_not_taken_for_one() -> None:
    a, b = End(500.0, 1.7e9, None, bytes(8)), End(500.0, 1.7e9, None, bytes(8))
    talk(a, b, there_s=0.040, back_s=0.005)
    assert delay(a).incoming_s is None


def test_a_message_that_waited_does_not_move_the_figure_and_old_ones_are_forgotten() -> None:
    a, b = End(500.0, 1.7e9, None, ONE_MACHINE), End(500.0, 1.7e9, None, ONE_MACHINE)
    talk(a, b, there_s=0.040, back_s=0.005, jitter_s=0.002)
    late = b.clocks.message(b.at(11.5))
    a.clocks.received(late, a.at(12.3))
    assert delay(a, 12.3).incoming_s == pytest.approx(0.007, abs=0.003)
    assert delay(a, 40.0) == OneWayDelay()


def test_an_echo_of_what_was_never_said_counts_for_nothing() -> None:
    a = End(500.0, 1.7e9, None, ONE_MACHINE)
    a.clocks.message(a.at(0.0))
    a.clocks.received(ClockMessage(round(500.9e9), 0, None, 12345, 1, ONE_MACHINE), a.at(1.0))
    found = delay(a, 1.0)
    assert found.incoming_s == pytest.approx(0.1, abs=1e-6)
    assert found.outgoing_s is None


def test_before_a_message_came_nothing_is_known() -> None:
    assert End(0.0, 0.0, None, ONE_MACHINE).clocks.delay(1.0) == OneWayDelay()


def test_messages_travel_whole_and_others_are_refused() -> None:
    message = ClockMessage(1 << 60, -5, None, 7, 8, b"12345678")
    assert ClockMessage.from_bytes(message.to_bytes() + b"later") == message
    for data in (b"", message.to_bytes()[:-1], b"\2" + message.to_bytes()[1:]):
        with pytest.raises(WireError):
            ClockMessage.from_bytes(data)
