"""How much a sender repeats itself, as tables of what was reported and what follows."""

import pytest

from blink_cli.core.media.codec_settings import Redundancy
from blink_cli.core.media.loss_report import LossReport
from blink_cli.core.media.redundancy_policy import RedundancyPolicy
from blink_cli.core.media.rtp import ReceptionReport


def reception(fraction_lost: float, jitter_s: float = 0.0) -> ReceptionReport:
    return ReceptionReport(
        ssrc=1,
        fraction_lost=fraction_lost,
        packets_lost=0,
        highest_sequence=0,
        jitter_s=jitter_s,
        arrival_s=0.0,
    )


@pytest.mark.parametrize(
    ("fraction_lost", "mean_burst", "jitter_s", "levels"),
    [
        (0.0, 0.0, 0.001, 0),
        (0.005, 1.0, 0.0, 0),
        (0.02, 1.0, 0.0, 1),
        (0.05, 1.0, 0.0, 1),
        (0.05, 2.5, 0.0, 2),
        (0.10, 1.1, 0.0, 2),
        (0.20, 1.2, 0.0, 2),
        (0.0, 0.0, 0.012, 1),
        (0.0, 0.0, 0.022, 2),
    ],
)
def test_what_a_line_needs(fraction_lost: float, mean_burst: float, jitter_s: float, levels: int) -> None:
    policy = RedundancyPolicy()
    policy.on_loss_report(LossReport(fraction_lost, mean_burst, 3, jitter_s), 1.0)
    assert policy.plan(1.0).red_levels == levels


def test_an_rtcp_report_alone_is_enough() -> None:
    policy = RedundancyPolicy()
    policy.on_reception_report(reception(0.03), 1.0)
    plan = policy.plan(1.0)
    assert (plan.red_levels, plan.fec, plan.fec_loss_percent) == (1, True, 3)


def test_the_worse_of_two_reports_counts() -> None:
    policy = RedundancyPolicy()
    policy.on_reception_report(reception(0.2), 1.0)
    policy.on_loss_report(LossReport(0.0, 0.0, 0), 1.0)
    assert policy.plan(1.0).red_levels == 2


def test_a_call_opens_with_one_copy_until_the_first_report_or_half_a_second() -> None:
    policy = RedundancyPolicy()
    assert policy.plan(10.0).red_levels == 1
    assert policy.plan(10.4).red_levels == 1
    assert policy.plan(10.6).red_levels == 0
    hurried = RedundancyPolicy()
    assert hurried.plan(10.0).red_levels == 1
    hurried.on_loss_report(LossReport(0.0, 0.0, 0), 10.1)
    assert hurried.plan(10.1).red_levels == 0


def test_a_line_that_became_clean_costs_nothing_after_ten_seconds_at_most() -> None:
    policy = RedundancyPolicy()
    policy.on_loss_report(LossReport(0.2, 2.0, 5), 0.0)
    assert policy.plan(0.0).red_levels == 2
    plans = []
    for tick in range(1, 1001):
        now_s = tick / 100
        if tick % 100 == 0:
            policy.on_loss_report(LossReport(0.0, 0.0, 0), now_s)
        plans.append(policy.plan(now_s))
    assert plans[50].red_levels == 2, "not at the first good moment"
    assert plans[-1].red_levels == 0
    assert not plans[-1].fec


def test_loss_that_comes_and_goes_does_not_make_it_flap() -> None:
    policy = RedundancyPolicy()
    policy.on_loss_report(LossReport(0.03, 1.0, 1), 0.0)
    levels = set()
    for tick in range(1000):
        now_s = tick / 100
        if tick % 100 == 0:
            policy.on_loss_report(LossReport(0.03 if tick % 200 == 0 else 0.0, 1.0, 1), now_s)
        levels.add(policy.plan(now_s).red_levels)
    assert levels == {1}


def test_a_peer_that_stopped_reporting_is_no_reason_to_send_more() -> None:
    policy = RedundancyPolicy()
    policy.on_loss_report(LossReport(0.2, 1.0, 1), 0.0)
    levels = {tick: policy.plan(tick / 10).red_levels for tick in range(100)}
    assert levels[60] == 2, "calm begins when the report expires"
    assert levels[85] == 0


@pytest.mark.parametrize(("setting", "levels"), [("0", 0), ("1", 1), ("2", 2)])
def test_a_fixed_setting_wins(setting: Redundancy, levels: int) -> None:
    policy = RedundancyPolicy(setting, fec="off")
    policy.on_loss_report(LossReport(0.05, 1.0, 1), 0.0)
    plan = policy.plan(0.0)
    assert (plan.red_levels, plan.fec) == (levels, False)


def test_fec_that_is_always_on_prepares_for_some_loss_on_a_clean_line() -> None:
    policy = RedundancyPolicy("0", fec="on")
    assert (policy.plan(0.0).fec, policy.plan(0.0).fec_loss_percent) == (True, 10)
    policy.on_loss_report(LossReport(0.2, 1.0, 1), 0.1)
    assert policy.plan(0.1).fec_loss_percent == 20
    policy.change("2", fec="off")
    plan = policy.plan(0.2)
    assert (plan.fec, plan.fec_loss_percent, plan.red_levels) == (False, 20, 2), "the line is still known"
