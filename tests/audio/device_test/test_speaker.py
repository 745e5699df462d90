"""Playing tones to try a speaker, in virtual time."""

import numpy as np
import pytest
from typing_extensions import override

from blink_cli.audio.device_test.findings import output_findings
from blink_cli.audio.device_test.speaker import OutputTried, Part, channel_name, play, recording, tones
from blink_cli.audio.devices.interface import DeviceParameters
from blink_cli.audio.devices.virtual_output import VirtualOutput
from blink_cli.audio.samples import Samples
from blink_cli.core.errors import DeviceError
from tests.audio.device_test.parts import EagerClock, words
from tests.audio.parts import Ear

pytestmark = pytest.mark.no_clock


class Stereo(VirtualOutput):
    """Two channels, and everything that was written to them."""

    def __init__(self, drift_ppm: float = 0.0) -> None:
        self.ear = Ear()
        super().__init__("two speakers", self.ear, drift_ppm)
        self._parameters = DeviceParameters("two speakers", 48_000, channels=2, virtual=False)
        self.written: list[Samples] = []

    @override
    def write(self, frames: Samples) -> int:
        self.written.append(frames.copy())
        return super().write(frames)


def tried(device: VirtualOutput, parts: list[Part]) -> tuple[OutputTried, list[Part]]:
    announced: list[Part] = []
    return play(device, parts, EagerClock(), announced.append), announced


def level(samples: Samples, frequency_hz: float) -> float:
    seconds = np.arange(len(samples)) / 48_000
    return float(2 * abs(np.mean(samples * np.exp(-2j * np.pi * frequency_hz * seconds))))


def test_each_channel_has_its_own_tone_after_it_was_announced() -> None:
    device = Stereo()
    result, announced = tried(device, tones((1, 2), 1.0, 48_000))
    assert [part.channel for part in announced] == [1, 2]
    heard = np.concatenate(device.written)
    left, right = heard[:, 0], heard[:, 1]
    assert level(left, 440.0) > 0.05
    assert level(right, 554.37) > 0.05
    assert level(right, 440.0) < 0.001
    loud_left, loud_right = np.flatnonzero(np.abs(left) > 0.01), np.flatnonzero(np.abs(right) > 0.01)
    assert loud_left[-1] < loud_right[0], "one after the other"
    assert np.abs(np.diff(heard, axis=0)).max() < 0.03, "nothing clicks"
    assert output_findings(result) == ()


def test_one_channel_alone() -> None:
    device = Stereo()
    tried(device, tones((2,), 0.5, 48_000))
    heard = np.concatenate(device.written)
    assert not heard[:, 0].any()
    assert heard[:, 1].any()


def test_a_recording_is_on_all_channels() -> None:
    device, voice = Stereo(), words(1.0)
    tried(device, recording(voice, 48_000))
    heard = np.concatenate(device.written)
    assert np.array_equal(heard[:, 0], heard[:, 1])
    first = int(np.flatnonzero(heard[:, 0])[0])
    assert np.array_equal(heard[first : first + len(voice), 0], voice)
    assert recording(np.zeros(0, np.float32), 48_000) == []


def test_a_clock_that_is_off_is_measured() -> None:
    result, _ = tried(Stereo(drift_ppm=-300.0), tones((1,), 3.0, 48_000))
    assert result.rate is not None
    assert result.rate.off_ppm(48_000) == pytest.approx(-300, abs=2)


class Dry(Stereo):
    """Its thread was away for a second in the middle."""

    away = False

    @override
    def ready_s(self, now_s: float) -> float:
        if self._clock.frames == 96_000 and not self.away:
            self.away = True
            assert self._clock.start_s is not None
            self._clock.start_s -= 1.0
        return super().ready_s(now_s)


def test_sound_that_was_missing_is_a_fault() -> None:
    result, _ = tried(Dry(), tones((1,), 3.0, 48_000))
    (found, *_) = output_findings(result)
    assert found.code == "underruns"
    assert found.fault
    assert result.lost_s == pytest.approx(1.0, abs=0.03)


class Wedged(Stereo):
    """Takes nothing."""

    @override
    def ready_s(self, now_s: float) -> float:
        return now_s + 1.0


def test_a_speaker_that_takes_nothing_is_an_error_and_is_let_go() -> None:
    device = Wedged()
    with pytest.raises(DeviceError, match="takes nothing"):
        tried(device, tones((1,), 1.0, 48_000))
    assert device.position_s(2000.0) is None


def test_names_of_channels() -> None:
    assert [channel_name(n, 2) for n in (1, 2)] == ["left", "right"]
    assert channel_name(3, 6) == "channel 3"
    assert channel_name(1, 1) == "mono"
