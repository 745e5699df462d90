"""What microphones hear of sound files."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from blink_cli.core.errors import UsageError
from blink_cli.lab.scenario.microphone import read_sound

pytestmark = pytest.mark.no_clock


@pytest.mark.parametrize(
    ("name", "rate_hz", "channels"), [("a.wav", 48_000, 1), ("b.flac", 22_050, 2), ("c.mp3", 44_100, 1)]
)
def test_a_sound_file_is_read_whole_as_one_channel_at_48_khz(
    name: str, rate_hz: int, channels: int, tmp_path: Path
) -> None:
    seconds = 2.5
    tone = 0.2 * np.sin(2 * np.pi * 500 * np.arange(round(seconds * rate_hz)) / rate_hz)
    soundfile.write(tmp_path / name, np.repeat(tone[:, np.newaxis], channels, axis=1), rate_hz)
    sound = read_sound(tmp_path / name)
    assert sound.ndim == 1
    assert len(sound) == pytest.approx(48_000 * seconds, abs=2_500)
    assert np.sqrt(np.mean(sound[4_800:96_000] ** 2)) == pytest.approx(0.2 / np.sqrt(2), rel=0.02)


def test_a_sound_file_that_is_cut_off_is_told(tmp_path: Path) -> None:
    path = tmp_path / "cut.flac"
    soundfile.write(path, 0.1 * np.random.default_rng(3).standard_normal(96_000), 48_000)
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(UsageError, match=r"cut\.flac cannot be read: [^/]*[^./]\.$"):
        read_sound(path)


def test_a_sound_file_without_a_sample_is_told_and_is_no_silence(tmp_path: Path) -> None:
    path = tmp_path / "empty.wav"
    soundfile.write(path, np.zeros(0), 48_000)
    with pytest.raises(UsageError, match=r"empty\.wav is empty\.$"):
        read_sound(path)
