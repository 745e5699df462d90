import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from blink_cli.app import device_guard
from blink_cli.audio.devices import health
from blink_cli.audio.devices.interface import DeviceReading
from blink_cli.core.events import (
    DeviceChanged,
    DeviceLost,
    StreamFailed,
    StreamProblem,
    StreamRestored,
)
from tests.app.voice_bench import BOB, OPUS, OWN, Microphone, Opener, voice_bench
from tests.audio.parts import Ear, StallingOutput


async def test_a_microphone_that_does_not_start_is_replaced() -> None:
    async with voice_bench(input_name="broken") as bench:
        bench.voice.begin()
        lost = await bench.event(DeviceLost)
        assert (lost.direction, lost.device, lost.replacement) == ("input", "broken", "silence")
        assert "held by another program" in lost.reason
        assert (await bench.event(DeviceChanged)).device == "silence"
        bench.voice.peer_connected(BOB, OPUS)
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


async def test_a_file_that_turns_out_to_be_damaged_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "voice.flac"
    soundfile.write(path, np.random.default_rng(1).uniform(-0.5, 0.5, 48_000), 48_000)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2] + bytes(len(content) // 2))
    async with voice_bench(input_name=f"file:{path}") as bench:
        bench.voice.begin()
        bench.voice.peer_connected(BOB, OPUS)
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
        bench.voice.peer_connected(BOB, OPUS)
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
        bench.voice.peer_connected(BOB, OPUS)
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
        bench.voice.peer_connected(BOB, OPUS)
        assert (await bench.event(DeviceLost)).replacement == "silence"
        assert "default could not take over" in caplog.text


async def test_the_trouble_of_a_device_ends_with_its_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "STALLED_AFTER_S", 0.2)
    monkeypatch.setattr(health, "STARTING_S", 0.2)

    class StandingStill(StallingOutput):
        stalled = True

        def reading(self, now_s: float) -> DeviceReading:
            del now_s
            return super().reading(0.0)

    opener = Opener()
    opener.outputs["speaker"] = lambda: StandingStill("speaker", Ear())
    async with voice_bench(output_name="speaker", opener=opener) as bench:
        bench.voice.begin()
        failed = await bench.event(StreamFailed)
        assert failed.problem is StreamProblem.DEVICE_STALLED
        await bench.voice.set_output("null")
        restored = await bench.event(StreamRestored)
        assert restored == StreamRestored(did=OWN, problem=StreamProblem.DEVICE_STALLED)
        for _ in range(3):
            await bench.beat()
        assert bench.events == []
