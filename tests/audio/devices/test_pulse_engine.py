"""The engine on a sound server, where the server is not needed: what goes wrong in its thread."""

import threading
from collections.abc import Callable

import numpy as np
import pytest
from typing_extensions import override

from blink_cli.audio.devices import libpulse, pulse
from blink_cli.audio.devices.engine import BlockCallback
from blink_cli.audio.devices.pulse import PulseEngine
from blink_cli.audio.devices.pulse_connection import ServerDevice, SoundServerHangsError
from blink_cli.audio.devices.system_device import SystemDeviceInfo
from blink_cli.core.api.device_name import NamedDevice

pytestmark = pytest.mark.no_clock

SINK = ServerDevice(
    SystemDeviceInfo(
        name="sink",
        host_api="PulseAudio",
        inputs=0,
        outputs=1,
        default_input=False,
        default_output=True,
        sample_rate=48_000.0,
        description="Speakers",
    ),
    libpulse.ChannelMap(),
)


def test_a_server_that_answers_too_slowly_is_an_error_with_a_hint(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = threading.Event()

    class Slow(PulseEngine):
        @override
        def _run(self, callback: BlockCallback, begun: Callable[[], None], stopping: threading.Event) -> None:
            del callback, begun
            stopping.wait(10)
            ended.set()

    monkeypatch.setattr(pulse, "START_S", 0.01)
    with pytest.raises(SoundServerHangsError, match="did not start the output sink") as raised:
        Slow("output", NamedDevice("sink"), SINK).start(lambda _block, _latency_s: None)
    assert raised.value.hint
    assert ended.wait(10), "the thread was told to end"


def test_a_fault_of_ours_inside_the_library_is_not_lost() -> None:
    class Faulty(pulse._Stream):
        def __init__(self) -> None:
            self.fault = None
            self.calls = 0

        @override
        def _connect(self, target: bytes | None, flags: int) -> int:
            raise AssertionError("this stream is never opened")

        @override
        def _data(self, _stream: object, size: int, _data: object) -> None:
            self.calls += 1
            raise ZeroDivisionError

    stream = Faulty()
    callback = libpulse.SizeCallback(stream._data_came)
    for _ in range(3):
        callback(None, np.uint64(4), None)
    assert isinstance(stream.fault, ZeroDivisionError)
    assert stream.calls == 1
