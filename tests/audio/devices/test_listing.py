import sys
from pathlib import Path

import pytest

from blink_cli.audio.devices.listing import system_devices
from blink_cli.core.errors import DeviceError
from tests.support.sound_server import SoundServer

pytestmark = pytest.mark.no_clock(sockets=True)


@pytest.mark.sound
def test_what_the_sound_server_has_is_listed_now_and_not_as_it_was(sound_server: SoundServer) -> None:
    listed = system_devices()
    devices = {device.name: device for device in listed}
    assert {"left", "left.monitor", "right", "right.monitor", "left_monitor", "default"} <= set(devices)
    left = devices["left"]
    assert (left.host_api, left.inputs, left.outputs, left.description) == (
        "PulseAudio",
        0,
        2,
        "Null Output",
    )
    assert devices["left_monitor"].host_api == "ALSA"
    assert [device.name for device in listed if device.default_output] == ["left"]
    assert [device.name for device in listed if device.default_input] == ["left.monitor"]
    assert [device.monitor for device in listed[:4]] == [False, False, True, True]
    sound_server.plug_in("later")
    try:
        assert "later" in {device.name for device in system_devices()}
    finally:
        sound_server.unplug("later")


def test_without_portaudio_the_error_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What sounddevice does where the library is missing.
    (tmp_path / "sounddevice.py").write_text("raise OSError('PortAudio library not found')")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{Path.cwd()}")
    monkeypatch.setenv("PULSE_SERVER", "unix:/nowhere/native")
    with pytest.raises(DeviceError, match="PortAudio library not found") as caught:
        system_devices()
    assert caught.value.hint is not None
    assert "install" in caught.value.hint
    assert "file:" in caught.value.hint


def test_a_sound_system_that_crashes_or_hangs_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULSE_SERVER", "unix:/nowhere/native")
    program = tmp_path / "python"
    monkeypatch.setattr(sys, "executable", str(program))
    program.write_text("#!/bin/sh\necho broken pipe to the sound server >&2\nexit 3\n")
    program.chmod(0o700)
    with pytest.raises(DeviceError, match="broken pipe to the sound server"):
        system_devices()
    monkeypatch.setattr("blink_cli.audio.devices.listing.TIMEOUT_S", 0.1)
    program.write_text("#!/bin/sh\nexec sleep 10\n")
    with pytest.raises(DeviceError, match="did not say"):
        system_devices()
