"""The running mean of RFC 3550."""

import pytest

from blink_cli.core.media.interarrival_jitter import InterarrivalJitter


def test_it_is_the_recursion_of_rfc_3550_whatever_the_sign() -> None:
    jitter = InterarrivalJitter()
    assert [jitter.observe(change_s) for change_s in (0.016, -0.016, 0.0)] == [
        pytest.approx(0.001),
        pytest.approx(0.0019375),
        pytest.approx(0.00181640625),
    ]
    assert jitter.jitter_s == pytest.approx(0.00181640625)


def test_a_steady_change_is_its_limit() -> None:
    jitter = InterarrivalJitter()
    for sign in (1, -1) * 200:
        jitter.observe(sign * 0.01)
    assert jitter.jitter_s == pytest.approx(0.01)
