import numpy as np
import pytest

from blink_cli.audio.level import VoiceActivity, level_dbov
from blink_cli.audio.samples import Samples

SECOND = np.arange(48_000) / 48_000


def sine(amplitude: float) -> Samples:
    return (amplitude * np.sin(2 * np.pi * 1000 * SECOND)).astype(np.float32)


@pytest.mark.parametrize(
    ("samples", "level"),
    [
        (np.ones(480, np.float32), 0),
        (sine(1.0), -3),
        (sine(0.1), -23),
        (sine(0.001), -63),
        (np.zeros(480, np.float32), -127),
        (np.full(480, 1e-9, np.float32), -127),
        (np.full(480, 4.0, np.float32), 0),
    ],
)
def test_levels_are_rms_below_a_full_scale_square_wave(samples: Samples, level: int) -> None:
    assert level_dbov(samples) == level


def test_speech_over_room_noise_is_a_voice_and_the_noise_is_none() -> None:
    activity = VoiceActivity()
    assert not any(activity.update(-65, 0.02) for _ in range(500))
    assert activity.update(-30, 0.02)
    # Word endings are kept, then it stops.
    decisions = [activity.update(-65, 0.02) for _ in range(20)]
    assert decisions[:9] == [True] * 9
    assert not any(decisions[10:])


def test_a_noisy_room_becomes_the_floor() -> None:
    activity = VoiceActivity()
    decisions = [activity.update(-46, 0.02) for _ in range(1000)]
    assert decisions[0]
    assert not any(decisions[-300:])
    assert activity.update(-30, 0.02)


def test_a_voice_without_pauses_stays_a_voice() -> None:
    activity = VoiceActivity()
    assert all(activity.update(-25, 0.02) for _ in range(5000))


def test_digital_silence_says_nothing_about_the_room() -> None:
    activity = VoiceActivity()
    assert not any(activity.update(-127, 0.02) for _ in range(1000))
    assert not activity.update(-58, 0.02)
