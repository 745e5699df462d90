"""How much a sender repeats itself, as tables of what was reported and what follows."""

import msgspec
import pytest

from blink_cli.core.media.codec_settings import CodecSettings, Redundancy
from blink_cli.core.media.loss_report import LossReport
from blink_cli.core.media.redundancy_policy import RedundancyPolicy, least_copy_bps
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
        (0.05, 2.5, 0.0, 1),
        (0.10, 1.1, 0.0, 2),
        (0.20, 1.2, 0.0, 2),
        (0.45, 1.2, 0.0, 4),
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
    assert (plan.red_levels, plan.full_copies) == (1, 1)


def test_the_worse_of_two_reports_counts() -> None:
    policy = RedundancyPolicy()
    policy.on_reception_report(reception(0.2), 1.0)
    policy.on_loss_report(LossReport(0.0, 0.0, 0), 1.0)
    assert policy.plan(1.0).red_levels == 2


def test_a_call_opens_with_two_copies_until_the_first_report_or_half_a_second() -> None:
    policy = RedundancyPolicy()
    assert policy.plan(10.0).red_levels == 2
    assert policy.plan(10.4).red_levels == 2
    assert policy.plan(10.6).red_levels == 0
    hurried = RedundancyPolicy()
    assert hurried.plan(10.0).red_levels == 2
    assert hurried.plan(10.0).full_copies == 0, "two short ones take what one whole one does"
    hurried.on_loss_report(LossReport(0.0, 0.0, 0), 10.1)
    assert hurried.plan(10.1).red_levels == 0


def test_to_a_peer_that_is_far_a_call_opens_with_two_copies_until_it_has_told_of_no_loss() -> None:
    unheard, clean, lossy = RedundancyPolicy(), RedundancyPolicy(), RedundancyPolicy()
    for policy in (unheard, clean, lossy):
        policy.peer_asks()
        policy.round_trip(0.1)
        plan = policy.plan(0.0)
        assert (plan.red_levels, plan.sent_twice) == (2, 0), "the line may be narrow"
    assert unheard.plan(0.95).red_levels == 2
    assert unheard.plan(1.05).red_levels == 0
    clean.on_loss_report(LossReport(0.0, 0.0, 0), 0.3)
    assert (clean.plan(0.3).red_levels, clean.plan(0.3).sent_twice) == (0, 0)
    lossy.on_loss_report(LossReport(0.04, 1.0, 1), 0.3)
    plan = lossy.plan(0.3)
    assert (plan.red_levels, plan.sent_twice) == (2, 1), "of few packets a third may be lost, and one was"
    lossy.on_loss_report(LossReport(0.04, 1.0, 1, 0.005), 0.35)
    assert lossy.plan(0.35).sent_twice == 0, "jitter: that may be a queue"
    lossy.on_loss_report(LossReport(0.04, 1.0, 1), 0.4)
    plan = lossy.plan(1.05)
    assert (plan.red_levels, plan.sent_twice) == (1, 0)


@pytest.mark.parametrize(("lost", "levels", "twice"), [(0.10, 2, 0), (0.20, 3, 2), (0.45, 4, 2)])
def test_where_much_is_lost_far_away_two_of_the_copies_go_once_more(
    lost: float, levels: int, twice: int
) -> None:
    far, near, bounded = (RedundancyPolicy(CodecSettings(redundancy_budget_kbps=kbps)) for kbps in (0, 0, 90))
    for policy, rtt_s in ((far, 0.1), (near, 0.002), (bounded, 0.1)):
        policy.peer_asks()
        policy.round_trip(rtt_s)
        policy.plan(0.0)
        for at_s in (3.0, 5.0):
            policy.on_loss_report(LossReport(lost, 1.2, 3), at_s)
            policy.plan(at_s)
    plan = far.plan(5.0)
    assert (plan.red_levels, plan.sent_twice) == (levels, twice)
    assert plan.short_copy_bps == (13_000 if twice else 16_000)
    assert near.plan(5.0).sent_twice == 0
    plan = bounded.plan(5.0)
    sent_bps = 32_000 * (1 + plan.full_copies) + (plan.short_copy_bps or 0) * (
        plan.red_levels + plan.sent_twice - plan.full_copies
    )
    assert sent_bps <= 90_000


