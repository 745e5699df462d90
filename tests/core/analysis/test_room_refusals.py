"""What a server passes on that nobody sealed: told when it lasts, in virtual time."""

from blink_cli.core.analysis.room_refusals import LASTING_S, LEAST_EACH_LOOK, RoomRefusals
from blink_cli.core.sframe.frame_opener import OpenCounters

Told = tuple[float, bool, OpenCounters]
"""When, whether it began, and what was refused since."""


def told(
    refusals: RoomRefusals, until_s: float, forged_each_look: int, *, since_s: float = 0.0
) -> list[Told]:
    """What is told up to a moment, looked at ten times a second, while so many are refused in each second."""
    changes: list[Told] = []
    for tenth in range(round(10 * since_s), round(10 * until_s)):
        if tenth % 10 == 5:
            refusals.counters.forged += forged_each_look
        change = refusals.look(tenth / 10)
        if change is not None:
            changes.append((tenth / 10, change.began, change.since))
    return changes


def test_what_lasts_is_told_once_and_its_end() -> None:
    refusals = RoomRefusals()
    refusals.counters.replayed = 7  # long ago

    assert told(refusals, 3, 0) == []
    began = told(refusals, 30, 50, since_s=3)
    assert [(was, since.replayed) for _, was, since in began] == [(True, 0)]
    at_s, _, since = began[0]
    assert LASTING_S <= at_s - 3 <= LASTING_S + 2
    assert since == OpenCounters(forged=50 * round(at_s - 3))
    ended = told(refusals, 40, 0, since_s=30)
    assert [(was, since.forged) for _, was, since in ended] == [(False, 50 * 27)]
    assert told(refusals, 60, 0, since_s=40) == []


def test_what_is_over_soon_or_is_little_is_counted_alone() -> None:
    refusals = RoomRefusals()

    assert told(refusals, 4, 50) == []
    assert told(refusals, 8, 0, since_s=4) == []
    assert told(refusals, 60, LEAST_EACH_LOOK - 1, since_s=8) == []
    assert refusals.counters.refused == 4 * 50 + 52 * (LEAST_EACH_LOOK - 1)
