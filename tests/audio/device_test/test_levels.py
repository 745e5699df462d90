"""What is said of the loudness of a recording."""

import numpy as np
import pytest

from blink_cli.audio.device_test.levels import ChannelLevels, LevelMeter
from tests.audio.device_test.parts import words

pytestmark = pytest.mark.no_clock


def measured(samples: np.ndarray, rate_hz: int = 48_000) -> tuple[ChannelLevels, ...]:
    frames = samples.astype(np.float32).reshape(len(samples), -1)
    meter = LevelMeter(rate_hz, frames.shape[1])
    for at in range(0, len(frames), 441):  # no multiple of any window
        meter.add(frames[at : at + 441])
    return meter.channels()


def sine(amplitude: float, seconds: float = 2.0, rate_hz: int = 48_000) -> np.ndarray:
    return amplitude * np.sin(2 * np.pi * 440 * np.arange(round(seconds * rate_hz)) / rate_hz)


def test_a_sine_at_full_scale_has_minus_three_and_is_clipped_nowhere_else() -> None:
    (levels,) = measured(sine(0.999))
    assert levels.rms_dbov == pytest.approx(-3.0, abs=0.05)
    assert levels.peak_dbfs == pytest.approx(0.0, abs=0.05)
    assert levels.clipped_windows == 0
    assert levels.floor_dbov is None, "a tone has no pauses"


def test_what_is_cut_off_is_counted() -> None:
    (levels,) = measured(np.clip(sine(1.5), -1, 1))
    assert levels.clipped_windows == 100  # every window of 20 ms in 2 s


def test_the_noise_between_words_is_told_from_the_words() -> None:
    (levels,) = measured(words(5.0, loud=0.1, soft=0.001))
    assert levels.loud_dbov == pytest.approx(-20.0, abs=0.7)
    assert levels.floor_dbov == pytest.approx(-60.0, abs=0.7)


def test_a_constant_is_told_and_is_no_sound() -> None:
    (levels,) = measured(sine(0.01) + 0.25)
    assert levels.offset == pytest.approx(0.25, abs=1e-3)
    assert levels.rms_dbov == pytest.approx(-43.0, abs=0.1)


def test_exact_zeros_are_counted_and_the_longest_run_is_found() -> None:
    sound = sine(0.1, 3.0)
    sound[48_000:96_000] = 0.0
    (levels,) = measured(sound)
    assert levels.zero_share == pytest.approx(1 / 3, abs=0.01)
    assert levels.longest_zeros_s == pytest.approx(1.0, abs=0.1)
    (nothing,) = measured(np.zeros(48_000))
    assert (nothing.zero_share, nothing.peak_dbfs, nothing.rms_dbov) == (1.0, -127.0, -127.0)


def test_each_channel_is_measured_alone() -> None:
    left, right = measured(np.column_stack((sine(0.1), np.zeros(96_000))))
    assert left.rms_dbov == pytest.approx(-23.0, abs=0.05)
    assert right.zero_share == 1.0


def test_what_is_no_number_is_no_crash() -> None:
    (levels,) = measured(np.full(48_000, np.nan))
    assert levels.peak_dbfs == 0.0


@pytest.mark.parametrize("rate_hz", [8_000, 44_100, 96_000])
def test_other_rates_have_the_same_level(rate_hz: int) -> None:
    (levels,) = measured(sine(0.1, rate_hz=rate_hz), rate_hz)
    assert levels.rms_dbov == pytest.approx(-23.0, abs=0.05)
