"""Figures of a load, from series whose figures are known."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blink_cli.core.ids import Did
from blink_cli.core.media.rtp import ReceptionReport
from blink_cli.core.media.rtp_sender import SendCounters
from blink_cli.lab.load.light_media import LightLink, interval_counts
from blink_cli.lab.load.load_figures import percentiles, sent, streams_sent
from blink_cli.lab.load.load_report import LoadStream, Percentiles

pytestmark = pytest.mark.no_clock


def test_of_nothing_nothing_is_told() -> None:
    assert percentiles([]) is None
    assert interval_counts().percentiles() is None


def test_a_percentile_is_the_smallest_value_that_so_many_do_not_exceed() -> None:
    values = [float(value) for value in range(1, 101)]
    random.Random(3).shuffle(values)
    assert percentiles(values) == Percentiles(count=100, min=1, p50=50, p95=95, p99=99, max=100)
    assert percentiles([7.0]) == Percentiles(count=1, min=7, p50=7, p95=7, p99=7, max=7)
    assert percentiles([1.0, 2.0]) == Percentiles(count=2, min=1, p50=1, p95=2, p99=2, max=2)


@given(st.lists(st.integers(0, 1999), min_size=1, max_size=300))
def test_counted_in_steps_they_are_the_same_to_half_a_millisecond(tenths_ms: list[int]) -> None:
    first, both = interval_counts(), interval_counts()
    for tenths in tenths_ms[1:]:
        first.take(tenths / 10)
    both.take(tenths_ms[0] / 10)
    both.add([first])
    counted = both.percentiles()
    exact = percentiles([tenths / 10 for tenths in tenths_ms])
    assert counted is not None
    assert exact is not None
    assert counted.count == exact.count
    for name in ("min", "p50", "p95", "p99", "max"):
        assert 0 < getattr(counted, name) - getattr(exact, name) <= 0.5 + 1e-9, name


def test_a_link_that_never_stood_has_figures_too() -> None:
    """Two links to one peer: of the first packets went and were reported of, the second never stood."""
    link = LightLink(Did("did:key:bob"))
    link.sent = [(7, SendCounters(packets_sent=100)), (8, SendCounters())]
    link.remote = ReceptionReport(7, 0.0, 10, 99, 0.001, 0.0)
    never = LightLink(Did("did:key:bob"))
    never.sent = [(9, SendCounters())]
    told = sent([link, never])
    assert (told.packets, told.reported_lost, told.reported_loss) == (100, 10, 0.1)
    assert streams_sent(link) == (LoadStream(ssrc=7, packets=100, highest_sequence=None),)
    assert streams_sent(never) == ()


def test_what_was_not_reported_of_makes_no_loss_smaller() -> None:
    told, silent = LightLink(Did("did:key:bob")), LightLink(Did("did:key:carol"))
    told.sent, silent.sent = [(7, SendCounters(packets_sent=100))], [(8, SendCounters(packets_sent=900))]
    told.remote = ReceptionReport(7, 0.0, 50, 99, 0.001, 0.0)
    assert sent([told, silent]).reported_loss == 0.5


def test_what_was_sent_to_a_room_counts_once_and_is_what_is_reported_of() -> None:
    to_room = [(7, SendCounters(packets_sent=100, bytes_sent=8_000))]
    bob, carol = LightLink(Did("did:key:bob")), LightLink(Did("did:key:carol"))
    for link, lost in ((bob, 10), (carol, 30)):
        link.remote = ReceptionReport(7, 0.0, lost, 99, 0.001, 0.0)
    one, both = sent([bob], to_room), sent([bob, carol], to_room)
    assert (one.packets, one.payload_bytes, one.reported_loss) == (100, 8_000, 0.1)
    assert (both.packets, both.reported_lost, both.reported_loss) == (100, 40, 0.2)
    assert streams_sent(bob, to_room) == (LoadStream(ssrc=7, packets=100, highest_sequence=None),)
