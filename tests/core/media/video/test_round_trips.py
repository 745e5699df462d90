"""The usual round trip of a link."""

import pytest

from blink_cli.core.media.video.round_trips import REMEMBERED, RoundTrips

pytestmark = pytest.mark.no_clock


def test_one_long_way_changes_nothing() -> None:
    trips = RoundTrips()
    assert trips.usual_s is None
    for rtt_s in (0.04, 0.05, 0.3):
        trips.told(rtt_s)
    assert trips.usual_s == 0.05


def test_a_line_that_has_become_longer_is_known_after_half_of_what_is_remembered() -> None:
    trips = RoundTrips()
    for _ in range(REMEMBERED):
        trips.told(0.02)
    for _ in range(REMEMBERED // 2):
        assert trips.usual_s == 0.02
        trips.told(0.2)
    assert trips.usual_s == 0.2
