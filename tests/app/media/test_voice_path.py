import asyncio
import threading

import pytest
from typing_extensions import override

from blink_cli.audio.devices.interface import InputDevice
from blink_cli.core.errors import DeviceError
from blink_cli.runtime.tasks import TaskOwner
from tests.app.voice_bench import Microphone, Opener, voice_bench
from tests.audio.parts import BrokenDevice

pytestmark = pytest.mark.real_time


class SlowMicrophone(Microphone):
    """Takes its time to start."""

    def __init__(self) -> None:
        super().__init__("slow")
        self.starting = threading.Event()
        self.may_start = threading.Event()

    @override
    def start(self, now_s: float) -> None:
        self.starting.set()
        assert self.may_start.wait(10)
        super().start(now_s)


class MendedDevice(Microphone):
    """Refuses its first start."""

    def __init__(self) -> None:
        super().__init__("mended")
        self.starts = 0

    @override
    def start(self, now_s: float) -> None:
        self.starts += 1
        if self.starts == 1:
            raise DeviceError("Another program holds it.")
        super().start(now_s)


def without_fallback(opener: Opener) -> Opener:
    """The guard finds nothing, so that only the voice path itself can help."""
    opener.inputs["silence"] = opener.inputs["default"] = BrokenDevice
    return opener


async def test_after_a_failed_start_another_microphone_is_heard_in_the_same_call() -> None:
    async with voice_bench(input_name="broken", opener=without_fallback(Opener())) as bench:
        bench.voice.begin()
        bench.peer_connected()
        assert await bench.voice.set_input("tone:440") == "tone:440"
        await bench.frame()


async def test_after_a_failed_start_the_next_peer_starts_the_microphone() -> None:
    opener = without_fallback(Opener())
    microphone = MendedDevice()
    opener.inputs["mended"] = lambda: microphone
    async with voice_bench(input_name="mended", opener=opener) as bench:
        bench.voice.begin()
        bench.peer_connected()
        while not bench.events:
            await bench.beat()
        assert not bench.frames
        bench.peer_connected()
        await bench.frame()
        assert microphone.starts == 2


async def test_a_change_is_carried_through_when_whoever_asked_goes_away() -> None:
    opener = Opener()
    microphone = SlowMicrophone()
    opener.inputs["slow"] = lambda: microphone
    async with voice_bench(opener=opener) as bench, TaskOwner("askers") as askers:
        bench.voice.begin()
        bench.peer_connected()
        await bench.frame()
        old: InputDevice = bench.voice.input_device
        asking = askers.start(bench.voice.set_input("slow"), name="ask")
        await asyncio.to_thread(microphone.starting.wait, 10)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await bench.frame()
        assert bench.voice.input_name == "tone:440"
        microphone.may_start.set()
        while bench.voice.input_name != "slow":
            await bench.beat()
        await bench.frame()
        assert not old.reading(0.0).running


async def test_a_microphone_that_cannot_be_used_leaves_the_old_one() -> None:
    async with voice_bench() as bench:
        bench.voice.begin()
        bench.peer_connected()
        with pytest.raises(DeviceError, match="held by another program"):
            await bench.voice.set_input("broken")
        assert bench.voice.input_name == "tone:440"
        await bench.frame()
