"""PESQ and its alignment, on speech that is known."""

import numpy as np
import pytest

from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.lab.speech_quality import aligned, pesq_wb
from blink_cli.lab.voices import voice

pytestmark = pytest.mark.no_clock


def test_delayed_speech_is_aligned_to_the_sample_and_scores_the_best() -> None:
    said = voice(0, 6.0)
    late = np.concatenate((np.zeros(4321, np.float32), said))
    one, other, delay_s = aligned(said, late)
    assert delay_s == pytest.approx(4321 / SAMPLE_RATE_HZ)
    assert pesq_wb(one, other) > 4.6


def test_noise_costs_quality() -> None:
    said = voice(0, 6.0)
    noise = np.random.default_rng(1).normal(0, 0.02, len(said)).astype(np.float32)
    assert pesq_wb(said, said + noise) < 3.0
