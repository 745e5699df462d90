"""The test signals of EBU Tech 3341 (cases 1 to 6, 9 to 13 and 15 to 19) and Tech 3342 (cases 1 to 4), and what a stream may bring besides."""

import numpy as np
import pytest

from blink_cli.audio.loudness.meter import LoudnessAt, LoudnessFigures, LoudnessMeter, channel_weights
from blink_cli.audio.samples import Samples
from tests.audio.loudness.signals import RATE_HZ, tones

pytestmark = pytest.mark.no_clock


def measured(sound: Samples, *, piece: int = 48_000, true_peak: bool = False) -> LoudnessFigures:
    meter = LoudnessMeter(RATE_HZ, sound.shape[1], true_peak=true_peak)
    for start in range(0, len(sound), piece):
        meter.add(sound[start : start + piece])
    return meter.figures


@pytest.mark.parametrize(
    ("sound", "integrated_lufs"),
    [
        (tones((-23, 20)), -23.0),
        (tones((-33, 20)), -33.0),
        (tones((-36, 10), (-23, 60), (-36, 10)), -23.0),
        (tones((-72, 10), (-36, 10), (-23, 60), (-36, 10), (-72, 10)), -23.0),
        (tones((-26, 20), (-20, 20.1), (-26, 20)), -23.0),
    ],
    ids=["case 1", "case 2", "case 3", "case 4", "case 5"],
)
def test_integrated_loudness(sound: Samples, integrated_lufs: float) -> None:
    assert measured(sound).integrated_lufs == pytest.approx(integrated_lufs, abs=0.1)


def test_integrated_loudness_of_five_channels() -> None:
    # Case 6: -28 dBFS in left and right, -24 in the centre, -30 in both surrounds, nothing in the LFE.
    one = tones((0, 20))[:, :1]
    gains = np.array([10.0 ** (db / 20.0) for db in (-28, -28, -24, -np.inf, -30, -30)], dtype=np.float32)
    assert measured(one * gains).integrated_lufs == pytest.approx(-23.0, abs=0.1)


@pytest.mark.parametrize(
    ("sound", "short_term_lufs", "momentary_lufs"),
    [
        (tones((-23, 20)), -23.0, -23.0),
        (tones((-33, 20)), -33.0, -33.0),
        (tones(*[(-20, 1.34), (-30, 1.66)] * 5), -23.0, None),
        (tones(*[(-20, 0.18), (-30, 0.22)] * 25), None, -23.0),
    ],
    ids=["case 1", "case 2", "case 9", "case 12"],
)
def test_short_term_and_momentary_loudness_stand_still(
    sound: Samples, short_term_lufs: float | None, momentary_lufs: float | None
) -> None:
    meter = LoudnessMeter(RATE_HZ, 2)
    readings = [reading for reading in meter.add(sound) if reading.at_s >= 3.0]
    for reading in readings:
        if short_term_lufs is not None:
            assert reading.short_term_lufs == pytest.approx(short_term_lufs, abs=0.1)
        if momentary_lufs is not None:
            assert reading.momentary_lufs == pytest.approx(momentary_lufs, abs=0.1)


@pytest.mark.parametrize("silence_s", [0.0, 0.15, 0.3, 0.45, 2.85])
def test_the_highest_short_term_and_momentary_loudness_do_not_depend_on_the_place(silence_s: float) -> None:
    # As cases 10 and 13, which shift a tone of 3 s and of 0.4 s by steps of 150 and 20 ms: where a reading falls on it whole, it is -23.
    whole = round(silence_s * 10) == pytest.approx(silence_s * 10)
    short = measured(tones((-np.inf, silence_s), (-23, 3), (-np.inf, 1)))
    assert short.highest_short_term_lufs == pytest.approx(-23.0, abs=0.1 if whole else 0.3)
    momentary = measured(tones((-np.inf, silence_s), (-23, 0.4), (-np.inf, 1)))
    assert momentary.highest_momentary_lufs == pytest.approx(-23.0, abs=0.1 if whole else 0.8)


@pytest.mark.parametrize(
    ("levels", "range_lu"),
    [
        ((-20, -30), 10.0),
        ((-20, -15), 5.0),
        ((-40, -20), 20.0),
        ((-50, -35, -20, -35, -50), 15.0),
    ],
    ids=["case 1", "case 2", "case 3", "case 4"],
)
def test_loudness_range(levels: tuple[float, ...], range_lu: float) -> None:
    sound = tones(*((level, 20) for level in levels))
    assert measured(sound).range_lu == pytest.approx(range_lu, abs=1.0)


