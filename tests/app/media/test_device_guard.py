import asyncio
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typing_extensions import override

from blink_cli.app.media import device_guard
from blink_cli.audio.devices import health
from blink_cli.audio.devices.interface import DeviceReading
from blink_cli.audio.devices.system_engines import Direction
from blink_cli.core.api.events import (
    DeviceChanged,
    DeviceLost,
    StreamFailed,
    StreamProblem,
    StreamRestored,
)
from tests.app.voice_bench import OWN, Microphone, Opener, voice_bench
from tests.audio.parts import Ear, StallingOutput

pytestmark = pytest.mark.real_time


async def test_a_microphone_that_does_not_start_is_replaced() -> None:
    async with voice_bench(input_name="broken") as bench:
        bench.voice.begin()
        lost = await bench.event(DeviceLost)
        assert (lost.direction, lost.device, lost.replacement) == ("input", "broken", "silence")
        assert "held by another program" in lost.reason
        assert (await bench.event(DeviceChanged)).device == "silence"
        bench.peer_connected()
        await bench.frame()
        assert bench.voice.input_name == "silence"


async def test_a_speaker_that_does_not_start_is_replaced_by_the_default() -> None:
    opener = Opener()
    opener.outputs["default"] = lambda: opener.open_output("null?ppm=1")
    async with voice_bench(output_name="broken", opener=opener) as bench:
        bench.voice.begin()
        assert (await bench.event(DeviceLost)).replacement == "null?ppm=1"
        now_s = time.monotonic()
        mixer = bench.voice.mixer_statistics(now_s)
        assert mixer is not None
        assert mixer.reading.running
        await bench.event(DeviceChanged)


async def test_a_file_that_turns_out_to_be_damaged_is_replaced_and_not_by_a_microphone(
    tmp_path: Path,
) -> None:
    path = tmp_path / "voice.flac"
    soundfile.write(path, np.random.default_rng(1).uniform(-0.5, 0.5, 48_000), 48_000)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2] + bytes(len(content) // 2))
    opener = Opener()
    opener.inputs["default"] = lambda: Microphone("the room's")
    async with voice_bench(input_name=f"file:{path}", opener=opener) as bench:
        bench.voice.begin()
        bench.peer_connected()
        lost = await bench.event(DeviceLost)
        assert "is damaged" in lost.reason
        assert lost.replacement == "silence"
        await bench.frame()


async def test_a_thread_that_ends_is_told_and_started_anew(caplog: pytest.LogCaptureFixture) -> None:
    opener = Opener()
    microphone = Microphone("headset")
    opener.inputs["headset"] = lambda: microphone
    async with voice_bench(input_name="headset", opener=opener) as bench:
        bench.voice.begin()
        bench.peer_connected()
        await bench.frame()
        microphone.lose_voice = ZeroDivisionError()
        lost = await bench.event(DeviceLost)
        assert "ZeroDivisionError" in lost.reason
        assert lost.replacement == "silence"
        await bench.frame()
        assert "blink-capture ended" in caplog.text


async def test_what_no_device_mends_is_given_up(caplog: pytest.LogCaptureFixture) -> None:
    def doomed() -> Microphone:
        microphone = Microphone("doomed")
        microphone.lose_voice = ZeroDivisionError()
        return microphone

    opener = Opener()
    opener.inputs = {"default": doomed, "silence": doomed}
    async with voice_bench(input_name="default", opener=opener) as bench:
        bench.voice.begin()
        bench.peer_connected()
        replacements = [(await bench.event(DeviceLost)).replacement for _ in range(5)]
        assert replacements == ["doomed"] * 2 * device_guard.MOST_RECENT_TRIES + [None]
        # The user's own choice is still taken.
        await bench.voice.set_input("tone:440")
        await bench.frame()
        assert "blink-capture ended" in caplog.text


async def test_an_unexpected_error_of_a_fallback_leads_to_the_next_one(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def faulty() -> Microphone:
        raise ZeroDivisionError

    opener = Opener()
    opener.inputs["default"] = faulty
    async with voice_bench(input_name="broken", opener=opener) as bench:
        bench.voice.begin()
        bench.peer_connected()
        assert (await bench.event(DeviceLost)).replacement == "silence"
        assert "default could not take over" in caplog.text


async def test_the_trouble_of_a_device_ends_with_its_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "STALLED_AFTER_S", 0.2)
    monkeypatch.setattr(health, "STARTING_S", 0.2)

    class StandingStill(StallingOutput):
        stalled = True

        @override
        def reading(self, now_s: float) -> DeviceReading:
            del now_s
            return super().reading(0.0)

    opener = Opener()
    opener.outputs["speaker"] = lambda: StandingStill("speaker", Ear())
    async with voice_bench(output_name="speaker", opener=opener) as bench:
        bench.voice.begin()
        failed = await bench.event(StreamFailed)
        assert failed.problem is StreamProblem.DEVICE_STALLED
        assert failed.reason.startswith("the speaker speaker has stood still")
        await bench.voice.set_output("null")
        restored = await bench.event(StreamRestored)
        assert restored == StreamRestored(did=OWN, problem=StreamProblem.DEVICE_STALLED, direction="output")
        for _ in range(3):
            await bench.beat()
        assert bench.events == []


async def test_a_choice_goes_before_the_return_of_the_one_before_it() -> None:
    asked, answered = threading.Event(), threading.Event()

    class SlowServer(Opener):
        @override
        def served(self, direction: Direction, text: str) -> bool:
            del direction, text
            asked.set()
            return answered.wait(10)

    opener = SlowServer()
    async with voice_bench(input_name="silence", opener=opener) as bench:
        opener.inputs["headset"] = lambda: Microphone("headset")
        bench.guard.start()
        await bench.guard.choose("input", "headset")
        await bench.voice.set_input("silence")  # as when the headset was unplugged
        await asyncio.to_thread(asked.wait, 10)
        await bench.guard.choose("input", "tone:440")
        bench.events.clear()
        answered.set()
        bench.guard.end()
        while any("return" in name for name in bench.tasks.running):
            await bench.beat()
        assert bench.voice.input_name == "tone:440"
        assert bench.events == []


async def test_the_default_device_is_looked_for_again_where_there_is_no_sound_server(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(device_guard, "LOOK_FOR_CHOSEN_S", 0.02)
    monkeypatch.setattr(device_guard, "ASK_PORTAUDIO_S", 0.02)
    opener = Opener()
    opener.inputs["default"] = lambda: microphone
    microphone = Microphone("default")
    async with voice_bench(input_name="silence", opener=opener) as bench:
        bench.guard.start()
        await bench.guard.choose("input", "default")
        bench.voice.begin()
        bench.peer_connected()
        await bench.frame()
        plugged_in = opener.inputs.pop("default")
        microphone.lose_voice = ZeroDivisionError()
        assert (await bench.event(DeviceLost)).replacement == "silence"
        microphone.lose_voice = None
        opener.inputs["default"] = plugged_in
        while (await bench.event(DeviceChanged)).device != "default":
            pass
        await bench.frame()
        assert bench.voice.input_name == "default"
        bench.guard.end()
