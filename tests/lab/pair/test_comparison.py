"""What is done to a voice is found again, as large as it was and where it was; and nothing is found in a voice to which nothing was done."""

import functools

import numpy as np
import pytest
import soxr
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.lab.pair import comparison
from blink_cli.lab.pair.comparison import Comparison, compare
from blink_cli.lab.spoken_phrases import Spoken, with_pauses
from blink_cli.lab.voice_metrics import RATE_HZ, Samples

pytestmark = pytest.mark.no_clock

MS = SAMPLE_RATE_HZ // 1000
PHRASES = 4

voices = st.integers(0, 2)


@functools.cache
def spoken(voice: int) -> Spoken:
    whole = with_pauses(voice, pause_s=0.5, level_dbfs=-20, noise_dbfs=-75)
    ends = round((whole.phrases[PHRASES][0] - 0.1) * SAMPLE_RATE_HZ)
    return Spoken(whole.sound[:ends], whole.phrases[:PHRASES])


def compared(sent: Samples, heard: Samples) -> Comparison:
    found = compare(
        *(np.asarray(soxr.resample(one, SAMPLE_RATE_HZ, RATE_HZ), np.float32) for one in (sent, heard))
    )
    assert found is not None
    return found


def delays_ms(found: Comparison) -> list[float]:
    return [1000 * one.delay_s for one in found.delays.windows]


def is_whole(found: Comparison) -> bool:
    return not (found.missing.gaps or found.missing.clipped_starts or found.clicks)


@settings(max_examples=4)
@given(voice=voices, delay_ms=st.integers(0, 500), gain_db=st.floats(-30, 12))
def test_delay_and_level_are_told_and_nothing_else(voice: int, delay_ms: int, gain_db: float) -> None:
    sent = spoken(voice).sound
    late = np.concatenate((np.zeros(delay_ms * MS, np.float32), sent * np.float32(10 ** (gain_db / 20))))

    found = compared(sent, late)

    assert len(found.delays.windows) == found.delays.looked_for > 50
    assert delays_ms(found) == pytest.approx([delay_ms] * found.delays.looked_for, abs=0.1)
    assert found.level_change_db == pytest.approx(gain_db, abs=0.05)
    assert found.delays.drift_ppm() == pytest.approx(0.0, abs=1.0)
    assert is_whole(found)
    assert found.missing.starts == len(spoken(voice).phrases)


@settings(max_examples=4)
@given(voice=voices, begins_s=st.floats(0, 4), lasts_s=st.floats(5, 8))
def test_files_need_not_begin_and_end_together(voice: int, begins_s: float, lasts_s: float) -> None:
    sent = spoken(voice).sound
    first = round(begins_s * SAMPLE_RATE_HZ)

    found = compared(sent, sent[first : first + round(lasts_s * SAMPLE_RATE_HZ)])

    assert delays_ms(found) == pytest.approx([-1000 * begins_s] * len(found.delays.windows), abs=0.1)
    assert is_whole(found)


@settings(max_examples=4)
@given(voice=voices, ppm=st.integers(-500, 500))
def test_drift_is_told_with_its_sign(voice: int, ppm: int) -> None:
    sent = spoken(voice).sound
    slow = np.asarray(soxr.resample(sent, 1_000_000, 1_000_000 + ppm), np.float32)

    found = compared(sent, slow)

    assert found.delays.drift_ppm() == pytest.approx(ppm, abs=5)
    assert found.delays.steps() == ()
    assert is_whole(found)


@settings(max_examples=4)
@given(voice=voices, phrase=st.integers(0, 3), place=st.floats(0.3, 0.7), length_ms=st.integers(20, 200))
def test_silence_in_a_phrase_is_a_gap_of_its_length(
    voice: int, phrase: int, place: float, length_ms: int
) -> None:
    said = spoken(voice)
    begins_s, ends_s = said.phrases[phrase]
    at = loud_place(said.sound, begins_s + place * (ends_s - begins_s), length_ms)
    heard = said.sound.copy()
    heard[at : at + length_ms * MS] = 0

    found = compared(said.sound, heard)

    (gap,) = found.missing.gaps
    assert gap.at_s == pytest.approx(at / SAMPLE_RATE_HZ, abs=0.003)
    assert 1000 * gap.duration_s == pytest.approx(length_ms, abs=3)
    assert (found.missing.clipped_starts, found.clicks) == ((), ())


