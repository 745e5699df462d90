"""The line through what peers cost."""

import pytest
from benches.line_fit import line_through


def test_what_each_peer_adds_and_how_far_a_figure_is_off() -> None:
    line = line_through({1: 5.0, 2: 6.0, 4: 8.0, 8: 12.0})
    assert line is not None
    assert (line.without_peers, line.each_peer) == pytest.approx((4.0, 1.0))
    assert line.farthest == pytest.approx(0.0, abs=1e-9)
    bent = line_through({1: 5.0, 2: 6.0, 4: 8.0, 8: 20.0})
    assert bent is not None
    assert bent.farthest > 0.5


def test_two_figures_always_fit_and_so_prove_nothing() -> None:
    assert line_through({1: 5.0, 8: 12.0}) is None
