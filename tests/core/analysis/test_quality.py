"""Thresholds begin and end with hysteresis in value and time, and a problem is told once."""

from blink_cli.core.analysis.quality import (
    CONCEALED,
    ENTER_AFTER_S,
    JITTER_MS,
    LEAVE_AFTER_S,
    Degraded,
    LastingProblem,
    ProblemChange,
    QualityMachine,
    Recovered,
)


def run(
    machine: QualityMachine, values: tuple[float | None, ...], seconds: float, begun_s: float
) -> list[Degraded | Recovered]:
    changes = [machine.update(values, begun_s + second) for second in range(int(seconds))]
    return [change for change in changes if change is not None]


def test_a_bad_moment_is_no_bad_line() -> None:
    machine = QualityMachine(CONCEALED)
    assert run(machine, (0.5,), ENTER_AFTER_S, 0.0) == []
    assert run(machine, (0.0,), 10, ENTER_AFTER_S) == []
    assert not machine.degraded


def test_it_is_told_once_with_its_reason_and_once_when_it_is_over() -> None:
    machine = QualityMachine(CONCEALED, JITTER_MS)
    (degraded,) = run(machine, (0.12, 10.0), 60, 0.0)
    assert isinstance(degraded, Degraded)
    assert "12%" in degraded.reason
    assert "unevenly" not in degraded.reason
    (recovered,) = run(machine, (0.0, 10.0), 60, 60.0)
    assert isinstance(recovered, Recovered)
    assert recovered.lasted_s == 60 - ENTER_AFTER_S + LEAVE_AFTER_S


def test_between_the_limits_it_stays_as_it_is() -> None:
    machine = QualityMachine(CONCEALED)
    between = (CONCEALED.upper + CONCEALED.lower) / 2
    assert run(machine, (between,), 60, 0.0) == []
    assert len(run(machine, (0.2,), 10, 60.0)) == 1
    assert run(machine, (between,), 60, 70.0) == []
    assert machine.degraded


def test_flickering_around_a_limit_changes_nothing() -> None:
    machine = QualityMachine(CONCEALED)
    changes = [machine.update((0.2 if second % 3 else 0.0,), float(second)) for second in range(60)]
    assert changes == [None] * 60


def test_a_second_reason_neither_begins_nor_ends_it() -> None:
    machine = QualityMachine(CONCEALED, JITTER_MS)
    assert len(run(machine, (0.2, 10.0), 10, 0.0)) == 1
    assert run(machine, (0.2, 200.0), 10, 10.0) == []
    assert run(machine, (0.0, 200.0), 20, 20.0) == []  # the other one is still bad
    assert len(run(machine, (0.0, 10.0), 20, 40.0)) == 1


def test_nothing_to_judge_is_nothing_bad() -> None:
    machine = QualityMachine(CONCEALED)
    assert run(machine, (None,), 60, 0.0) == []
    assert len(run(machine, (0.2,), 10, 60.0)) == 1
    assert len(run(machine, (None,), 10, 70.0)) == 1


def test_a_lasting_problem_is_told_once_until_it_is_over() -> None:
    problem = LastingProblem(5.0)
    said = [problem.update(wrong=True, now_s=float(second)) for second in range(20)]
    assert said == [None] * 5 + [ProblemChange.BEGAN] + [None] * 14
    assert problem.update(wrong=False, now_s=20.0) is ProblemChange.ENDED
    assert problem.update(wrong=False, now_s=21.0) is None
    assert problem.update(wrong=True, now_s=22.0) is None


def test_a_problem_that_was_never_told_ends_without_a_word() -> None:
    problem = LastingProblem(5.0)
    problem.update(wrong=True, now_s=0.0)
    assert problem.update(wrong=False, now_s=1.0) is None