def test_one_encoder_makes_the_copies_of_all_at_the_lowest_rate_that_one_of_them_wants() -> None:
    policies = [RedundancyPolicy(), RedundancyPolicy(), RedundancyPolicy()]
    for policy, lost in zip(policies, (0.0, 0.1, 0.45), strict=True):
        policy.peer_asks()
        policy.round_trip(0.1)
        policy.plan(0.0)
        policy.on_loss_report(LossReport(lost, 1.2, 3), 3.0)
    plans = [policy.plan(3.0) for policy in policies]
    assert least_copy_bps(plans) == 13_000
    assert least_copy_bps(plans[:2]) == 16_000
    assert least_copy_bps(plans[:1]) is None


def test_a_line_that_became_clean_costs_nothing_after_ten_seconds() -> None:
    policy = RedundancyPolicy()
    policy.on_loss_report(LossReport(0.5, 2.0, 5), 0.0)
    assert policy.plan(0.0).red_levels == 4
    plans = []
    for tick in range(1, 1101):
        now_s = tick / 100
        if tick % 100 == 0:
            policy.on_loss_report(LossReport(0.0, 0.0, 0), now_s)
        plans.append(policy.plan(now_s))
    assert plans[900].red_levels == 4, "a change of delay is heard: not at the first good moment"
    assert plans[-1].red_levels == 0
    assert not plans[-1].fec


@pytest.mark.parametrize(
    ("lost", "mean_burst", "longest", "after_s", "levels"),
    [
        (0.34, 1.6, 4, 0.6, 3),  # ten of thirty packets may be a quarter of all
        (0.40, 1.6, 4, 1.2, 4),
        (0.24, 1.3, 3, 1.2, 3),
        (0.20, 1.3, 3, 1.2, 2),
        (0.08, 2.0, 4, 1.0, 4),  # four in a row, and nothing beside them
        (0.18, 1.6, 3, 1.0, 2),  # three in a row among six others
    ],
)
def test_how_soon_much_loss_and_bursts_are_believed(
    lost: float, mean_burst: float, longest: int, after_s: float, levels: int
) -> None:
    policy = RedundancyPolicy()
    policy.plan(0.0)
    policy.on_loss_report(LossReport(lost, mean_burst, longest), after_s)
    assert policy.plan(after_s).red_levels == levels
    policy.on_loss_report(LossReport(lost, mean_burst, longest), after_s + 1.5)
    assert policy.plan(after_s + 1.5).red_levels == (3 if lost < 0.28 and mean_burst < 1.5 else 4)


def test_copies_that_were_sent_before_the_way_was_known_go_when_asking_is_quicker() -> None:
    policy = RedundancyPolicy()
    policy.peer_asks()
    policy.plan(0.0)
    policy.on_loss_report(LossReport(0.2, 1.2, 2), 1.0)
    assert policy.plan(1.0).red_levels >= 2
    policy.round_trip(0.002)
    assert policy.plan(1.02).red_levels == 0
    far = RedundancyPolicy()
    far.peer_asks()
    far.plan(0.0)
    far.on_loss_report(LossReport(0.2, 1.2, 2), 1.0)
    far.round_trip(0.1)
    assert far.plan(1.02).red_levels >= 2


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
    levels = {tick: policy.plan(tick / 10).red_levels for tick in range(160)}
    assert levels[60] == 3, "calm begins when the report expires"
    assert levels[155] == 0


@pytest.mark.parametrize(("setting", "levels"), [("0", 0), ("1", 1), ("2", 2), ("4", 4)])
def test_a_fixed_setting_wins(setting: Redundancy, levels: int) -> None:
    policy = RedundancyPolicy(CodecSettings(redundancy=setting, fec="off"))
    policy.on_loss_report(LossReport(0.05, 1.0, 1), 0.0)
    plan = policy.plan(0.0)
    assert (plan.red_levels, plan.fec) == (levels, False)


