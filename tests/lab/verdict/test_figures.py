"""Figures of sound and packets that are known beforehand."""

import dataclasses
from collections.abc import Sequence

import numpy as np
import pytest

from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.core.expectation.expectation import Window
from blink_cli.core.expectation.grammar import parse
from blink_cli.core.expectation.vocabulary import FIGURES
from blink_cli.lab.envelopes import Samples
from blink_cli.lab.scenario.observation import (
    Observation,
    PairObservation,
    PictureReading,
    Reading,
    SeenPicture,
    Span,
)
from blink_cli.lab.verdict.figures import PairFigures
from blink_cli.lab.verdict.speech import active, stretches, without
from blink_cli.lab.voices import voice

pytestmark = pytest.mark.no_clock

SECONDS = 6


def observation(heard: Samples, shown: Sequence[Span] = (), **fields: object) -> Observation:
    said = voice(0, SECONDS)
    pair = PairObservation("alice", "bob", heard=heard, connected=[(0.0, float(SECONDS))])
    pair = dataclasses.replace(pair, **fields)  # type: ignore[arg-type]  # fields of a PairObservation
    return Observation(
        engine="virtual",
        microphones={"alice": said, "bob": np.zeros_like(said)},
        silenced={"alice": [], "bob": []},
        cameras={"alice": list(shown), "bob": []},
        speakers={"bob": heard},
        pairs=[pair],
        mixed=False,
    )


def late(sound: Samples, delay_s: float) -> Samples:
    return np.concatenate((np.zeros(round(delay_s * SAMPLE_RATE_HZ), np.float32), sound))


def figures_of(heard: Samples, shown: Sequence[Span] = (), **fields: object) -> PairFigures:
    seen = observation(heard, shown, **fields)
    return PairFigures(seen, seen.pairs[0])


def test_a_copy_is_perfect_and_as_late_as_it_is() -> None:
    pair = figures_of(late(voice(0, SECONDS), 0.1))
    pesq = pair.pesq()
    assert pesq is not None
    assert pesq > 4.6
    assert {round(delay_s, 4) for _, delay_s in pair.delay} == {0.1}
    assert pair.gaps() == []
    assert pair.heard() == pytest.approx(0.1, abs=0.001)


def test_half_as_loud_is_six_decibels_less() -> None:
    loud, soft = (figures_of(late(voice(0, SECONDS) * gain, 0.05)) for gain in (1.0, 0.5))
    assert np.mean([level for _, level in loud.level]) - np.mean(
        [level for _, level in soft.level]
    ) == pytest.approx(6.02, abs=0.05)