@settings(max_examples=4)
@given(voice=voices, phrase=st.integers(0, 3), length_ms=st.integers(20, 300))
def test_a_pause_that_was_put_in_is_a_gap_and_a_step_of_the_delay(
    voice: int, phrase: int, length_ms: int
) -> None:
    said = spoken(voice)
    begins_s, ends_s = said.phrases[phrase]
    at = loud_place(said.sound, (begins_s + ends_s) / 2, 20)
    heard = np.concatenate((said.sound[:at], np.zeros(length_ms * MS, np.float32), said.sound[at:]))

    found = compared(said.sound, heard)

    (step,) = found.delays.steps()
    assert 1000 * step.by_s == pytest.approx(length_ms, abs=0.2)
    assert step.at_s == pytest.approx(at / SAMPLE_RATE_HZ, abs=0.5)
    (gap,) = found.missing.gaps
    assert 1000 * gap.duration_s == pytest.approx(length_ms, abs=3)


@settings(max_examples=4)
@given(voice=voices, cut_ms=st.integers(20, 200))
def test_starts_that_were_cut_off_are_told_with_what_is_missing(voice: int, cut_ms: int) -> None:
    said = spoken(voice)
    heard = said.sound.copy()
    cut = said.phrases[1:3]
    for begins_s, _ in cut:
        at = round(begins_s * SAMPLE_RATE_HZ)
        heard[at : at + cut_ms * MS] = 0

    found = compared(said.sound, heard)

    assert [one.at_s for one in found.missing.clipped_starts] == pytest.approx(
        [begins_s for begins_s, _ in cut], abs=0.01
    )
    assert [1000 * one.duration_s for one in found.missing.clipped_starts] == pytest.approx(
        [cut_ms] * len(cut),
        abs=10,  # a phrase may begin so softly that its first 10 ms are not heard
    )
    assert found.missing.gaps == ()


@settings(max_examples=4)
@given(voice=voices, place_s=st.floats(3, 9), size=st.floats(0.6, 0.9))
def test_a_jump_of_one_sample_is_a_click_in_speech_and_in_pauses(
    voice: int, place_s: float, size: float
) -> None:
    said = spoken(voice)
    # Beside the sharpest consonants such a jump is not heard, and not told: a click is sharper than all around.
    near = slice(round((place_s - 0.02) * SAMPLE_RATE_HZ), round((place_s + 0.02) * SAMPLE_RATE_HZ))
    around = np.asarray(soxr.resample(said.sound[near], SAMPLE_RATE_HZ, RATE_HZ), np.float64)
    assume(np.abs(np.diff(around, 2)).max() < size / 10)
    heard = said.sound.copy()
    heard[round(place_s * SAMPLE_RATE_HZ)] += np.float32(size)

    found = compared(said.sound, heard)

    assert list(found.clicks) == pytest.approx([place_s], abs=0.003)
    assert found.missing.gaps == ()


def test_noise_beside_the_voice_is_nothing_of_this() -> None:
    said = spoken(0)
    noise = np.random.default_rng(1).normal(0, 0.01, len(said.sound)).astype(np.float32)

    found = compared(said.sound, said.sound + noise)

    assert is_whole(found)
    assert found.level_change_db == pytest.approx(0, abs=0.2)


def test_another_voice_is_not_found() -> None:
    noise = np.random.default_rng(1).normal(0, 0.1, 10 * SAMPLE_RATE_HZ).astype(np.float32)
    pair = [
        np.asarray(soxr.resample(one, SAMPLE_RATE_HZ, RATE_HZ), np.float32)
        for one in (spoken(0).sound, noise)
    ]
    assert compare(*pair) is None


def test_what_is_long_is_looked_at_in_parts_and_told_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparison, "_STRETCH", 10 * RATE_HZ)
    sent = np.concatenate([spoken(voice).sound for voice in (0, 1, 2)])
    heard = np.concatenate((np.zeros(700 * MS, np.float32), sent))
    places_s = (4.0, 25.0)
    starts = [loud_place(sent, at_s, 50, within_ms=1000) + 700 * MS for at_s in places_s]
    for at in starts:
        heard[at : at + 50 * MS] = 0

    found = compared(sent, heard)

    assert [one.at_s for one in found.missing.gaps] == pytest.approx(
        [at / SAMPLE_RATE_HZ for at in starts], abs=0.003
    )
    assert [1000 * one.duration_s for one in found.missing.gaps] == pytest.approx([50, 50], abs=3)
    assert found.missing.starts == 3 * PHRASES
    assert (found.missing.clipped_starts, found.clicks) == ((), ())


def loud_place(sound: Samples, near_s: float, length_ms: int, *, within_ms: int = 200) -> int:
    """The stretch of a length within some time whose softest 5 ms are loudest: what is soft by itself is not missed where it is missing."""
    near = round(near_s * SAMPLE_RATE_HZ)
    whole = length_ms // 5 * 5 * MS

    def softest(at: int) -> float:
        squares = sound[at : at + whole].astype(np.float64) ** 2
        return float(np.min(np.mean(squares.reshape(-1, 5 * MS), axis=1)))

    return max(range(near - within_ms * MS, near + within_ms * MS, 2 * MS), key=softest)
