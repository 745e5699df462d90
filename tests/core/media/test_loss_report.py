"""The receiver's report on the wire."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blink_cli.core.errors import WireError
from blink_cli.core.media.loss_report import LossReport
from blink_cli.core.media.side_health import WELL, SideHealth


def test_a_report_survives_the_wire_to_within_its_rounding() -> None:
    report = LossReport(fraction_lost=0.1, mean_burst_packets=2.5, longest_burst_packets=7, jitter_s=0.022)
    back = LossReport.from_bytes(report.to_bytes())
    assert back.fraction_lost == pytest.approx(0.1, abs=1 / 255)
    assert (back.mean_burst_packets, back.longest_burst_packets, back.jitter_s) == (2.5, 7, 0.022)


def test_the_smallest_loss_is_not_rounded_to_none() -> None:
    assert LossReport.from_bytes(LossReport(0.0001, 1.0, 1).to_bytes()).fraction_lost > 0


def test_what_is_too_large_is_said_as_the_largest() -> None:
    assert LossReport.from_bytes(LossReport(1.0, 900.0, 900, 9.0).to_bytes()) == LossReport(
        1.0, 255 / 16, 255, 0.255
    )


@given(st.binary(max_size=20))
def test_any_bytes_are_refused_or_understood(data: bytes) -> None:
    try:
        report = LossReport.from_bytes(data)
    except WireError:
        return
    assert 0 <= report.fraction_lost <= 1


def test_who_reports_says_how_its_own_side_does() -> None:
    health = SideHealth(machine_late_ms=801, capture_missing_ms=40, speaker_missing_ms=9_000)
    data = LossReport(0.0, 0.0, 0, health=health).to_bytes()
    assert len(data) == 8
    assert LossReport.from_bytes(data).health == SideHealth(810, 40, 2_550)
    # What an older version sends: five bytes, and three of padding.
    assert LossReport.from_bytes(data[:5] + bytes(3)).health == WELL
    assert LossReport.from_bytes(data[:5]).health == WELL
