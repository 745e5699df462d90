"""Noise is not called progress, and a real change is found."""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec
import pytest

from blink_cli.commands.lab_comparison_text import comparison_lines
from blink_cli.core.errors import UsageError
from blink_cli.lab.comparison.comparing import compare
from blink_cli.lab.comparison.document import Comparison, ComparisonRow
from blink_cli.lab.comparison.figures import FIGURES
from blink_cli.lab.comparison.student_t import two_sided, within
from blink_cli.lab.verdict.report import CaseResult, LabReport
from tests.lab.comparison.reports import Figures, case, report

pytestmark = pytest.mark.no_clock

MEASURED: Final = Path(__file__).with_name("figures_of_many_seeds.json")
"""Of `blink lab run` in virtual time: 5 s of two voices on two lines, with 20 seeds each. Label -> seeds -> voices -> figures."""

CHANGED: Final = Path(__file__).with_name("figures_of_a_change.json")
"""The same of one line, `loss=10%`, with redundancy `auto` and `0`."""

FAMILIES: Final = 200


@pytest.mark.parametrize(
    ("confidence", "degrees", "t"),
    [
        (0.95, 1, 12.706),
        (0.95, 4, 2.776),
        (0.95, 9, 2.262),
        (0.99, 10, 3.169),
        (0.999, 5, 6.869),
        (0.9, 30, 1.697),
    ],
)
def test_t_is_as_in_tables(confidence: float, degrees: int, t: float) -> None:
    assert two_sided(confidence, degrees) == pytest.approx(t, abs=0.0006)
    assert within(two_sided(confidence, degrees), degrees) == pytest.approx(confidence, abs=1e-9)


def row_of(found: Comparison, figure: str) -> ComparisonRow:
    (row,) = (row for row in found.rows if row.figure == figure)
    return row


def alarms(found: Comparison) -> int:
    return found.better + found.worse + found.different


def drawn_of_measured(rng: random.Random, seeds: int) -> tuple[LabReport, LabReport]:
    """Return two reports of different runs of the same: of the 20 that were measured, none is in both."""
    measured = json.loads(MEASURED.read_text())
    both: tuple[list[CaseResult], list[CaseResult]] = ([], [])
    for label, runs in measured.items():
        chosen = rng.sample(runs, 2 * seeds)
        for which in (0, 1):
            both[which].extend(case(label, seed, chosen[which * seeds + seed]) for seed in range(seeds))
    return report(both[0]), report(both[1])


def drawn_of_models(rng: random.Random, seeds: int) -> tuple[LabReport, LabReport]:
    """The same of figures with long tails, in steps, and nearly always zero."""

    def figures() -> Figures:
        return {
            "pesq": 4.4 - rng.expovariate(6),
            "mos": rng.gauss(4.2, 0.05),
            "delay": rng.choice((49.4, 60.6, 75.6)),
            "delay_p95": 80 + 10 * rng.paretovariate(2),
            "level": rng.gauss(-20, 0.1),
            "loss": rng.gauss(0.05, 0.01),
            "late": 0.0 if rng.random() < 0.9 else 0.01,
            "concealed": rng.lognormvariate(-4, 1),
            "gaps": float(rng.random() < 0.3),
            "talking": rng.choice((34.0, 34.0, 34.0, 334.0)),
            "bitrate": rng.gauss(64_000, 3000),
        }

    a, b = (
        report([case(label, seed, [figures(), figures()]) for label in "abc" for seed in range(seeds)])
        for _ in "ab"
    )
    return a, b


@pytest.mark.parametrize("seeds", [5, 10])
@pytest.mark.parametrize("drawn", [drawn_of_measured, drawn_of_models])
def test_the_same_compared_with_itself_raises_few_alarms(
    drawn: Callable[[random.Random, int], tuple[LabReport, LabReport]], seeds: int
) -> None:
    rng = random.Random(seeds)
    false = sum(alarms(compare(*drawn(rng, seeds))) > 0 for _ in range(FAMILIES))
    assert false <= 0.05 * FAMILIES


def test_runs_of_other_seeds_raise_few_alarms_too() -> None:
    rng = random.Random(7)
    false = 0
    for _ in range(FAMILIES):
        a, b = drawn_of_measured(rng, 5)
        others = [case(one.label.partition(",")[0], one.seed + 100, ()) for one in b.cases]
        moved = report(
            [
                CaseResult(
                    **{**{name: getattr(other, name) for name in other.__struct_fields__}, "pairs": one.pairs}
                )
                for one, other in zip(b.cases, others, strict=True)
            ]
        )
        found = compare(a, moved)
        assert not any(row.paired for row in found.rows)
        false += alarms(found) > 0
    assert false <= 0.05 * FAMILIES


