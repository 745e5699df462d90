"""How a side does: a machine that stands still is told from a device that does."""

from blink_cli.core.analysis.health_meter import HealthMeter, SideReading
from blink_cli.core.media.side_health import WELL, SideHealth

STILL = SideReading(loop_late_ms=1.0, late_steps=0, missing_samples=0, unheard_samples=0)


def after(*readings: SideReading) -> SideHealth:
    meter = HealthMeter()
    return [meter.update(reading, now / 10) for now, reading in enumerate(readings)][-1]


def test_a_second_on_a_usual_machine_says_nothing() -> None:
    assert after(*[STILL] * 10, SideReading(9.0, 1, 0, 0), STILL) == WELL


def test_a_frozen_machine_is_late_and_has_lost_sound() -> None:
    health = after(STILL, SideReading(800.0, 50, 14_400, 9_600))
    assert health == SideHealth(800, 300, 200)


def test_steps_that_are_late_because_of_a_device_are_not_the_machines() -> None:
    assert after(STILL, SideReading(2.0, 30, 0, 14_400)) == SideHealth(0, 0, 300)
    assert after(STILL, SideReading(2.0, 30, 0, 0)) == SideHealth(300, 0, 0)


def test_what_is_two_seconds_ago_is_forgotten_and_counts_may_begin_anew() -> None:
    bad = SideReading(2.0, 30, 0, 14_400)
    assert after(STILL, bad, *[bad] * 25) == WELL
    assert after(bad, STILL, STILL) == WELL
