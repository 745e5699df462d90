"""A voice that came back is found, placed, weighed: first with known ways, then through the echo peer's own devices and the codec."""

import numpy as np
import pytest

from blink_cli.audio.devices.echo_beeps import BEEP_SAMPLES, LISTENING, SPEAKING
from blink_cli.audio.echo.comparison import compare
from blink_cli.audio.echo.timelines import Timeline
from blink_cli.audio.samples import Samples
from blink_cli.lab.voices import voice

pytestmark = pytest.mark.no_clock

RATE = 48_000
THERE_S, BACK_S = 0.083, 0.057


def echoed(spoken: Samples, stretch_s: float, seconds: float, gain: float = 1.0) -> Timeline:
    """What is heard of an echo peer in turns, which is there after 83 ms and back after 57; its call begins at second 100."""
    count = round(seconds * RATE)
    told = np.zeros(count, np.float32)
    stretch = round(stretch_s * RATE)
    half = BEEP_SAMPLES + stretch
    there = np.concatenate((np.zeros(round(THERE_S * RATE), np.float32), spoken, np.zeros(count, np.float32)))
    for turn in range(0, count, 2 * half):
        parts = (
            (turn, LISTENING),
            (turn + half, SPEAKING),
            (turn + half + BEEP_SAMPLES, gain * there[turn + BEEP_SAMPLES : turn + half]),
        )
        for at, sound in parts:
            told[at : at + len(sound)] = sound[: max(0, count - at)]
    return Timeline(100.0 + BACK_S, told)


def test_the_way_there_and_back_is_found_to_the_tenth_of_a_millisecond() -> None:
    spoken = voice(0, 9.0)
    found = compare(Timeline(100.0, spoken), echoed(spoken, 2.0, 9.0, gain=0.5))
    assert found.way_s == pytest.approx(THERE_S + BACK_S, abs=0.0002)
    assert found.change_db == pytest.approx(-6.0, abs=0.1)
    assert found.found_share == 1.0
    assert found.beeps == 5
    assert found.spoke


def test_somebody_elses_voice_is_not_mine() -> None:
    found = compare(Timeline(100.0, voice(0, 9.0)), echoed(voice(1, 9.0), 2.0, 9.0))
    assert found.way_s is None
    assert found.found_share == 0.0
    assert found.pieces == ()


def test_too_short_a_call_brings_nothing_back() -> None:
    spoken = voice(0, 9.0)
    found = compare(Timeline(100.0, spoken), echoed(spoken, 8.0, 6.0))
    assert found.beeps == 1
    assert found.found_s == 0.0


def test_silence_is_told() -> None:
    found = compare(
        Timeline(100.0, np.zeros(9 * RATE, np.float32)), echoed(np.zeros(9 * RATE, np.float32), 2.0, 9.0)
    )
    assert found.sent_dbov < -100
    assert found.found_share is None
    assert compare(Timeline(0.0, np.zeros(0, np.float32)), Timeline(0.0, np.zeros(0, np.float32))).beeps == 0


def test_what_was_said_before_muting_is_nothing_that_could_come_back() -> None:
    spoken = np.zeros(10 * RATE, np.float32)
    spoken[: RATE // 10] = voice(0, 1.0)[-RATE // 10 :]
    # An echo peer's first beep comes a second later.
    found = compare(Timeline(99.0, spoken), echoed(spoken[RATE:], 3.0, 9.0))
    assert found.spoke
    assert found.sent_dbov < -55


def test_a_gap_in_what_came_back_costs_a_part_and_not_the_place() -> None:
    spoken = voice(2, 9.0)
    heard = echoed(spoken, 2.0, 9.0)
    start = 2 * BEEP_SAMPLES + 2 * RATE
    heard.samples[start + 30_000 : start + 60_000] = 0.0
    found = compare(Timeline(100.0, spoken), heard)
    assert found.way_s == pytest.approx(THERE_S + BACK_S, abs=0.0005)
    assert found.found_share is not None
    assert 0.3 < found.found_share < 1.0


def test_the_score_is_high_for_a_copy_and_low_for_noise() -> None:
    pytest.importorskip("pesq")
    from blink_cli.audio.echo.speech_score import pesq_wideband  # noqa: PLC0415

    spoken = voice(0, 9.0)
    clean = compare(Timeline(100.0, spoken), echoed(spoken, 3.0, 9.0))
    assert pesq_wideband(clean.pieces) > 4.5
    noisy = echoed(spoken, 3.0, 9.0)
    noise = np.random.default_rng(1).standard_normal(len(noisy.samples)).astype(np.float32)
    noisy.samples[:] += 0.02 * noise
    spoiled = compare(Timeline(100.0, spoken), noisy)
    assert pesq_wideband(spoiled.pieces) < 2.5