@pytest.mark.parametrize(("copies", "fec"), [("2", True), ("3", True), ("4", False)])
def test_in_bursts_fec_mends_what_fewer_than_four_copies_leave(
    copies: Redundancy,
    fec: bool,  # noqa: FBT001
) -> None:
    policy = RedundancyPolicy(CodecSettings(redundancy=copies))
    report = LossReport(fraction_lost=0.1, mean_burst_packets=3.0, longest_burst_packets=6, jitter_s=0.0)
    policy.on_loss_report(report, 0.0)
    assert policy.plan(0.1).fec == fec


def test_fec_that_is_always_on_prepares_for_some_loss_on_a_clean_line() -> None:
    policy = RedundancyPolicy(CodecSettings(redundancy="0", fec="on"))
    assert (policy.plan(0.0).fec, policy.plan(0.0).fec_loss_percent) == (True, 10)
    policy.on_loss_report(LossReport(0.2, 1.0, 1), 0.1)
    assert policy.plan(0.1).fec_loss_percent == 20
    policy.change(CodecSettings(redundancy="2", fec="off"))
    plan = policy.plan(0.2)
    assert (plan.fec, plan.fec_loss_percent, plan.red_levels) == (False, 0, 2), "two copies are enough"


@pytest.mark.parametrize(
    ("rtt_s", "fraction_lost", "jitter_s", "levels", "fec"),
    [
        (0.002, 0.2, 0.0, 0, False),  # what is asked for is there before a copy would be
        (0.002, 0.2, 0.03, 0, False),
        (0.02, 0.05, 0.0, 0, False),
        (0.02, 0.2, 0.0, 1, False),  # requests are lost too
        (0.02, 0.4, 0.0, 2, False),
        (0.02, 0.05, 0.03, 2, False),
        (0.1, 0.45, 0.0, 4, False),  # an answer comes too late
    ],
)
def test_a_near_peer_that_asks_needs_fewer_copies(
    rtt_s: float, fraction_lost: float, jitter_s: float, levels: int, *, fec: bool
) -> None:
    policy = RedundancyPolicy()
    policy.peer_asks()
    policy.round_trip(rtt_s)
    policy.on_loss_report(LossReport(fraction_lost, 1.0, 3, jitter_s), 1.0)
    plan = policy.plan(1.0)
    assert (plan.red_levels, plan.fec) == (levels, fec)


def test_beside_asking_no_copy_goes_where_loss_comes_in_bursts() -> None:
    policy = RedundancyPolicy()
    policy.peer_asks()
    policy.round_trip(0.02)
    policy.on_loss_report(LossReport(0.12, 2.2, 5), 1.0)
    assert policy.plan(1.0).red_levels == 0
    policy.on_loss_report(LossReport(0.4, 2.2, 5), 2.0)
    assert policy.plan(2.0).red_levels == 2


def test_a_peer_that_does_not_ask_or_whose_way_is_not_known_gets_copies() -> None:
    near, unknown = RedundancyPolicy(), RedundancyPolicy()
    near.round_trip(0.002)
    unknown.peer_asks()
    for policy in (near, unknown):
        policy.on_loss_report(LossReport(0.45, 1.0, 3, 0.0), 1.0)
        assert policy.plan(1.0).red_levels == 4


def test_a_way_that_became_long_is_believed_at_once_and_a_short_one_after_three_reports() -> None:
    policy = RedundancyPolicy()
    policy.peer_asks()
    policy.round_trip(0.002)
    policy.round_trip(0.15)
    levels = []
    for _ in range(4):
        policy.on_loss_report(LossReport(0.45, 1.0, 3, 0.0), 1.0)
        levels.append(policy.plan(1.0).red_levels)
        policy.round_trip(0.002)
    assert levels[:3] == [4, 4, 4]
    policy.on_loss_report(LossReport(0.2, 1.0, 3, 0.0), 20.0)
    assert policy.plan(20.0).red_levels == 0


