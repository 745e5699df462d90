"""What is said of microphones and speakers, and how fast they are found to move."""

import threading
import time
from pathlib import Path

import numpy as np
import pytest

from blink_cli.app.profile.profile import find_profile
from blink_cli.app.profile.settings import Settings
from blink_cli.audio.device_test.rate_meter import MeasuredRate
from blink_cli.audio.devices.engine import BlockCallback
from blink_cli.audio.devices.interface import DeviceParameters, DevicePlace
from blink_cli.audio.devices.opener import DeviceOpener
from blink_cli.audio.devices.system_input import SystemInput
from blink_cli.core.api.session_options import SessionOptions
from blink_cli.doctor.audio_devices import _rate, listen, look
from blink_cli.doctor.situation import Situation


class Soundcard:
    """An engine whose device says 48 kHz and moves at another rate."""

    raised_latency_s: float | None = None
    lost_frames = 0
    failure: str | None = None
    place: DevicePlace | None = None

    def __init__(self, true_hz: float) -> None:
        self._true_hz = true_hz
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def parameters(self) -> DeviceParameters:
        return DeviceParameters("card", 48_000, 1, virtual=False)

    @property
    def running(self) -> bool:
        return self._thread is not None

    def start(self, callback: BlockCallback) -> None:
        self._thread = threading.Thread(target=self._run, args=(callback,))
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _run(self, callback: BlockCallback) -> None:
        block = np.full((480, 1), 0.25, np.float32)
        due_s = time.monotonic()
        while not self._stopping.wait(max(0.0, due_s - time.monotonic())):
            callback(block, None)
            due_s += len(block) / self._true_hz


@pytest.mark.real_time
@pytest.mark.parametrize("true_hz", [48_000.0, 44_100.0])
def test_the_rate_of_a_device_is_measured(true_hz: float) -> None:
    heard = listen(SystemInput(Soundcard(true_hz)))
    assert heard.rate is not None
    assert heard.rate.rate_hz == pytest.approx(true_hz, rel=0.01)
    assert heard.peak_dbfs == pytest.approx(-12.04, abs=0.01)


@pytest.mark.real_time
def test_a_tone_is_heard_as_loud_as_it_is() -> None:
    heard = listen(DeviceOpener().open_input("tone:440?ppm=10000"), seconds=0.8)
    assert heard.rms_dbfs == pytest.approx(-23.0, abs=0.1)
    assert heard.rate is not None
    assert heard.rate.rate_hz == pytest.approx(48_480, rel=0.004)


@pytest.mark.no_clock
@pytest.mark.parametrize(
    ("rate", "level"),
    [
        (None, "ok"),
        (MeasuredRate(48_010.0, 20.0, 0.0), "ok"),
        (MeasuredRate(44_100.0, 20.0, 0.0), "failed"),
        (MeasuredRate(29_297.0, 9_000.0, 0.5), "ok"),
    ],
)
def test_a_rate_that_a_busy_machine_has_spoilt_is_no_wrong_one(rate: MeasuredRate | None, level: str) -> None:
    assert _rate("input", "card", 48_000, rate, None).level == level


@pytest.mark.no_clock(sockets=True)
def test_a_device_that_is_not_there_is_named_with_where_to_look(tmp_path: Path) -> None:
    options = SessionOptions(input=f"file:{tmp_path / 'missing.wav'}", output="null")
    situation = Situation(find_profile("default", tmp_path, {}), options, Settings(), None, "1")
    microphone, speaker, rate = look(situation)
    assert (microphone.name, microphone.level) == ("input", "failed")
    assert "missing.wav" in microphone.found
    assert microphone.remedy
    assert [(one.name, one.level) for one in (speaker, rate)] == [("output", "ok"), ("output-rate", "ok")]
