import numpy as np
import pytest

from blink_cli.audio.samples import Samples
from blink_cli.audio.silent_block import SILENT_BLOCK
from blink_cli.audio.voice_activity.loudness import ATTACK_TICKS, LoudnessDetector

pytestmark = pytest.mark.no_clock


def at(level_dbov: float) -> Samples:
    """Ten milliseconds of a square wave, whose level is its amplitude."""
    return np.where(np.arange(480) % 96 < 48, 1, -1).astype(np.float32) * np.float32(10 ** (level_dbov / 20))


def heard(detector: LoudnessDetector, level_dbov: float, ticks: int) -> list[bool]:
    block = at(level_dbov)
    return [detector.update(block) for _ in range(ticks)]


def test_speech_over_room_noise_is_a_voice_and_the_noise_is_none() -> None:
    detector = LoudnessDetector()
    assert not any(heard(detector, -65, 1000))
    assert heard(detector, -30, 10) == [False] * (ATTACK_TICKS - 1) + [True] * (11 - ATTACK_TICKS)
    # Soft ends are kept for 60 ms, then it stops.
    assert heard(detector, -65, 20) == [True] * 6 + [False] * 14


def test_a_click_is_no_voice() -> None:
    detector = LoudnessDetector()
    for _ in range(100):
        assert not any([*heard(detector, -10, 2), *heard(detector, -70, 5)])


def test_a_noisy_room_becomes_the_floor() -> None:
    detector = LoudnessDetector()
    decisions = heard(detector, -46, 2000)
    assert decisions[5]
    assert not any(decisions[-600:])
    assert any(heard(detector, -30, 5))


def test_a_voice_without_pauses_stays_a_voice() -> None:
    detector = LoudnessDetector()
    assert all(heard(detector, -25, 10_000)[ATTACK_TICKS:])


def test_digital_silence_says_nothing_about_the_room() -> None:
    detector = LoudnessDetector()
    assert not any(detector.update(SILENT_BLOCK) for _ in range(2000))
    assert not any(heard(detector, -58, 10))
