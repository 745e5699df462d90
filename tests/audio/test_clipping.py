import numpy as np
import pytest

from blink_cli.audio.clipping import ClippingCount
from blink_cli.audio.samples import Samples

pytestmark = pytest.mark.no_clock


def wave(seconds: float, amplitude: float, rate_hz: int = 48_000) -> Samples:
    at_s = np.arange(round(seconds * rate_hz)) / rate_hz
    return np.clip(amplitude * np.sin(2 * np.pi * 200 * at_s), -1, 1).astype(np.float32)


def counted(sound: Samples, piece: int, rate_hz: int = 48_000) -> ClippingCount:
    count = ClippingCount(rate_hz)
    for start in range(0, len(sound), piece):
        count.add(sound[start : start + piece])
    return count


@pytest.mark.parametrize(("rate_hz", "piece"), [(48_000, 480), (48_000, 120), (44_100, 882), (16_000, 320)])
def test_frames_that_were_cut_off_are_counted(rate_hz: int, piece: int) -> None:
    sound = np.concatenate([wave(1.0, 0.9, rate_hz), wave(0.5, 5.0, rate_hz)])
    count = counted(sound, piece, rate_hz)
    assert (count.frames, count.clipped_frames) == (75, 25)


def test_a_single_peak_is_no_clipping() -> None:
    sound = np.zeros(48_000, dtype=np.float32)
    sound[100::960] = 1.0
    assert counted(sound, 480).clipped_frames == 0


@pytest.mark.parametrize("sign", [1, -1])
def test_one_channel_is_enough(sign: int) -> None:
    sound = np.stack([0.1 * wave(1.0, 1.0), sign * np.abs(wave(1.0, 3.0))], axis=1).astype(np.float32)
    assert counted(sound, 960).clipped_frames == 50


def test_it_goes_on_with_another_device() -> None:
    count = counted(wave(1.0, 3.0), 480)
    count.begin_device(16_000)
    count.add(wave(0.02, 3.0, 16_000))
    assert (count.frames, count.clipped_frames) == (51, 51)