def test_a_real_change_is_found() -> None:
    """Copies turned off on a line that loses 10 %: measured with 10 seeds each."""
    measured = json.loads(CHANGED.read_text())
    with_copies, without = (
        report([case("", seed, voices) for seed, voices in enumerate(measured[name])])
        for name in ("auto", "0")
    )
    found = compare(with_copies, without)
    concealed, bitrate = row_of(found, "concealed"), row_of(found, "bitrate")
    assert (concealed.verdict, row_of(found, "pesq").verdict) == ("worse", "worse")
    assert (bitrate.verdict, found.outcome) == ("better", "worse")
    assert concealed.paired
    assert concealed.low is not None
    assert 0 < concealed.low < concealed.difference
    assert len(concealed.voices) == 2
    back = compare(without, with_copies)
    assert (row_of(back, "concealed").verdict, row_of(back, "bitrate").verdict) == ("better", "worse")
    assert back.outcome == "worse"
    assert compare(without, with_copies, allowed=["bitrate", "delay", "delay_p95"]).outcome == "not_worse"


@pytest.mark.parametrize("seeds", [1, 4])
def test_of_few_runs_nobody_can_tell(seeds: int) -> None:
    a, b = (report([case("", seed, [{"pesq": pesq}]) for seed in range(seeds)]) for pesq in (4.5, 1.5))
    found = compare(a, b)
    row = row_of(found, "pesq")
    assert (row.verdict, row.low, row.difference) == ("cannot_tell", None, -3.0)
    assert found.outcome == "not_worse"


def test_the_very_same_runs_have_no_difference_at_all() -> None:
    same = report([case("a", seed, [{"pesq": 4.0 + seed / 10, "delay": 60.0}]) for seed in range(5)])
    found = compare(same, same)
    assert {(row.low, row.high, row.verdict) for row in found.rows} == {(0.0, 0.0, "no_difference_shown")}


def test_a_voice_that_one_of_them_has_not_is_left_out() -> None:
    a = report([case("", seed, [{"delay": 50.0}, {"delay": 900.0}]) for seed in range(4)])
    b = report([case("", seed, [{"delay": 50.0}, {"delay": None}]) for seed in range(4)])
    row = row_of(compare(a, b), "delay")
    assert (row.a, row.b) == (50.0, 50.0)


def test_what_has_no_counterpart_is_told() -> None:
    a = report([case("a", 1, [{"pesq": 4.0}]), case("b", 1, [{"pesq": 4.0}])])
    found = compare(a, report(a.cases[:1]))
    assert (found.only_in_a, found.only_in_b) == (("trial [b]",), ())
    with pytest.raises(UsageError, match="no case in common"):
        compare(a, report([case("a", 1, [{}], scenario="other")]))
    with pytest.raises(UsageError, match="no figure 'beauty'"):
        compare(a, a, allowed=["beauty"])


def test_every_figure_has_its_own_name_and_step() -> None:
    assert len({figure.name for figure in FIGURES}) == len(FIGURES)
    assert all(figure.least > 0 for figure in FIGURES)


def test_a_case_that_could_be_run_before_and_not_after_is_worse() -> None:
    voices = [{"pesq": 4.0}]
    cases = [case("loss=1%", seed, voices) for seed in range(1, 7)]
    broken = msgspec.structs.replace(cases[0], error="libopus is gone.", outcome="failed", pairs=())
    found = compare(report(cases), report([broken, *cases[1:]]))
    assert found.outcome == "worse"
    assert found.failed_in_b == ("trial [loss=1%, seed 1]",)
    assert found.only_in_a == ()
    assert "could be run in A and not in B: trial [loss=1%, seed 1]" in "\n".join(comparison_lines(found))
    back = compare(report([broken, *cases[1:]]), report(cases))
    assert (back.outcome, back.failed_in_b) == ("not_worse", ())


def test_pictures_are_compared_where_there_are_some() -> None:
    def run(worse: float) -> LabReport:
        rng = random.Random(f"pictures {worse}")
        shown = {
            "fps": 15.0 - 3 * worse,
            "frozen": 0.1 + worse,
            "picture_delay": 90.0 - 20 * worse,
            "ssim": 0.95 - 0.04 * worse,
            "psnr": 41.0 - 2 * worse,
            "picture_bitrate": 200_000.0 - 50_000 * worse,
        }
        return report(
            [
                case(
                    "",
                    seed,
                    [
                        {name: value * rng.uniform(0.9995, 1.0005) for name, value in shown.items()},
                        {"pesq": 4.3},
                    ],
                )
                for seed in range(1, 7)
            ]
        )

    found = compare(run(0.0), run(1.0))
    verdicts = {row.figure: row.verdict for row in found.rows if row.figure != "pesq"}
    wanted = {
        "fps": "worse",
        "frozen": "worse",
        "picture_delay": "better",
        "ssim": "worse",
        "psnr": "worse",
        "picture_bitrate": "different",
    }
    assert {name: verdicts[name] for name in wanted} == wanted
    assert alarms(compare(run(0.0), run(0.0))) == 0
