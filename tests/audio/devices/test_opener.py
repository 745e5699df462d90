from pathlib import Path

import numpy as np
import pytest
import soundfile

from blink_cli.audio.devices.opener import DeviceOpener
from blink_cli.core.errors import BlinkError, DeviceError, UsageError

pytestmark = pytest.mark.no_clock(sockets=True)


def test_virtual_devices_are_opened_by_name_and_keep_it(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros(10), 48_000)
    opener = DeviceOpener()
    for name in (f"file:{tmp_path}/a.wav?loop=1", "tone:440", "silence?ppm=3"):
        assert opener.open_input(name).parameters.name == name
    for name in (f"wav:{tmp_path}/b.wav", "null"):
        assert opener.open_output(name).parameters.name == name


def test_a_wav_file_is_begun_once_a_session(tmp_path: Path) -> None:
    path = tmp_path / "out.wav"
    opener = DeviceOpener()
    for _ in range(3):
        device = opener.open_output(f"wav:{path}")
        device.start(0.0)
        device.write(np.full((480, 1), 0.5, dtype=np.float32))
        device.stop()
        opener.open_output("null")
    assert soundfile.info(path).frames == 3 * 480
    next_session = DeviceOpener().open_output(f"wav:{path}")
    assert soundfile.info(path).frames == 3 * 480
    next_session.start(0.0)
    next_session.stop()
    assert soundfile.info(path).frames == 0


def test_a_wav_file_in_use_is_refused(tmp_path: Path) -> None:
    opener = DeviceOpener()
    device = opener.open_output(f"wav:{tmp_path}/out.wav")
    device.start(0.0)
    with pytest.raises(DeviceError, match="being written already"):
        opener.open_output(f"wav:{tmp_path}/../{tmp_path.name}/out.wav")
    device.stop()


def test_what_the_microphone_plays_is_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "voice.wav"
    soundfile.write(path, np.zeros(480), 48_000)
    before = path.read_bytes()
    with pytest.raises(DeviceError, match="what the microphone plays"):
        DeviceOpener().open_output(f"wav:{tmp_path}/./voice.wav", beside=f"file:{path}?loop=1")
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("direction", "name", "kind"),
    [
        ("input", "file:/nowhere/voice.wav", DeviceError),
        ("input", "null", UsageError),
        ("output", "tone:440", UsageError),
        ("output", "wav:/nowhere/out.wav", DeviceError),
    ],
)
def test_errors_are_sentences_with_a_hint(direction: str, name: str, kind: type[BlinkError]) -> None:
    opener = DeviceOpener()
    with pytest.raises(kind) as caught:
        opener.open_input(name) if direction == "input" else opener.open_output(name)
    assert caught.value.message.endswith((".", "directory"))
    assert caught.value.hint


def test_a_link_in_the_place_of_a_wav_file_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "way").symlink_to("folder")
    (tmp_path / "folder" / "out.wav").symlink_to(tmp_path / "elsewhere.wav")
    with pytest.raises(DeviceError, match="symbolic link"):
        DeviceOpener().open_output(f"wav:{tmp_path}/way/out.wav")
    (tmp_path / "folder" / "out.wav").unlink()
    device = DeviceOpener().open_output(f"wav:{tmp_path}/way/out.wav")
    device.start(0.0)
    device.stop()
    assert soundfile.info(tmp_path / "folder" / "out.wav").frames == 0