def test_nothing_is_answered_while_what_is_sent_twice_seems_to_fill_the_line() -> None:
    policy = RedundancyPolicy()
    policy.peer_asks()
    for second in range(12):
        policy.sent_again(float(second))
        policy.on_reception_report(
            msgspec.structs.replace(reception(0.2), rtt_s=0.02 if second < 3 else 0.4), float(second)
        )
        policy.plan(float(second))
        if not policy.answers(float(second)):
            return
    pytest.fail("a queue of 0.4 s was not noticed")


@pytest.mark.parametrize(
    ("setting", "fraction_lost", "mean_burst", "told"),
    [
        ("auto", 0.05, 1.1, False),
        ("auto", 0.10, 1.2, False),
        ("auto", 0.20, 1.2, True),
        ("auto", 0.10, 2.5, True),
        ("0", 0.01, 1.0, False),
        ("0", 0.05, 1.1, True),
        ("1", 0.05, 1.1, False),
        ("1", 0.10, 1.1, True),
    ],
)
def test_dred_is_for_what_copies_are_not_enough_or_not_allowed_for(
    setting: Redundancy, fraction_lost: float, mean_burst: float, *, told: bool
) -> None:
    policy = RedundancyPolicy(CodecSettings(redundancy=setting))
    policy.on_loss_report(LossReport(fraction_lost, mean_burst, 3), 1.0)
    assert not policy.plan(1.0).dred, "nobody reads it"
    policy.peer_reads_dred()
    assert policy.plan(1.0).dred is told
    policy.on_loss_report(LossReport(0.0, 0.0, 0), 2.0)
    assert policy.plan(10.9).dred is told, "bursts come seconds apart"
    policy.on_loss_report(LossReport(0.0, 0.0, 0), 11.5)
    assert not policy.plan(12.0).dred


def test_who_asks_and_gets_it_in_time_needs_no_dred() -> None:
    policy = RedundancyPolicy()
    policy.peer_reads_dred()
    policy.peer_asks()
    policy.round_trip(0.002)
    policy.on_loss_report(LossReport(0.2, 1.2, 3), 1.0)
    assert not policy.plan(1.0).dred


@pytest.mark.parametrize(
    ("budget_kbps", "fraction_lost", "levels", "full"),
    [
        (0, 0.5, 4, 1),
        (110, 0.5, 4, 0),  # 32 and four of 16
        (90, 0.5, 3, 0),
        (110, 0.03, 1, 1),
        (60, 0.03, 1, 0),
        (40, 0.5, 0, 0),  # never less than the voice itself
    ],
)
def test_a_budget_bounds_copies(budget_kbps: int, fraction_lost: float, levels: int, full: int) -> None:
    policy = RedundancyPolicy(CodecSettings(redundancy_budget_kbps=budget_kbps))
    policy.on_loss_report(LossReport(fraction_lost, 1.0, 1), 0.0)
    plan = policy.plan(0.0)
    assert (plan.red_levels, plan.full_copies, plan.short_copy_bps) == (
        levels,
        full,
        16_000 if levels > full else None,
    )


def test_a_voice_of_a_low_bit_rate_has_no_shorter_copies() -> None:
    policy = RedundancyPolicy(CodecSettings(bitrate_bps=16_000, redundancy_budget_kbps=70))
    policy.on_loss_report(LossReport(0.5, 1.2, 3), 0.0)
    assert (policy.plan(0.0).red_levels, policy.plan(0.0).short_copy_bps) == (3, None)


def test_much_loss_is_believed_after_a_while_because_few_packets_tell_little() -> None:
    policy = RedundancyPolicy()
    levels = []
    for tick in range(40):
        policy.on_loss_report(LossReport(0.18 if tick != 5 else 0.12, 1.1, 2), tick / 10)
        levels.append(policy.plan(tick / 10).red_levels)
    assert levels.index(3) == 21, "of fifteen packets lost in a hundred there may be eighteen for a second"
