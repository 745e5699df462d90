"""One rule for "another stream": claims, witnesses, strays."""

import pytest

from blink_cli.core.media.stream_jump import Belonging, StreamJump

GOES_ON, CLAIMS, AGREES, PROVES = (
    Belonging.GOES_ON,
    Belonging.CLAIMS,
    Belonging.AGREES,
    Belonging.PROVES,
)


def verdicts(jump: StreamJump, *packets: tuple[float, float]) -> list[Belonging]:
    return [jump.judge(transit_s, arrival_s) for transit_s, arrival_s in packets]


def test_jitter_is_no_jump_and_moves_the_measure() -> None:
    jump = StreamJump(0.0, far_s=1.0, agreement_s=1.0, witnesses=2)
    assert verdicts(jump, *((0.9 * n, n) for n in range(10))) == [GOES_ON] * 10
    assert jump.transit_s == pytest.approx(8.1)


def test_the_first_packet_judged_goes_on_where_none_was_named() -> None:
    jump = StreamJump(far_s=1.0, agreement_s=1.0, witnesses=2)
    assert verdicts(jump, (500.0, 0.0), (500.5, 0.02)) == [GOES_ON, GOES_ON]


def test_one_stray_breaks_nothing_and_two_that_agree_do() -> None:
    jump = StreamJump(0.0, far_s=1.0, agreement_s=0.1, witnesses=2)
    assert verdicts(jump, (50.0, 1.0), (0.1, 1.02), (50.0, 1.04)) == [CLAIMS, GOES_ON, CLAIMS]
    assert verdicts(jump, (70.0, 1.06), (-9.0, 1.08)) == [CLAIMS, CLAIMS], "each alone with its claim"
    assert verdicts(jump, (-9.05, 1.07)) == [PROVES], "their number is enough, in whatever order they arrived"


def test_packets_that_come_at_once_prove_nothing_where_a_claim_must_stand_for_a_while() -> None:
    jump = StreamJump(0.0, far_s=0.5, agreement_s=0.1, witnesses=2, witness_s=0.2)
    told = verdicts(jump, (9.0, 1.0), (9.0, 1.0), (9.05, 1.1), (9.0, 1.21))
    assert told == [CLAIMS, AGREES, AGREES, PROVES]


def test_agreement_is_with_the_claim_so_that_a_drift_proves_nothing() -> None:
    jump = StreamJump(0.0, far_s=0.5, agreement_s=0.1, witnesses=3)
    assert verdicts(jump, *((9.0 + 0.08 * n, 0.02 * n) for n in range(4))) == [CLAIMS, AGREES, CLAIMS, AGREES]


def test_late_packets_of_the_former_source_are_strays_until_there_are_too_many() -> None:
    jump = StreamJump(0.0, far_s=3.0, agreement_s=3.0, witnesses=2)
    assert [jump.stray_of_former() for _ in range(3)] == [True, True, False]
    jump.judge(0.0, 1.0)
    assert jump.stray_of_former(), "a packet that goes on begins the count anew"
