"""Watches the two devices of a running call: one that is gone or does not start is replaced, one that stands still or is silent is told, once.

readings, ten times a second --> DeviceWatch per direction --> DeviceLost + another device | StreamFailed, StreamRestored
a device that did not start  -------------------------------> DeviceLost + another device

A sound server may move the stream of an unplugged device to another one and say nothing (docs/devices.md): then nothing is to be done here.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from blink_cli.app.voice_path import VoicePath
from blink_cli.audio.devices.health import DeviceRecovered, DeviceWatch, Trouble
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

RECENT_S: Final = 10.0
MOST_RECENT_TRIES: Final = 2
"""How often one fallback is taken within `RECENT_S`. `default` may well be another device the second time. What is lost more often than that
suffers from something that no device mends."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Watched:
    device: InputDevice | OutputDevice
    watch: DeviceWatch


@dataclass(frozen=True, slots=True)
class _Taken:
    """A fallback that was taken into use."""

    direction: str
    name: str
    at_s: float


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
        self._replacing: dict[str, InputDevice | OutputDevice] = {}
        self._taken: list[_Taken] = []

    def forget(self) -> None:
        """The media have stopped."""
        self._watched = {}
        self._taken = []

    def look(self, now_s: float) -> None:
        """Read both devices; to be called a few times a second."""
        source = self._voice.source_statistics(now_s)
        if source is not None:
            self._observe("input", source.reading, now_s, silent_s=source.silent_s)
        mixer = self._voice.mixer_statistics(now_s)
        if mixer is not None:
            self._observe("output", mixer.reading, now_s, silent_s=0.0)

    def replace(self, direction: str, reason: str) -> None:
        """Let another device take over from the one in use, and tell why."""
        lost = self._device(direction)
        if self._replacing.get(direction) is lost:
            return
        self._replacing[direction] = lost
        self._tasks.start(self._replace(direction, lost, reason), name=f"replace {direction}")

    def _device(self, direction: str) -> InputDevice | OutputDevice:
        return self._voice.input_device if direction == "input" else self._voice.output_device

    def _observe(self, direction: str, reading: DeviceReading, now_s: float, *, silent_s: float) -> None:
        device = self._device(direction)
        watched = self._watched.get(direction)
        if watched is None or watched.device is not device:
            if watched is not None and watched.watch.trouble is not None:
                self._restored(watched.watch.trouble.kind)
            watched = self._watched[direction] = _Watched(device, DeviceWatch(device.parameters, now_s))
        for change in watched.watch.observe(reading, now_s, silent_s=silent_s):
            if isinstance(change, DeviceRecovered):
                self._restored(change.kind)
            elif change.kind is Trouble.GONE:
                self.replace(direction, change.reason)
            else:
                problem = PROBLEMS[change.kind]
                self._publish(StreamFailed(did=self._own, reason=change.reason, problem=problem))

    def _restored(self, trouble: Trouble) -> None:
        if trouble in PROBLEMS:
            self._publish(StreamRestored(did=self._own, problem=PROBLEMS[trouble]))

    async def _replace(self, direction: str, lost: InputDevice | OutputDevice, reason: str) -> None:
        try:
            replacement = await self._fall_back(direction)
        finally:
            if self._replacing.get(direction) is lost:
                del self._replacing[direction]
        name = lost.parameters.name
        self._publish(DeviceLost(direction=direction, device=name, reason=reason, replacement=replacement))
        if replacement is not None:
            self._publish(DeviceChanged(direction=direction, device=replacement))

    async def _fall_back(self, direction: str) -> str | None:
        """Return the device that was taken; None if none is left."""
        change = self._voice.set_input if direction == "input" else self._voice.set_output
        for candidate in FALLBACKS[direction]:
            if self._recently_taken(direction, candidate) >= MOST_RECENT_TRIES:
                continue
            try:
                replacement = await change(candidate)
            except BlinkError:
                continue
            except Exception:  # noqa: BLE001 - whatever it is, the next one may work
                _log.exception("%s could not take over as %s", candidate, direction)
                continue
            self._taken.append(_Taken(direction, candidate, time.monotonic()))
            return replacement
        return None

    def _recently_taken(self, direction: str, name: str) -> int:
        since_s = time.monotonic() - RECENT_S
        self._taken = [taken for taken in self._taken if taken.at_s >= since_s]
        return sum(taken.direction == direction and taken.name == name for taken in self._taken)
