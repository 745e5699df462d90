"""Recording from a microphone to try it, in virtual time."""

import numpy as np
import pytest
from msgspec.structs import replace
from typing_extensions import override

from blink_cli.audio.device_test.findings import input_findings
from blink_cli.audio.device_test.microphone import InputRecording, record
from blink_cli.audio.devices.interface import DevicePlace, DeviceReading, InputDevice
from blink_cli.audio.devices.plain_sounds import Silence, Tone
from blink_cli.audio.devices.virtual_input import Sound, VirtualInput
from blink_cli.core.errors import DeviceError
from tests.audio.device_test.parts import ArraySound, EagerClock, words

pytestmark = pytest.mark.no_clock


def recorded(device: InputDevice, seconds: float = 4.0) -> InputRecording:
    return record(device, seconds, EagerClock(), lambda _: None)


def of(sound: Sound, drift_ppm: float = 0.0) -> VirtualInput:
    return VirtualInput("a microphone", sound, drift_ppm)


def codes(recording: InputRecording, platform: str = "linux") -> list[str]:
    return [finding.code for finding in input_findings(recording, platform)]


def test_speech_is_right_and_comes_out_as_it_went_in() -> None:
    spoken = words(4.0)
    recording = recorded(of(ArraySound(spoken)))
    assert codes(recording) == []
    assert recording.gaps == 0
    assert recording.seconds == pytest.approx(4.0, abs=0.011)
    assert np.array_equal(recording.voice[: len(spoken)], spoken[: len(recording.voice)])
    assert len(recording.levels_dbov) == 80


def test_the_level_is_shown_while_it_runs() -> None:
    shown: list[float] = []
    record(of(Tone(440)), 2.0, EagerClock(), lambda now: shown.append(now.level_dbov))
    assert 35 <= len(shown) <= 41
    assert shown[10] == pytest.approx(-23.0, abs=0.2)


def test_a_clock_that_is_off_is_measured() -> None:
    rate = recorded(of(Tone(440), drift_ppm=250.0)).rate
    assert rate is not None
    assert rate.off_ppm(48_000) == pytest.approx(250, abs=1)
    assert codes(recorded(of(Tone(440), drift_ppm=250.0))) == []
    assert codes(recorded(of(Tone(440), drift_ppm=9_000.0))) == ["wrong_rate"]


@pytest.mark.parametrize(
    ("sound", "code"),
    [
        (Silence(), "only_zeros"),
        (ArraySound(words(4.0, loud=0.0002, soft=0.0001)), "nothing_heard"),
        (ArraySound(np.clip(words(4.0, loud=0.8), -1, 1)), "clipped"),
        (ArraySound(words(4.0, loud=0.1, soft=0.02)), "noisy"),
        (ArraySound(words(4.0, loud=0.004, soft=0.0003)), "soft"),
        (ArraySound(words(4.0, loud=0.02, soft=0.008)), "no_voice"),
        (ArraySound(words(4.0) + np.float32(0.1)), "offset"),
    ],
)
def test_what_is_wrong_is_named(sound: Sound, code: str) -> None:
    found = input_findings(recorded(of(sound)), "linux")
    assert code in [finding.code for finding in found]
    assert all(finding.sentence.endswith(".") and finding.remedy.endswith(".") for finding in found)


class Deaf(VirtualInput):
    """A real microphone that somebody switched off."""

    def __init__(self) -> None:
        super().__init__("Built-in Microphone", Silence())
        self._parameters = type(self._parameters)(self._parameters.name, 48_000, channels=1, virtual=False)


def test_zeros_of_a_real_microphone_are_a_missing_permission_on_macos() -> None:
    recording = recorded(Deaf())
    (on_mac,) = input_findings(recording, "darwin")
    assert on_mac.code == "only_zeros"
    assert on_mac.fault
    assert "Privacy & Security" in on_mac.remedy
    (on_linux,) = input_findings(recording, "linux")
    assert "pactl" in on_linux.remedy


def test_zeros_of_a_monitor_are_a_speaker_on_which_nothing_plays() -> None:
    recording = replace(recorded(Deaf()), place=DevicePlace("speaker.monitor"))
    (found,) = input_findings(recording, "linux")
    assert (found.code, found.fault) == ("only_zeros", True)
    assert "monitor of a speaker" in found.sentence
    assert "pactl" not in found.remedy


class Stumbling(VirtualInput):
    """Loses a quarter of a second in the middle."""

    @override
    def ready_s(self, frames: int, now_s: float) -> float:
        if self._clock.frames == 96_000:
            self._sound.skip(12_000)
            self._clock.frames += 12_000
        return super().ready_s(frames, now_s)


def test_missing_sound_is_a_gap_and_does_not_spoil_the_rate() -> None:
    recording = recorded(Stumbling("a microphone", Tone(440)))
    assert recording.gaps == 1
    assert recording.missing_s == pytest.approx(0.25, abs=0.001)
    assert recording.rate is not None
    assert abs(recording.rate.off_ppm(48_000)) < 1
    (found,) = input_findings(recording)
    assert found.code == "gaps"
    assert "250 ms in 1 gap." in found.sentence


class Dead(VirtualInput):
    """Starts, and never delivers anything."""

    @override
    def ready_s(self, frames: int, now_s: float) -> float:
        return now_s + 1.0


class Unplugged(VirtualInput):
    """Is pulled out after a second."""

    @override
    def ready_s(self, frames: int, now_s: float) -> float:
        return now_s + 0.01 if self._clock.frames >= 48_000 else super().ready_s(frames, now_s)

    @override
    def reading(self, now_s: float) -> DeviceReading:
        if self._clock.frames >= 48_000:
            self._failure = "The sound system ended the input device."
        return super().reading(now_s)


def test_a_microphone_that_delivers_nothing_is_an_error_and_is_let_go() -> None:
    for device, sentence in (
        (Dead("a microphone", Tone(440)), "delivers nothing"),
        (Unplugged("a microphone", Tone(440)), "ended the input device"),
    ):
        with pytest.raises(DeviceError, match=sentence):
            recorded(device)
        assert device.position_s(2000.0) is None, "stopped"


def test_whoever_gives_up_is_heard_while_nothing_comes() -> None:
    def give_up() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        record(Dead("a microphone", Tone(440)), 2.0, EagerClock(), lambda _: None, give_up)
