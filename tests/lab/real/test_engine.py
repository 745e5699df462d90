"""A scenario with real sessions: the same figures as in virtual time, and the same packets lost."""

import pytest

from blink_cli.lab.real import network
from blink_cli.lab.real.engine import run_real
from blink_cli.lab.requirements import require_network_namespaces
from blink_cli.lab.verdict.judging import judged
from blink_cli.lab.verdict.report import PairResult
from blink_cli.lab.virtual.engine import run_virtual
from tests.lab.scenario.reading import one_case

pytestmark = pytest.mark.real_time(within_s=30)

SCENARIO = """
duration = 8
seed = 3
expect = ["heard", "whole_after < 5s", "talking(alice->bob) within 400ms to 4s", "not heard(bob->alice) from 5.2s to 7s"]

[[network]]
line = "loss=6% delay=30ms"

[[network]]
at = 2  # both directions at the same moment
line = "loss=6% delay=30ms"

[[step]]
at = 5
who = "bob"
do = "mute"
"""

WITHOUT_WIRE = """
duration = 4
seed = 3
expect = ["heard", "delay_min > 90ms", "loss(bob->alice) > 10%", "loss(alice->bob) < 10%"]

[[step]]
at = 0.5
who = "alice"
do = "record"

[[step]]
at = 3
who = "alice"
do = "stop-recording"

[[network]]
line = "loss=5% delay=60ms"

[[network]]
from = "bob"
line = "loss=25% burst=2 delay=60ms"
"""


@pytest.mark.netns
def test_virtual_and_real_agree() -> None:
    require_network_namespaces()
    case = one_case(SCENARIO)
    real, virtual = judged(case, run_real(case), folder=None), judged(case, run_virtual(case), folder=None)
    assert [one.measured for one in real.expectations if one.outcome == "failed"] == []
    for one, other in zip(real.pairs, virtual.pairs, strict=True):
        assert one.pesq_wb is not None
        assert other.pesq_wb is not None
        assert abs(one.pesq_wb - other.pesq_wb) < 0.4, "one run; means of several are within 0.15"
        assert one.delay_ms is not None
        assert other.delay_ms is not None
        assert abs(one.delay_ms.median - other.delay_ms.median) < 25
        # The n-th packet has one fate in both, as far as both send as many.
        assert_as_many_lost(one, other, seconds=4)


def test_without_a_wire_sessions_impair_themselves_and_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """As for users without root: the same packets are lost, and the report says who counted."""
    monkeypatch.setattr(network, "why_no_network_namespaces", lambda: "the test has none")
    case = one_case(WITHOUT_WIRE)
    real, virtual = judged(case, run_real(case), folder=None), judged(case, run_virtual(case), folder=None)
    assert any("There is no wire" in note for note in real.notes)
    assert [one.measured for one in real.expectations if one.outcome == "failed"] == []
    assert {(one.kind, one.participants) for one in real.recordings} >= {
        ("mp4", ("alice", "bob")),
        ("wav", ("alice",)),
        ("wav", ("bob",)),
    }
    assert all(2 < one.duration_s < 4 for one in real.recordings)
    assert (virtual.recordings, virtual.notes) == (
        (),
        ("At 0.5 s alice recorded nothing: only real sessions do.",),
    )
    for one, other in zip(real.pairs, virtual.pairs, strict=True):
        assert_as_many_lost(one, other, seconds=3)


def assert_as_many_lost(one: PairResult, other: PairResult, *, seconds: int) -> None:
    assert min(sum(sent for _, sent, _ in pair.loss_series[:seconds]) for pair in (one, other)) > 37 * seconds
    lost = [sum(lost for _, _, lost in pair.loss_series[:seconds]) for pair in (one, other)]
    assert lost[1] > 2
    assert abs(lost[0] - lost[1]) <= 3
