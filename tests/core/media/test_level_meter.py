"""Levels and peaks, as a bar shows them."""

from blink_cli.core.media.level_meter import HOLD_S, STALE_S, LevelMeter, LevelReading


def test_nothing_is_known_before_a_frame_nor_long_behind_the_last_one() -> None:
    meter = LevelMeter()
    assert meter.reading(0.0) is None
    meter.take(-30, 10.0)
    assert meter.reading(10.0 + STALE_S) == LevelReading(-30, -30)
    assert meter.reading(10.01 + STALE_S) is None


def test_a_peak_is_held_and_then_falls_to_what_comes() -> None:
    meter = LevelMeter()
    meter.take(-12, 10.0)
    meter.take(-40, 10.02)
    assert meter.reading(10.1) == LevelReading(-40, -12)
    meter.take(-35, 10.0 + HOLD_S)
    assert meter.reading(10.0 + HOLD_S) == LevelReading(-35, -12)
    meter.take(-45, 10.02 + HOLD_S)
    assert meter.reading(10.02 + HOLD_S) == LevelReading(-45, -45)


def test_a_louder_frame_is_the_new_peak_at_once() -> None:
    meter = LevelMeter()
    meter.take(-40, 10.0)
    meter.take(-20, 10.02)
    assert meter.reading(10.02) == LevelReading(-20, -20)


def test_a_peak_that_is_over_is_not_shown_although_nothing_came_since() -> None:
    meter = LevelMeter()
    meter.take(-12, 10.0)
    meter.take(-40, 11.4)
    assert meter.reading(11.6) == LevelReading(-40, -40)
