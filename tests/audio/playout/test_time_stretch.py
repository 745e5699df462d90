"""Stretching on the pitch: exact lengths, whole periods, no steps."""

import numpy as np
import pytest

from blink_cli.audio.playout.block import Block
from blink_cli.audio.playout.time_stretch import lengthen, lengthening, shorten, shortening

pytestmark = pytest.mark.no_clock


def buzz(pitch_hz: float, samples: int = 2_400) -> Block:
    time = np.arange(samples) / 48_000
    harmonics = [np.sin(2 * np.pi * pitch_hz * k * time) / k for k in range(1, 8)]
    return np.asarray(0.1 * np.sum(harmonics, axis=0), np.float32)


@pytest.mark.parametrize("pitch_hz", [80, 110, 190, 300])
def test_whole_periods_are_left_out(pitch_hz: float) -> None:
    sound = buzz(pitch_hz)
    splice = shortening(sound)
    assert splice is not None
    assert splice.likeness > 0.99
    periods = splice.period_samples * pitch_hz / 48_000
    assert periods == pytest.approx(round(periods), abs=0.02)
    shorter = shorten(sound, splice)
    assert len(shorter) == len(sound) - splice.period_samples
    np.testing.assert_allclose(shorter, sound[: len(shorter)], atol=0.01)


@pytest.mark.parametrize("pitch_hz", [80, 110, 190, 300])
def test_whole_periods_are_repeated(pitch_hz: float) -> None:
    both = buzz(pitch_hz, 4_800)
    past, sound = both[:960], both[960:1920]
    splice = lengthening(past, sound)
    assert splice is not None
    longer = lengthen(past, sound, splice)
    assert len(longer) == 960 + splice.period_samples
    np.testing.assert_allclose(longer, both[960 : 960 + len(longer)], atol=0.01)


def test_noise_is_not_alike() -> None:
    noise = np.random.default_rng(2).standard_normal(2_400).astype(np.float32) * 0.1
    splice = shortening(noise)
    assert splice is not None
    assert splice.likeness < 0.6


def test_silence_can_be_cut_anywhere() -> None:
    splice = shortening(np.zeros(2_400, np.float32))
    assert splice is not None
    assert splice.likeness == 1.0


def test_what_is_too_short_is_left_alone() -> None:
    assert shortening(np.zeros(300, np.float32)) is None
    assert lengthening(np.zeros(100, np.float32), np.zeros(960, np.float32)) is None
