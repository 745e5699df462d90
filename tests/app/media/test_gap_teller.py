"""Gaps of the microphone are told when they are over, and a machine that stumbles does not fill the screen."""

import pytest

from blink_cli.app.media.gap_teller import TOLD_EVERY_S, GapTeller
from blink_cli.audio.source_track import CaptureGap
from blink_cli.core.api import events
from blink_cli.core.api.events import Event

pytestmark = pytest.mark.no_clock


def gap(began_at: float, missing_s: float, late_s: float = 0.0) -> CaptureGap:
    return CaptureGap("left.monitor", began_at, missing_s, late_s)


def test_a_gap_is_told_once() -> None:
    told: list[Event] = []
    teller = GapTeller(told.append)
    teller.look((), 10.0)
    for number in range(100):
        teller.look((gap(10.0, 1.5, 0.4),), 12.0 + number)
    (event,) = told
    assert isinstance(event, events.CaptureGap)
    assert (event.device, event.missing_s, event.late_s) == ("left.monitor", 1.5, 0.4)
    assert event.reason == "the microphone left.monitor stood still: 1.5 s of its sound are missing"


def test_a_change_of_the_device_is_told_as_that() -> None:
    told: list[Event] = []
    teller = GapTeller(told.append)
    teller.look((CaptureGap("left.monitor", 10.0, 0.2, 0.0, device_changed=True),), 11.0)
    assert told == []


def test_many_gaps_are_told_together() -> None:
    told: list[Event] = []
    teller = GapTeller(told.append)
    gaps = tuple(gap(10.0 + number, 0.2) for number in range(4))
    for number in range(1, 5):
        teller.look(gaps[:number], 10.3 + number)
    assert len(told) == 1
    teller.look(gaps, 11.3 + TOLD_EVERY_S)
    assert len(told) == 2
    assert isinstance(told[1], events.CaptureGap)
    assert told[1].missing_s == pytest.approx(0.6)
    assert (
        told[1].reason == "the microphone left.monitor stood still 3 times: 600 ms of its sound are missing"
    )
