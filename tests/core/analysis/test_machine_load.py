"""When a machine is too slow for its call, and when it is only busy, or stood still for a moment."""

import pytest

from blink_cli.core.analysis.machine_load import MachineLoad, MachineReading
from blink_cli.core.analysis.quality import Degraded, Recovered


def reading(second: int, late_ticks: int, loop_late_ms: float = 1.0, **processors: float) -> MachineReading:
    return MachineReading(
        ticks=200 * second,
        late_ticks=late_ticks,
        loop_late_ms=loop_late_ms,
        processors_busy=processors.get("busy"),
        processors_stolen=processors.get("stolen"),
    )


def test_late_steps_that_last_are_told_and_so_is_their_end() -> None:
    load = MachineLoad()
    changes = {}
    late = 0
    for second in range(60):
        late += 30 if 10 <= second < 30 else 0
        change = load.update(reading(second, late, busy=0.98), float(second))
        if change is not None:
            changes[second] = change

    (began, overloaded), (ended, recovered) = changes.items()
    assert isinstance(overloaded, Degraded)
    assert overloaded.reason.endswith("the processors are 98% busy")
    assert "of the steps" in overloaded.reason
    assert 12 <= began <= 15
    assert isinstance(recovered, Recovered)
    assert 34 <= ended <= 40
    assert load.reason is None


@pytest.mark.parametrize("stall_ms", [300.0, 3_000.0])
def test_a_stall_of_a_moment_is_not_told(stall_ms: float) -> None:
    load = MachineLoad()
    late = 0
    for second in range(60):
        stalled = second == 20
        late += 2 if stalled else 0
        assert load.update(reading(second, late, stall_ms if stalled else 1.0), float(second)) is None


def test_a_busy_machine_that_keeps_up_is_not_overloaded() -> None:
    load = MachineLoad()
    for second in range(30):
        assert load.update(reading(second, 2 * second, 20.0, busy=1.0), float(second)) is None
    assert load.late_ticks_share == pytest.approx(0.01)


def test_what_the_host_takes_away_is_named() -> None:
    load = MachineLoad()
    for second in range(10):
        load.update(reading(second, 60 * second, busy=0.5, stolen=0.4), float(second))
    assert load.reason is not None
    assert "its host takes 40% of the processors away" in load.reason


def test_a_slow_event_loop_alone_is_told() -> None:
    load = MachineLoad()
    for second in range(10):
        load.update(reading(second, 0, 250.0, busy=0.3), float(second))
    assert load.reason is not None
    assert "250 ms" in load.reason
    assert "limited or held up" in load.reason


def test_new_threads_count_anew() -> None:
    load = MachineLoad()
    load.update(reading(100, 5_000), 0.0)
    load.update(reading(1, 0), 1.0)
    assert load.late_ticks_share is None
