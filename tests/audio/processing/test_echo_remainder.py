"""What is left of the echo is turned down, down to the lowest tones of a voice."""

import numpy as np
import pytest

from blink_cli.audio.processing.bands import BANDS, BandGains
from blink_cli.audio.processing.echo_remainder import EchoRemainder
from blink_cli.audio.samples import Samples
from blink_cli.core.audio_format import SAMPLE_RATE_HZ, TICK_SAMPLES

pytestmark = pytest.mark.no_clock

DELAY_SAMPLES = 10 * TICK_SAMPLES
CANCELLER_DELAY_SAMPLES = 430


def hummed(seconds: float, tone_hz: float) -> Samples:
    """Return a voice on a few low tones: syllables of 0.15 s, and nothing below the lowest, as small speakers have it."""
    at_s = np.arange(round(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    random = np.random.default_rng(1)
    syllables = np.repeat(random.choice([0.0, 0.05, 0.2], len(at_s) // 7_200 + 1), 7_200)[: len(at_s)]
    tones = sum(np.sin(2 * np.pi * tone_hz * times * at_s) / times for times in (1, 2, 3))
    return np.asarray(syllables * tones, np.float32)


def late(sound: Samples, samples: int) -> Samples:
    return np.concatenate((np.zeros(samples, np.float32), sound))[: len(sound)]


def power(sound: Samples) -> float:
    return float(np.mean(np.square(sound, dtype=np.float64))) + 1e-12


@pytest.mark.parametrize("tone_hz", [150.0, 240.0, 600.0])
def test_what_a_canceller_leaves_of_a_low_voice_is_turned_down_by_twenty_decibels(tone_hz: float) -> None:
    far = hummed(6.0, tone_hz)
    noise = np.random.default_rng(2).normal(0.0, 1e-4, len(far)).astype(np.float32)
    near = 0.5 * late(far, DELAY_SAMPLES) + noise
    left = late(0.3 * near, CANCELLER_DELAY_SAMPLES)
    remainder = EchoRemainder(CANCELLER_DELAY_SAMPLES)
    remainder.use_delay(DELAY_SAMPLES / SAMPLE_RATE_HZ)
    blocks = [
        remainder.process(*(sound[at : at + TICK_SAMPLES] for sound in (near, far, left)))
        for at in range(0, len(far), TICK_SAMPLES)
    ]
    out = np.concatenate(blocks)[2 * SAMPLE_RATE_HZ :]
    assert 10.0 * np.log10(power(left[2 * SAMPLE_RATE_HZ :]) / power(out)) > 20.0


def test_no_band_is_too_narrow_to_be_turned_down() -> None:
    rings = np.zeros(BANDS, dtype=np.float32)
    for band in range(BANDS):
        gains = np.zeros(BANDS, dtype=np.float32)
        gains[band] = 1.0
        filter_ = BandGains(0.0)
        impulse = np.zeros(TICK_SAMPLES, dtype=np.float32)
        filter_.apply(impulse, gains)
        impulse[0] = 1.0
        rings[band] = np.abs(filter_.apply(impulse, gains)).sum()
    assert rings.min() > 0.0, rings