@pytest.mark.parametrize(
    ("divider", "phase_degrees", "peak_dbfs", "wanted_dbtp"),
    [
        (4, 0.0, -6.0, -6.0),
        (4, 45.0, -6.0, -6.0),
        (6, 60.0, -6.0, -6.0),
        (8, 67.5, -6.0, -6.0),
        (4, 45.0, 3.0, 3.0),
    ],
    ids=["case 15", "case 16", "case 17", "case 18", "case 19"],
)
def test_true_peak(divider: int, phase_degrees: float, peak_dbfs: float, wanted_dbtp: float) -> None:
    phase = 2.0 * np.pi * (np.arange(RATE_HZ) / divider) + np.radians(phase_degrees)
    faded = np.minimum(1.0, np.minimum(np.arange(RATE_HZ), np.arange(RATE_HZ)[::-1]) / 4800)
    wave = (10.0 ** (peak_dbfs / 20.0) * faded * np.sin(phase)).astype(np.float32)
    peak = measured(wave[:, None], true_peak=True).true_peak_dbtp
    assert peak is not None
    assert wanted_dbtp - 0.4 <= peak <= wanted_dbtp + 0.2  # Tech 3341's tolerance


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 16_000, 44_100, 96_000])
def test_a_sine_is_as_loud_at_every_rate(rate_hz: int) -> None:
    wave = np.sin(2.0 * np.pi * 997.0 / rate_hz * np.arange(5 * rate_hz)).astype(np.float32)
    meter = LoudnessMeter(rate_hz)
    readings = meter.add(wave)
    assert len(readings) == 50
    assert meter.figures.integrated_lufs == pytest.approx(-3.01, abs=0.05)


@pytest.mark.parametrize("piece", [7, 77, 480, 960, 4_800, 100_000])
def test_the_length_of_pieces_changes_nothing(piece: int) -> None:
    sound = (
        np.random.default_rng(3).standard_normal((24_000 if piece == 7 else 240_000, 1)).astype(np.float32)
        * 0.1
    )
    whole, cut = measured(sound), measured(sound, piece=piece)
    assert cut.heard_s == whole.heard_s
    assert cut.integrated_lufs == pytest.approx(whole.integrated_lufs, abs=1e-9)


def test_nothing_is_said_before_enough_was_heard() -> None:
    meter = LoudnessMeter(RATE_HZ)
    tone = tones((-20, 3))[:, 0]
    assert meter.add(tone[:4799]) == []
    readings = meter.add(tone[4799:])
    assert [reading.at_s for reading in readings] == pytest.approx([n / 10 for n in range(1, 31)])
    assert [reading.momentary_lufs is None for reading in readings] == [True] * 3 + [False] * 27
    assert [reading.short_term_lufs is None for reading in readings] == [True] * 29 + [False]


def test_silence_has_no_figures() -> None:
    figures = measured(np.zeros((RATE_HZ * 4, 1), dtype=np.float32), true_peak=True)
    assert figures == LoudnessFigures(4.0, None, None, None, None, None)


@pytest.mark.parametrize("silence", [1, 4_799, 4_800, 30_000, 200_001, 10**9])
@pytest.mark.parametrize("before", [48_000, 50_001])
def test_told_silence_is_as_zeros_are(silence: int, before: int) -> None:
    rng = np.random.default_rng(silence)
    first, second = (rng.standard_normal(length).astype(np.float32) * 0.1 for length in (before, 200_000))
    told, heard = LoudnessMeter(RATE_HZ), LoudnessMeter(RATE_HZ)
    told.add(first)
    heard.add(first)
    told_readings = told.add_silence(silence)
    heard_readings = heard.add(np.zeros(min(silence, 10**6), dtype=np.float32))
    assert_alike(told_readings, heard_readings[: len(told_readings)])
    # Behind 30 readings of silence nothing changes any more.
    assert len(told_readings) == len(heard_readings) or len(told_readings) >= 30
    if silence <= 10**6:
        assert_alike(told.add(second), heard.add(second))
    else:
        assert told.add(second)[-1].at_s == (before + silence + len(second)) * 10 // RATE_HZ / 10
        assert told.figures.heard_s == (before + silence + len(second)) / RATE_HZ
    assert told.figures.integrated_lufs == pytest.approx(
        heard.figures.integrated_lufs if silence <= 10**6 else told.figures.integrated_lufs, abs=1e-6
    )


def assert_alike(one: list[LoudnessAt], other: list[LoudnessAt]) -> None:
    assert [reading.at_s for reading in one] == [reading.at_s for reading in other]
    for mine, theirs in zip(one, other, strict=True):
        for a, b in (
            (mine.momentary_lufs, theirs.momentary_lufs),
            (mine.short_term_lufs, theirs.short_term_lufs),
        ):
            assert a == pytest.approx(b, abs=1e-6)


def test_what_is_not_finite_is_silence_and_spoils_nothing() -> None:
    meter = LoudnessMeter(RATE_HZ, true_peak=True)
    tone = tones((-20, 3))[:, 0].copy()
    tone[100:103] = (np.nan, np.inf, -np.inf)
    meter.add(tone)
    assert meter.figures.integrated_lufs == pytest.approx(-23.0, abs=0.2)


def test_channels_weigh_as_the_recommendation_says() -> None:
    assert channel_weights(2) == (1.0, 1.0)
    assert channel_weights(6) == (1.0, 1.0, 1.0, 0.0, 1.41, 1.41)
    assert channel_weights(8) == (1.0,) * 8
