"""The benches' networks are as bad as their names say, and the same each time."""

import itertools
import random
import statistics

import pytest

from blink_cli.core.impairment.line import Line
from blink_cli.lab.network.named_conditions import FREEZE, NAMED_CONDITIONS

pytestmark = pytest.mark.no_clock

PACKETS = 20_000
STEP_S = 0.02


def arrivals(name: str, seed: int = 1, packets: int = PACKETS) -> list[tuple[float, float | None]]:
    line = Line(NAMED_CONDITIONS[name], random.Random(seed).random)
    fates = [(n * STEP_S, line.fate(n * STEP_S, 160)) for n in range(packets)]
    return [(sent_s, copies[0].due_at if copies else None) for sent_s, copies in fates]


def share_lost(name: str) -> float:
    return sum(arrival is None for _, arrival in arrivals(name)) / PACKETS


@pytest.mark.parametrize(
    ("name", "share"),
    [("clean", 0.0), ("loss2", 0.02), ("loss5", 0.05), ("loss20", 0.2), ("ge10", 0.1), ("l5j20", 0.05)],
)
def test_as_much_is_lost_as_the_name_says(name: str, share: float) -> None:
    assert share_lost(name) == pytest.approx(share, abs=0.01)


def test_bursts_are_longer_than_random_loss() -> None:
    def mean_run(name: str) -> float:
        runs = [
            len(list(run)) for lost, run in itertools.groupby(a is None for _, a in arrivals(name)) if lost
        ]
        return statistics.mean(runs)

    assert mean_run("loss10") == pytest.approx(1 / 0.9, abs=0.05)
    assert mean_run("ge10") > 2.0


@pytest.mark.parametrize(("name", "deviation_s"), [("jit20", 0.02), ("jit40", 0.04)])
def test_jitter_is_the_upper_half_of_a_bell(name: str, deviation_s: float) -> None:
    held_s = [arrival - sent for sent, arrival in arrivals(name) if arrival is not None]
    assert min(held_s) == 0.0
    assert sum(held > 0 for held in held_s) / PACKETS == pytest.approx(0.5, abs=0.02)
    assert statistics.pstdev(held_s + [-held for held in held_s]) == pytest.approx(
        deviation_s / 2**0.5, rel=0.03
    )


def test_a_freeze_holds_everything_and_loses_nothing() -> None:
    end_s = FREEZE.start_s + FREEZE.length_s
    for sent_s, arrival_s in arrivals("freeze", packets=1000):
        assert arrival_s == (end_s if FREEZE.start_s <= sent_s < end_s else sent_s)


@pytest.mark.parametrize("name", NAMED_CONDITIONS)
def test_a_seed_replays(name: str) -> None:
    assert arrivals(name, 3, 500) == arrivals(name, 3, 500)
