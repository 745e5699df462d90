import numpy as np
import pytest

from blink_cli.audio.limiter import CEILING, Limiter
from blink_cli.audio.samples import Samples


def run(limiter: Limiter, signal: Samples) -> Samples:
    out = signal.copy()
    for start in range(0, len(out), 480):
        limiter.process(out[start : start + 480])
    return out


def sine(amplitude: float, seconds: float = 0.5) -> Samples:
    time_s = np.arange(int(48_000 * seconds)) / 48_000
    return (amplitude * np.sin(2 * np.pi * 300 * time_s)).astype(np.float32)


def test_what_stays_below_the_ceiling_passes_bit_by_bit() -> None:
    limiter = Limiter()
    signal = sine(CEILING - 0.001)
    np.testing.assert_array_equal(run(limiter, signal), signal)
    assert limiter.limited_blocks == 0


@pytest.mark.parametrize("amplitude", [1.0, 1.5, 4.0, 16.0])
def test_nothing_clips(amplitude: float) -> None:
    out = run(Limiter(), sine(amplitude))
    assert np.abs(out).max() <= 1.0


@pytest.mark.parametrize("amplitude", [1.5, 4.0])
def test_a_loud_sound_is_turned_down_and_not_bent(amplitude: float) -> None:
    out = run(Limiter(), sine(amplitude, 1.0))[24_000:]
    spectrum = np.abs(np.fft.rfft(out * np.hanning(len(out))))
    harmonics = sum(spectrum[150 * n] for n in range(2, 10))
    assert harmonics / spectrum[150] < 0.002


def test_the_gain_comes_back_slowly_and_wholly() -> None:
    limiter = Limiter()
    run(limiter, sine(4.0))
    assert limiter.gain == pytest.approx(CEILING / 4.0, rel=0.02)
    run(limiter, sine(0.1, 0.1))
    assert 0.3 < limiter.gain < 0.9
    quiet = sine(0.1, 3.0)
    run(limiter, quiet)
    assert limiter.gain == 1.0
    np.testing.assert_array_equal(run(limiter, quiet), quiet)


def test_silence_lets_it_come_back_too() -> None:
    limiter = Limiter()
    run(limiter, sine(4.0))
    for _ in range(300):
        limiter.rest()
    assert limiter.gain == 1.0


def test_gain_changes_make_no_step() -> None:
    # A constant shows every jump of the gain as a jump of the signal.
    signal = np.concatenate((np.full(4800, 0.2), np.full(4800, 0.9), np.full(9600, 0.2))).astype(np.float32)
    limiter = Limiter()
    out = run(limiter, signal * 2)
    steps = np.abs(np.diff(out))
    edges = (4799, 9599)
    inside = np.ones(len(steps), dtype=bool)
    inside[list(edges)] = False
    assert steps[inside].max() < 0.04
