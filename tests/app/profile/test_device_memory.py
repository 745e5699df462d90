import contextlib
import threading
from pathlib import Path

import pytest

from blink_cli.app.media.first_devices import open_first_devices
from blink_cli.app.profile import device_memory
from blink_cli.app.profile.device_memory import DeviceMemory
from blink_cli.app.profile.profile import Profile
from blink_cli.core.api.events import DeviceLost
from blink_cli.core.api.session_options import SessionOptions
from blink_cli.files.writing import write_over
from tests.app.voice_bench import Microphone, Opener

pytestmark = pytest.mark.no_clock


@pytest.fixture
def memory(tmp_path: Path) -> DeviceMemory:
    return DeviceMemory(Profile("anna", tmp_path, tmp_path))


def test_a_choice_is_kept_for_each_direction(memory: DeviceMemory) -> None:
    assert memory.chosen("input") is None
    memory.remember("input", "headset")
    memory.remember("output", "null")
    assert (memory.chosen("input"), memory.chosen("output")) == ("headset", "null")


def test_files_and_tones_are_of_one_session(memory: DeviceMemory) -> None:
    memory.remember("input", "headset")
    memory.remember("input", "tone:440")
    memory.remember("output", "wav:/tmp/precious.wav")
    assert (memory.chosen("input"), memory.chosen("output")) == ("headset", None)


def test_a_damaged_file_is_no_memory(memory: DeviceMemory, tmp_path: Path) -> None:
    (tmp_path / "devices.json").write_text('{"input": 7')
    assert memory.chosen("input") is None


async def test_a_remembered_device_that_is_not_there_is_told_and_stays_wanted(memory: DeviceMemory) -> None:
    memory.remember("input", "broken headset")
    opener = Opener()
    opener.inputs["default"] = lambda: Microphone("default")
    opener.inputs["broken headset"] = lambda: opener.open_input("file:/nowhere")
    first = await open_first_devices(opener, SessionOptions(output="null"), memory)
    assert first.input.parameters.name == "default"
    assert first.wanted == ("broken headset", "null")
    (lost,) = first.losses
    assert isinstance(lost, DeviceLost)
    assert (lost.device, lost.replacement) == ("broken headset", "default")
    assert lost.happened_at is not None
    # Who begins to listen later hears of it for as long as it is so.
    assert first.losses_still_so({"input": "broken headset", "output": None}.get) == first.losses
    assert first.losses_still_so({"input": "another one", "output": None}.get) == ()
    assert first.losses_still_so({"input": None, "output": None}.get) == ()


async def test_an_option_goes_before_the_memory(memory: DeviceMemory) -> None:
    memory.remember("input", "broken headset")
    first = await open_first_devices(Opener(), SessionOptions(input="tone:300", output="null"), memory)
    assert first.input.parameters.name == "tone:300"
    assert first.losses == ()


def test_two_choices_at_the_same_time_are_both_kept(
    memory: DeviceMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    written, both_have_read = write_over, threading.Barrier(2)

    def slow_disk(path: Path, content: bytes) -> None:
        with contextlib.suppress(threading.BrokenBarrierError):
            both_have_read.wait(0.2)  # where both may write at the same time, they meet here
        written(path, content)

    monkeypatch.setattr(device_memory, "write_over", slow_disk)
    other = threading.Thread(target=memory.remember, args=("input", "headset"))
    other.start()
    memory.remember("output", "null")
    other.join()
    assert (memory.chosen("input"), memory.chosen("output")) == ("headset", "null")
