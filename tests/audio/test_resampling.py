import numpy as np
import pytest

from blink_cli.audio.resampling import DeviceFromVoice, VoiceFromDevice
from blink_cli.audio.samples import Samples

pytestmark = pytest.mark.no_clock


def sine(rate_hz: int, seconds: float, channels: int = 1, frequency_hz: float = 1000.0) -> Samples:
    time_s = np.arange(int(rate_hz * seconds)) / rate_hz
    mono = (0.5 * np.sin(2 * np.pi * frequency_hz * time_s)).astype(np.float32)
    return np.repeat(mono[:, None], channels, axis=1)


def noise_to_signal_db(signal: Samples, rate_hz: int, frequency_hz: float = 1000.0) -> float:
    phase = 2 * np.pi * frequency_hz * np.arange(len(signal)) / rate_hz
    basis = np.stack((np.sin(phase), np.cos(phase)), axis=1)
    wave = basis @ np.linalg.lstsq(basis, signal.astype(np.float64), rcond=None)[0]
    return float(10 * np.log10(((signal - wave) ** 2).mean() / (wave**2).mean()))


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 22_050, 44_100, 48_000, 96_000])
@pytest.mark.parametrize("channels", [1, 2])
def test_any_rate_and_channel_count_becomes_the_voice_format_and_back(rate_hz: int, channels: int) -> None:
    to_voice = VoiceFromDevice(rate_hz)
    from_voice = DeviceFromVoice(rate_hz, channels)
    frames = sine(rate_hz, 1.0, channels)
    step = rate_hz // 100
    voice: list[Samples] = []
    back: list[Samples] = []
    behind = 0
    for index, start in enumerate(range(0, len(frames), step)):
        blocks = to_voice.convert(frames[start : start + step])
        assert all(block.shape == (480,) and block.dtype == np.float32 for block in blocks)
        voice += blocks
        behind = max(behind, index + 1 - len(voice))
        back += [from_voice.convert(block).copy() for block in blocks]
    assert behind <= 5, "10 ms for every 10 ms, after a fixed delay"
    assert noise_to_signal_db(np.concatenate(voice)[9600:], 48_000) < -90
    assert all(block.shape[1] == channels for block in back)
    assert noise_to_signal_db(np.concatenate(back)[rate_hz // 5 :, 0], rate_hz) < -85


def test_at_48_khz_samples_are_not_touched() -> None:
    frames = sine(48_000, 0.01)
    (block,) = VoiceFromDevice(48_000).convert(frames)
    np.testing.assert_array_equal(block, frames[:, 0])
    np.testing.assert_array_equal(DeviceFromVoice(48_000, 2).convert(block)[:, 1], block)


def test_odd_pieces_are_put_together() -> None:
    frames = sine(48_000, 0.1)
    voice = VoiceFromDevice(48_000)
    random = np.random.default_rng(7)
    blocks: list[Samples] = []
    at = 0
    while at < len(frames):
        step = int(random.integers(1, 700))
        blocks += voice.convert(frames[at : at + step])
        at += step
    joined = np.concatenate(blocks)
    np.testing.assert_array_equal(joined, frames[: len(joined), 0])
    assert len(frames) - len(joined) < 480


def test_a_channel_can_be_chosen() -> None:
    frames = np.stack((np.full(480, 0.5), np.full(480, -0.1)), axis=1).astype(np.float32)
    (block,) = VoiceFromDevice(48_000, 2, 2).convert(frames)
    np.testing.assert_allclose(block, -0.1, rtol=1e-6)
