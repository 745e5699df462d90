"""When a frame is heard is known steadily, whatever single callbacks say."""

import numpy as np
import pytest

from blink_cli.audio.devices.playback_clock import PlaybackClock

pytestmark = pytest.mark.no_clock


def test_noise_of_milliseconds_leaves_a_fraction_of_one_and_drift_is_followed() -> None:
    clock, random = PlaybackClock(48_000), np.random.default_rng(3)
    rate_hz = 48_000 * (1 + 150e-6)
    errors = []
    steps = []
    before = None
    for index in range(4000):
        frame = index * 240
        called_at = frame / rate_hz - 0.03 + random.uniform(0, 0.002)
        told_s = frame / rate_hz - called_at + random.normal(0, 0.001)
        clock.observe(frame, called_at, told_s)
        heard_at = clock.heard_at(frame)
        assert heard_at is not None
        if index > 400:
            errors.append(heard_at - frame / rate_hz)
            if before is not None:
                steps.append(heard_at - before - 240 / rate_hz)
        before = heard_at
    assert np.abs(errors).max() < 0.0005
    assert np.abs(steps).max() < 5e-6


def test_a_latency_that_changes_for_good_is_taken_over_and_one_that_does_not_is_left() -> None:
    clock = PlaybackClock(48_000)
    for index in range(300):
        latency_s = 0.03 if index < 200 else 0.08
        if index in (50, 120):
            latency_s = 0.2
        clock.observe(index * 480, index * 0.01, latency_s)
        heard_at = clock.heard_at(index * 480)
        assert heard_at is not None
        if index < 200:
            assert heard_at == pytest.approx(index * 0.01 + 0.03, abs=1e-4)
    assert heard_at == pytest.approx(299 * 0.01 + 0.08, abs=1e-4)
