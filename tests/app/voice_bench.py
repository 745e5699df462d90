"""A voice path with its guard, as a session has them, and devices that go wrong when the test says so."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from typing_extensions import override

from blink_cli.app.media.automuting import Automuting
from blink_cli.app.media.device_guard import DeviceGuard
from blink_cli.app.media.voice_path import VoicePath
from blink_cli.audio.devices.interface import InputDevice, OutputDevice
from blink_cli.audio.devices.opener import DeviceOpener
from blink_cli.audio.devices.plain_sounds import Tone
from blink_cli.audio.devices.virtual_input import VirtualInput
from blink_cli.core.api.events import Event
from blink_cli.core.errors import DeviceError
from blink_cli.core.ids import Did
from blink_cli.core.media.codec_settings import CodecSettings
from blink_cli.core.media.media_format import MediaFormat
from blink_cli.core.media.rtp import EncodedFrame
from blink_cli.core.media.talking import TalkingChange
from blink_cli.runtime.clock import MonotonicClock
from blink_cli.runtime.loop_bridge import LoopBridge
from blink_cli.runtime.tasks import TaskOwner
from tests.audio.parts import BrokenDevice

OWN, BOB = Did("did:key:own"), Did("did:key:bob")
OPUS = MediaFormat(opus=96, red=None, audio_level_id=None)

EventT = TypeVar("EventT")


class Opener(DeviceOpener):
    """Knows devices of the test beside the virtual ones. There is no sound system."""

    def __init__(self) -> None:
        super().__init__()
        self.inputs: dict[str, Callable[[], InputDevice]] = {"broken": BrokenDevice}
        self.outputs: dict[str, Callable[[], OutputDevice]] = {"broken": BrokenDevice}

    @override
    def open_input(self, text: str) -> InputDevice:
        if text == "default" and text not in self.inputs:
            raise DeviceError("The system has no input device.")
        return self.inputs[text]() if text in self.inputs else super().open_input(text)

    @override
    def open_output(self, text: str, *, beside: str | None = None) -> OutputDevice:
        if text == "default" and text not in self.outputs:
            raise DeviceError("The system has no output device.")
        return self.outputs[text]() if text in self.outputs else super().open_output(text, beside=beside)


class Microphone(VirtualInput):
    """A tone; something goes wrong with it when the test says so."""

    def __init__(self, name: str) -> None:
        super().__init__(name, Tone(440))
        self.lose_voice: Exception | None = None

    @override
    def ready_s(self, frames: int, now_s: float) -> float:
        if self.lose_voice is not None:
            raise self.lose_voice
        return super().ready_s(frames, now_s)


class VoiceBench:
    """Observes the voice path as a call's media do, and beats as they do."""

    def __init__(self, opener: Opener, tasks: TaskOwner, input_name: str, output_name: str) -> None:
        self.opener = opener
        self.tasks = tasks
        self.voice = VoicePath(
            opener=opener,
            input_device=opener.open_input(input_name),
            output_device=opener.open_output(output_name),
            codec=CodecSettings(),
            tasks=tasks,
            events=self,
        )
        self.automute = Automuting(OWN, self.voice.set_automuted, self._publish, MonotonicClock())
        self.events: list[Event] = []
        self.frames: list[EncodedFrame] = []
        self.guard = DeviceGuard(OWN, self.voice, self._publish, tasks)
        self._news = asyncio.Event()
        self._bridge = LoopBridge()

    async def event(self, kind: type[EventT]) -> EventT:
        """Beat until an event of this kind comes, and take it with all before it."""
        while True:
            for at, event in enumerate(self.events):
                if isinstance(event, kind):
                    del self.events[: at + 1]
                    return event
            await self.beat()

    async def frame(self) -> EncodedFrame:
        """Wait for the next frame that is sent."""
        before = len(self.frames)
        while len(self.frames) == before:
            await self.beat()
        return self.frames[before]

    async def beat(self) -> None:
        """Let the guard look, then wait for news or a moment."""
        now_s = time.monotonic()
        self.guard.look(self.voice.source_statistics(now_s), self.voice.mixer_statistics(now_s), now_s)
        self._news.clear()
        try:
            await asyncio.wait_for(self._news.wait(), 0.02)
        except TimeoutError:
            return

    def _publish(self, event: Event) -> None:
        self.events.append(event)
        self._news.set()

    def peer_connected(self) -> None:
        """Somebody is there, as when a link stands."""
        self.voice.play(OPUS)
        self.voice.start_devices()

    # VoiceEvents

    def frame_encoded(self, frame: EncodedFrame) -> None:
        self._bridge.call(self._take, frame)

    def _take(self, frame: EncodedFrame) -> None:
        self.frames.append(frame)
        self._news.set()

    def talking_changed(self, change: TalkingChange, at_s: float) -> None:
        pass

    def device_failed(self, direction: str, reason: str) -> None:
        self.guard.replace(direction, reason)


@asynccontextmanager
async def voice_bench(
    input_name: str = "tone:440", output_name: str = "null", opener: Opener | None = None
) -> AsyncIterator[VoiceBench]:
    """Make one, and stop what it started."""
    async with asyncio.timeout(20), TaskOwner("test") as tasks:
        bench = VoiceBench(opener or Opener(), tasks, input_name, output_name)
        try:
            yield bench
        finally:
            await bench.voice.aclose()