def test_silence_is_a_gap_and_lowers_the_score() -> None:
    heard = late(voice(0, SECONDS), 0.05)
    first = (
        next(start_s for start_s, end_s in stretches(active(voice(0, SECONDS)), 0.1) if end_s - start_s > 0.5)
        + 0.1
    )
    begin = round((first + 0.05) * SAMPLE_RATE_HZ)
    heard[begin : begin + SAMPLE_RATE_HZ // 5] = 0
    pair = figures_of(heard)
    assert sum(end_s - start_s for start_s, end_s in pair.gaps()) == pytest.approx(0.2, abs=0.06)
    assert pair.gaps()[0][0] == pytest.approx(first, abs=0.05)
    whole, damaged = figures_of(late(voice(0, SECONDS), 0.05)).pesq(), pair.pesq()
    assert whole is not None
    assert damaged is not None
    assert damaged < whole - 0.3


def test_nothing_is_no_voice() -> None:
    pair = figures_of(np.zeros(SECONDS * SAMPLE_RATE_HZ, np.float32))
    assert pair.heard() is False
    assert pair.delay == []
    assert pair.pesq() == pytest.approx(1.0)
    assert pair.measured(parse("gaps == 0")) is None
    assert pair.measured(parse("delay < 1s")) is None


def test_too_little_speech_is_not_judged() -> None:
    assert figures_of(late(voice(0, SECONDS), 0.05)).pesq(Window(0.0, 0.5)) is None


def test_packets_are_counted_by_when_they_were_sent() -> None:
    pair = figures_of(
        late(voice(0, SECONDS), 0.05),
        sent_at=[0.02 * n for n in range(100)],
        arrived=[n % 10 != 9 or n < 50 for n in range(100)],
        sent_bytes=[80] * 100,
    )
    assert pair.loss() == 0.05
    assert pair.loss(Window(1.0)) == 0.1
    assert pair.loss(Window(None, 1.0)) == 0.0
    assert pair.loss(Window(5.0)) is None
    assert pair.bitrate_bps() == pytest.approx(32_000)


def test_counters_are_told_for_a_part_of_the_time_also_when_they_begin_anew() -> None:
    readings = [
        Reading(1.0, 48_000, 0, 50, 0, 0),
        Reading(2.0, 96_000, 4_800, 100, 5, 10),
        Reading(3.0, 48_000, 0, 50, 0, 0),
    ]
    pair = figures_of(late(voice(0, SECONDS), 0.05), readings=readings)
    assert pair.share("concealed_samples", "total_samples") == pytest.approx(4_800 / 144_000)
    assert pair.share("concealed_samples", "total_samples", Window(1.5, 2.5)) == pytest.approx(0.1)
    assert pair.share("packets_recovered", "packets_received", Window(1.5, 2.5)) == pytest.approx(0.2)


def test_talking_is_as_late_as_the_latest_word() -> None:
    said = np.zeros(SECONDS * SAMPLE_RATE_HZ, np.float32)
    for start_s in (1.0, 4.0):
        first = round(start_s * SAMPLE_RATE_HZ)
        said[first : first + SAMPLE_RATE_HZ] = voice(0, 3)[SAMPLE_RATE_HZ : 2 * SAMPLE_RATE_HZ]
    first_s, second_s = (start_s for start_s, _ in stretches(active(said)))
    told = [(first_s + 0.1, True), (2.3, False), (second_s + 0.25, True), (5.3, False)]
    seen = observation(late(said, 0.05), talking=told)
    seen.microphones["alice"] = said
    pair = PairFigures(seen, seen.pairs[0])
    assert pair.talking() == pytest.approx(0.25)
    assert pair.talking(Window(None, 3.0)) == pytest.approx(0.1)
    assert pair.talking(Window(2.5, 3.5)) is False
    seen.pairs[0].talking = told[:2]
    assert PairFigures(seen, seen.pairs[0]).talking() is False


def test_in_a_mix_a_voice_is_judged_where_it_is_alone() -> None:
    alice, carol = voice(0, SECONDS).copy(), voice(1, SECONDS).copy()
    half = SECONDS * SAMPLE_RATE_HZ // 2
    alice[half - SAMPLE_RATE_HZ // 2 :] = 0
    carol[:half] = 0
    mix = late(alice + carol, 0.06)
    seen = observation(mix)
    seen.mixed = True
    seen.microphones |= {"alice": alice, "carol": carol}
    pesq = PairFigures(seen, seen.pairs[0]).pesq()
    assert pesq is not None
    assert pesq > 4.2
    seen.microphones["carol"] = voice(1, SECONDS)
    assert PairFigures(seen, seen.pairs[0]).pesq() is None, "it is never alone"


def test_in_a_mix_the_beginning_of_the_next_one_counts_against_nobody() -> None:
    alice, carol = voice(0, SECONDS), voice(1, SECONDS)
    half = len(alice) // 2
    alice[half:] = 0
    carol = np.concatenate((np.zeros(half, np.float32), carol[:half]))
    mix = late(alice, 0.12)
    next_one = late(carol, 0.06)
    mix[: len(next_one)] += next_one
    seen = observation(mix)
    seen.mixed = True
    seen.microphones |= {"alice": alice, "carol": carol}
    pesq = PairFigures(seen, seen.pairs[0]).pesq()
    assert pesq is not None
    assert pesq > 4.5


def test_every_figure_of_the_vocabulary_can_be_asked_for() -> None:
    pair = figures_of(
        late(voice(0, SECONDS), 0.05),
        sent_at=[0.0, 0.02],
        arrived=[True, True],
        sent_bytes=[80, 80],
        readings=[Reading(1.0, 48_000, 0, 50, 0, 0, 0.001, 0.002, PictureReading(bytes_received=9_000))],
        talking=[(0.1, True)],
        pictures=[SeenPicture(0.5, 0.08, (0.93, 37.0))],
        shown=[(0.0, 2.0)],
    )
    for name, figure in FIGURES.items():
        if figure.of_pairs:
            happens = figure.kind == "happening"
            units = {"share": "%", "time": "s", "level": "dB", "rate": "kb/s"}
            text = name if happens else f"{name} < 5{units.get(figure.kind, '')}"
            assert pair.measured(parse(text)) is not None, name


def test_pictures_are_counted_while_the_camera_is_on() -> None:
    counted = [
        Reading(
            at_s, 0, 0, 0, 0, 0, pictures=PictureReading(frames_decoded=frames, bytes_received=100 * frames)
        )
        for at_s, frames in ((0.9, 0), (1.9, 15), (2.9, 30), (3.4, 30))
    ]
    pair = figures_of(voice(0, SECONDS), shown=[(1.0, 3.0)], readings=counted)
    assert pair.shown_s() == 2.0
    assert pair.shown_s(Window(2.5, 9.0)) == 0.5
    assert pair.picture_rate("frames_decoded") == 15.0
    assert pair.picture_bps() == 12_000.0
    assert pair.counted("pictures.frames_decoded", Window(2.0)) == 15
    assert figures_of(voice(0, SECONDS), readings=counted).picture_bps() is None, "no camera was on"


def test_spans_without_spans() -> None:
    assert without([(0.0, 10.0)], [(2.0, 3.0), (5.0, 12.0)]) == [(0.0, 2.0), (3.0, 5.0)]
    assert without([(0.0, 1.0)], [(0.0, 1.0)]) == []
