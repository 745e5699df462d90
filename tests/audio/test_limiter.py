import numpy as np
import pytest

from blink_cli.audio.limiter import CEILING, Limiter
from blink_cli.audio.samples import Samples
from blink_cli.lab.voices import voice

pytestmark = pytest.mark.no_clock


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


def gain_after(limiter: Limiter, seconds: float) -> float:
    """The gain after a time of silence, in dB."""
    for _ in range(round(seconds * 100)):
        limiter.rest()
    return -limiter.reduction_db


def test_behind_what_lasts_the_gain_comes_back_slowly_and_wholly() -> None:
    limiter = Limiter()
    run(limiter, sine(4.0, 1.0))
    assert limiter.gain == pytest.approx(CEILING / 4.0, rel=0.02)
    assert -11.0 < gain_after(limiter, 0.3) < -9.0
    assert -4.0 < gain_after(limiter, 1.7) < -2.0
    assert gain_after(limiter, 8.0) == 0.0
    quiet = sine(0.1, 1.0)
    np.testing.assert_array_equal(run(limiter, quiet), quiet)


def test_behind_a_click_the_gain_comes_back_quickly() -> None:
    limiter = Limiter()
    run(limiter, sine(4.0, 0.01))
    assert limiter.reduction_db == pytest.approx(12.4, abs=0.3)
    assert gain_after(limiter, 0.2) > -4.0
    assert gain_after(limiter, 2.0) > -1.0


def test_speech_that_is_too_loud_throughout_has_a_gain_that_hardly_moves() -> None:
    # As two who talk at once, 12 dB too loud; the gain used to move by 3.7 dB from one twentieth of a second to the next.
    limiter = Limiter()
    speech = 4.0 * (voice(0, 10.0) + voice(1, 10.0))
    gains_db = []
    for start in range(0, len(speech), 480):
        limiter.process(speech[start : start + 480].copy())
        gains_db.append(-limiter.reduction_db)
    settled = np.array(gains_db[100:])
    moves = np.abs(np.diff(settled.reshape(-1, 5).mean(axis=1)))
    assert np.percentile(moves, 95) < 2.7
    assert settled.std() < 2.4


@pytest.mark.parametrize("hz", [47.0, 80.0, 133.0, 300.0, 1000.0])
def test_low_voices_are_not_distorted_by_the_release(hz: float) -> None:
    wave = (3.0 * np.sin(2 * np.pi * hz * np.arange(3 * 48_000) / 48_000)).astype(np.float32)
    out = run(Limiter(), wave)[48_000:96_000] * np.hanning(48_000)
    power = np.abs(np.fft.rfft(out)) ** 2
    at = round(hz)
    tone = power[at - 3 : at + 4].sum()
    assert (power.sum() - tone) / tone < 1e-4  # -40 dB


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
