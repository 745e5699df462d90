"""What is wrong with a device, seen from outside: gone, standing still, or delivering nothing but zeros.

    reading, silent_s, now ──> DeviceWatch ──> what changed: DeviceRecovered, DeviceTrouble

Device callbacks cannot say any of this themselves: the one that would is the one that no longer comes.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from blink_cli.audio.devices.interface import DeviceParameters, DeviceReading

STALLED_AFTER_S: Final = 1.0
"""Longer than any sound server's period; PulseAudio takes 50 ms at worst while it plays."""

STARTING_S: Final = 3.0
"""A sound server whose device slept may take two seconds until its first callback (PulseAudio's null sink does)."""

ZEROS_AFTER_S: Final = 5.0
"""Even a quiet microphone has noise in its lowest bit. Exact zeros for this long are a switch, or a missing permission: macOS delivers
zeros and no error (sounddevice issue 267)."""


class Trouble(Enum):
    """Kinds of trouble."""

    GONE = "gone"
    """The stream has ended; it has to be opened again."""

    STALLED = "stalled"
    """No frames move; it may come back by itself."""

    ONLY_ZEROS = "only_zeros"
    """An input delivers digital silence."""


class DeviceTrouble(msgspec.Struct, frozen=True):
    """A device began to be in trouble."""

    kind: Trouble
    reason: str
    """A sentence for the user."""


class DeviceRecovered(msgspec.Struct, frozen=True):
    """The trouble is over."""

    kind: Trouble


class DeviceWatch:
    """Watches one device for as long as it is in use; make another one for another device. Feed it a few times a second."""

    def __init__(self, parameters: DeviceParameters, now_s: float) -> None:
        self._parameters = parameters
        self._started_s = now_s
        self._frames: int | None = None
        self._moved_s = now_s
        self._moved_once = False
        self.trouble: DeviceTrouble | None = None
        """What is wrong now."""

    def observe(
        self, reading: DeviceReading, now_s: float, *, silent_s: float = 0.0
    ) -> tuple[DeviceTrouble | DeviceRecovered, ...]:
        """Take one reading and return what changed: the end of a trouble, the beginning of another, or both.

        Args:
            reading: Of the device.
            now_s: When.
            silent_s: For an input, how long nothing but zeros has come. What came before this device is not its fault.

        """
        if self._frames is None or reading.frames != self._frames:
            self._moved_once = self._frames is not None
            self._frames = reading.frames
            self._moved_s = now_s
        found = self._find(reading, now_s, min(silent_s, now_s - self._started_s))
        known, self.trouble = self.trouble, found
        if known is not None and found is not None and known.kind is found.kind:
            return ()
        ended = () if known is None else (DeviceRecovered(known.kind),)
        return ended if found is None else (*ended, found)

    def _find(self, reading: DeviceReading, now_s: float, silent_s: float) -> DeviceTrouble | None:
        name = _where(self._parameters, reading)
        if reading.failure is not None:
            return DeviceTrouble(Trouble.GONE, reading.failure)
        if not reading.running:
            return None
        patience_s = STALLED_AFTER_S if self._moved_once else STARTING_S
        if now_s - self._moved_s > patience_s:
            return DeviceTrouble(
                Trouble.STALLED, f"{name} has stood still for {now_s - self._moved_s:.0f} s."
            )
        if not self._parameters.virtual and silent_s > ZEROS_AFTER_S:
            return DeviceTrouble(
                Trouble.ONLY_ZEROS,
                f"{name} delivers only digital silence: is it switched off, or is a permission missing?",
            )
        return None


def _where(parameters: DeviceParameters, reading: DeviceReading) -> str:
    """Return the device that is spoken of: the one that the server moved the sound to, not the one that it left. `default` moves by itself."""
    if reading.place is None or parameters.name.partition("?")[0] in ("default", reading.place.name):
        return parameters.name
    return reading.place.name
