"""Watches the two devices of a running call: one that is gone is replaced, one that stands still or is silent is told, once.

readings, ten times a second --> DeviceWatch per direction --> DeviceLost + another device | StreamFailed, StreamRestored

A sound server may move the stream of an unplugged device to another one and say nothing (docs/devices.md): then nothing is to be done here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from blink_cli.app.voice_path import VoicePath
from blink_cli.audio.devices.health import DeviceRecovered, DeviceTrouble, DeviceWatch, Trouble
from blink_cli.audio.devices.interface import DeviceReading, InputDevice, OutputDevice
from blink_cli.core.errors import BlinkError
from blink_cli.core.events import (
    DeviceChanged,
    DeviceLost,
    Event,
    StreamFailed,
    StreamProblem,
    StreamRestored,
)
from blink_cli.core.names import Did
from blink_cli.net.tasks import TaskOwner

FALLBACKS: Final = {"input": ("default", "silence"), "output": ("default", "null")}
"""What takes over, in this order: the system's choice, else nothing that can fail."""

PROBLEMS: Final = {
    Trouble.STALLED: StreamProblem.DEVICE_STALLED,
    Trouble.ONLY_ZEROS: StreamProblem.DIGITAL_SILENCE,
}


@dataclass(slots=True)
class _Watched:
    device: InputDevice | OutputDevice
    watch: DeviceWatch
    replacing: bool = False


class DeviceGuard:
    """Belongs to the event loop; used while media run."""

    def __init__(
        self, own: Did, voice: VoicePath, publish: Callable[[Event], None], tasks: TaskOwner
    ) -> None:
        self._own = own
        self._voice = voice
        self._publish = publish
        self._tasks = tasks
        self._watched: dict[str, _Watched] = {}

    def forget(self) -> None:
        """The media have stopped."""
        self._watched = {}

    def look(self, now_s: float) -> None:
        """Read both devices; to be called a few times a second."""
        source = self._voice.source_statistics(now_s)
        if source is not None:
            self._observe("input", self._voice.input_device, source.reading, now_s, silent_s=source.silent_s)
        mixer = self._voice.mixer_statistics(now_s)
        if mixer is not None:
            self._observe("output", self._voice.output_device, mixer.reading, now_s, silent_s=0.0)

    def _observe(
        self,
        direction: str,
        device: InputDevice | OutputDevice,
        reading: DeviceReading,
        now_s: float,
        *,
        silent_s: float,
    ) -> None:
        watched = self._watched.get(direction)
        if watched is None or watched.device is not device:
            watched = self._watched[direction] = _Watched(device, DeviceWatch(device.parameters, now_s))
        change = watched.watch.observe(reading, now_s, silent_s=silent_s)
        if isinstance(change, DeviceRecovered) and change.kind in PROBLEMS:
            self._publish(StreamRestored(did=self._own, problem=PROBLEMS[change.kind]))
        if not isinstance(change, DeviceTrouble):
            return
        if change.kind is not Trouble.GONE:
            self._publish(StreamFailed(did=self._own, reason=change.reason, problem=PROBLEMS[change.kind]))
        elif not watched.replacing:
            watched.replacing = True
            name = device.parameters.name
            self._tasks.start(self._replace(direction, name, change.reason), name=f"replace {direction}")

    async def _replace(self, direction: str, lost: str, reason: str) -> None:
        change = self._voice.set_input if direction == "input" else self._voice.set_output
        for candidate in FALLBACKS[direction]:
            try:
                replacement = await change(candidate)
            except BlinkError:
                continue  # the next one; the last cannot fail
            self._publish(
                DeviceLost(direction=direction, device=lost, reason=reason, replacement=replacement)
            )
            self._publish(DeviceChanged(direction=direction, device=replacement))
            return
        self._publish(DeviceLost(direction=direction, device=lost, reason=reason, replacement=None))
