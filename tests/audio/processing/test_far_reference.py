"""What is played stands at the time at which it is heard."""

import numpy as np
import pytest

from blink_cli.audio.processing.far_reference import FarReference
from blink_cli.audio.samples import Samples

pytestmark = pytest.mark.no_clock


def tone(from_s: float, samples: int = 480, rate_hz: float = 48_000.0) -> Samples:
    return np.sin(2 * np.pi * 437 * (from_s + np.arange(samples) / rate_hz)).astype(np.float32)


def play(reference: FarReference, from_s: float, blocks: int, ppm: float = 0.0) -> None:
    rate_hz = 48_000 * (1 + ppm * 1e-6)
    for index in range(blocks):
        at = from_s + index * 480 / rate_hz
        reference.write(tone(at, rate_hz=rate_hz), at)


def test_it_returns_what_was_heard_to_the_sample() -> None:
    reference = FarReference()
    play(reference, 5.0, 20)
    assert np.array_equal(reference.between(5.05), np.float32(tone(5.05)))


def test_nothing_was_heard_before_and_behind_it() -> None:
    reference = FarReference()
    assert not reference.between(5.0).any()
    play(reference, 5.0, 20)
    assert not reference.between(4.9).any()
    assert not reference.between(5.3).any()


@pytest.mark.parametrize("ppm", [-200.0, 200.0])
def test_drift_is_followed_between_samples(ppm: float) -> None:
    reference = FarReference()
    rate_hz = 48_000 * (1 + ppm * 1e-6)
    worst = 0.0
    for index in range(3000):
        at = 5.0 + index * 480 / rate_hz
        reference.write(tone(at, rate_hz=rate_hz), at)
        if index > 20:
            from_s = 5.0 + (index - 20) * 0.01
            heard = reference.between(from_s)
            if index > 2700:
                worst = max(worst, float(np.abs(heard - tone(from_s)).max()))
    # At 437 Hz ten microseconds would be an error of 0.027.
    assert worst < 0.03
    steps = np.abs(np.diff(heard))
    assert steps.max() < 2 * np.pi * 437 / 48_000 * 1.01


def test_silence_that_nobody_wrote_is_heard_as_long_as_it_lasted() -> None:
    reference = FarReference()
    play(reference, 5.0, 10)
    play(reference, 5.2, 10)
    assert not reference.between(5.12).any()
    assert np.array_equal(reference.between(5.22), tone(5.22))


def test_what_another_device_plays_earlier_takes_the_place_of_what_was_to_be_heard() -> None:
    reference = FarReference()
    play(reference, 5.0, 20)
    for index in range(10):
        reference.write(np.full(480, 0.5, np.float32), 5.1 + index * 0.01)
    assert np.array_equal(reference.between(5.05), tone(5.05))
    assert np.allclose(reference.between(5.12), 0.5)


def test_memory_is_bounded_and_a_long_pause_leaves_nothing() -> None:
    reference = FarReference()
    play(reference, 5.0, 1000)
    play(reference, 3605.0, 10)
    assert not reference.between(3604.0).any()
    assert np.allclose(reference.between(3605.05), tone(3605.05), atol=1e-4)
