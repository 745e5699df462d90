"""The detectors find what was put in, and nothing in a clean tone."""

import numpy as np
import pytest

from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.lab.continuity import clicks, gaps
from blink_cli.lab.envelopes import Samples

pytestmark = pytest.mark.no_clock

FREQUENCY_HZ = 440.0


def tone(duration_s: float = 2.0) -> Samples:
    seconds = np.arange(round(duration_s * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    return np.asarray(0.5 * np.sin(2 * np.pi * FREQUENCY_HZ * seconds), np.float32)


def test_a_clean_tone_has_neither() -> None:
    assert gaps(tone()) == []
    assert clicks(tone(), FREQUENCY_HZ) == []


def test_a_gap_is_found_with_its_place_and_length() -> None:
    broken = tone()
    broken[SAMPLE_RATE_HZ : SAMPLE_RATE_HZ + SAMPLE_RATE_HZ // 50] = 0
    (gap,) = gaps(broken)
    assert gap.start_s == pytest.approx(1.0, abs=0.003)
    assert gap.duration_s == pytest.approx(0.02, abs=0.004)


def test_a_jump_of_the_phase_is_a_click_and_so_is_a_step() -> None:
    jumped = np.concatenate((tone(1.0), np.roll(tone(1.0), 30)))
    assert clicks(jumped, FREQUENCY_HZ) == [pytest.approx(1.0, abs=0.001)]
    stepped = tone()
    stepped[SAMPLE_RATE_HZ // 2 :] += 0.05
    assert clicks(stepped, FREQUENCY_HZ) == [pytest.approx(0.5, abs=0.001)]


def test_a_slow_fade_is_no_click() -> None:
    fade = np.linspace(1, 0, SAMPLE_RATE_HZ // 50, dtype=np.float32)
    faded = tone()
    faded[SAMPLE_RATE_HZ : SAMPLE_RATE_HZ + len(fade)] *= fade
    faded[SAMPLE_RATE_HZ + len(fade) :] = 0
    assert clicks(faded, FREQUENCY_HZ) == []
