"""The estimate moves the right way, and says what it is made of."""

import pytest

from blink_cli.core.analysis.e_model import R0, estimate


def mos(loss: float = 0.0, burst_ratio: float = 1.0, delay_ms: float = 80.0) -> float:
    return estimate(lost_share=loss, burst_ratio=burst_ratio, one_way_delay_ms=delay_ms).mos


def test_a_perfect_call_has_the_best_score() -> None:
    best = estimate(lost_share=0.0, burst_ratio=1.0, one_way_delay_ms=60.0)
    assert (best.r, best.mos) == (R0, 4.5)


@pytest.mark.parametrize(("loss", "pesq"), [(0.02, 3.81), (0.05, 2.89), (0.10, 2.19)])
def test_unmended_loss_is_scored_as_it_was_measured(loss: float, pesq: float) -> None:
    assert mos(loss) == pytest.approx(pesq, abs=0.25)


def test_loss_bursts_and_delay_make_it_worse_and_nothing_makes_it_leave_its_scale() -> None:
    assert mos(0.0) > mos(0.01) > mos(0.05) > mos(0.5) >= 1.0
    assert mos(0.03, burst_ratio=3.0) < mos(0.03)
    assert mos(0.03, burst_ratio=0.2) == mos(0.03)
    assert mos(delay_ms=99.0) == mos(delay_ms=10.0) > mos(delay_ms=250.0) > mos(delay_ms=600.0)
    assert mos(1.0, 50.0, 10_000.0) == 1.0


def test_it_carries_its_model_its_inputs_and_its_doubt() -> None:
    found = estimate(lost_share=0.02, burst_ratio=1.5, one_way_delay_ms=120.0)
    assert "G.107.1" in found.model
    assert found.inputs == {
        "r0": 129.0, "ie": 0.0, "bpl": 3.5, "loss_percent": 2.0, "burst_ratio": 1.5, "one_way_delay_ms": 120.0,
    }  # fmt: skip
    assert "No E-model constants are agreed for Opus" in found.note
