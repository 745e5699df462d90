"""The detector that goes by how speech sounds: what the recorded phrases do not show."""

import numpy as np
import pytest

from blink_cli.audio.samples import Samples
from blink_cli.audio.silent_block import SILENT_BLOCK
from blink_cli.audio.voice_activity.speech import SpeechDetector
from blink_cli.lab.spoken_phrases import noise
from blink_cli.lab.voices import voice

pytestmark = pytest.mark.no_clock


def decisions(detector: SpeechDetector, sound: Samples) -> list[bool]:
    return [detector.update(sound[at : at + 480]) for at in range(0, len(sound) - 479, 480)]


def test_it_rests_in_digital_silence_and_hears_what_follows_however_long_it_was() -> None:
    heard = []
    for silent_ticks in (60, 1000, 3000):
        detector = SpeechDetector()
        assert not any(decisions(detector, noise(48_000, -60.0, seed=1)))
        assert not any(detector.update(SILENT_BLOCK) for _ in range(silent_ticks))
        heard.append(decisions(detector, voice(0, 3.0)))
    assert heard[0] == heard[1] == heard[2]
    assert any(heard[0][:10])


def test_sound_at_full_scale_is_judged_like_any_other() -> None:
    loud = np.clip(voice(1, 3.0) * 40.0, -1.0, 1.0)
    assert any(decisions(SpeechDetector(), loud))


def test_a_fan_that_is_switched_off_is_not_a_voice() -> None:
    room = [noise(5 * 48_000, level, seed=2) for level in (-70.0, -45.0, -70.0, -45.0)]
    detector = SpeechDetector()
    assert not any(decisions(detector, np.concatenate(room)))
