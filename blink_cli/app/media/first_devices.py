"""The devices that a session begins with: the ones it is told, else those chosen last in its profile, else the system's."""

from __future__ import annotations

import asyncio
import functools
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Generic, TypeVar

import msgspec

from blink_cli.audio.devices.interface import InputDevice, OutputDevice
from blink_cli.core.api.events import DeviceLost
from blink_cli.core.errors import BlinkError
from blink_cli.core.text.utc_text import utc_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from blink_cli.app.profile.device_memory import DeviceMemory, Direction
    from blink_cli.audio.devices.opener import DeviceOpener
    from blink_cli.core.api.session_options import SessionOptions

_Device = TypeVar("_Device", InputDevice, OutputDevice)


class FirstDevices(msgspec.Struct, frozen=True):
    """Two devices, not started."""

    input: InputDevice
    output: OutputDevice
    wanted: tuple[str, str]
    """Input and output as they were chosen; others may have taken their place."""

    losses: tuple[DeviceLost, ...]

    def losses_still_so(self, missed: Callable[[Direction], str | None]) -> tuple[DeviceLost, ...]:
        """Return the losses of directions in which the first choice is missed still; `missed` says what is missed now."""
        now = {"input": missed("input"), "output": missed("output")}
        wanted = dict(zip(now, self.wanted, strict=True))
        return tuple(lost for lost in self.losses if now[lost.direction] == wanted[lost.direction])

    """What is to be said of that."""


class _Opened(msgspec.Struct, Generic[_Device], frozen=True):
    device: _Device
    wanted: str
    losses: tuple[DeviceLost, ...]


async def open_first_devices(
    opener: DeviceOpener, options: SessionOptions, memory: DeviceMemory
) -> FirstDevices:
    """Open them. A remembered one that is not there, and `default` without any audio system, are replaced with a word about it.

    Raises:
        BlinkError: A device that was named in the options cannot be used.

    """
    first = await _open(
        opener.open_input, options.input, await asyncio.to_thread(memory.chosen, "input"), "input", "silence"
    )
    second = await _open(
        functools.partial(opener.open_output, beside=first.device.parameters.name),
        options.output,
        await asyncio.to_thread(memory.chosen, "output"),
        "output",
        "null",
    )
    return FirstDevices(
        first.device, second.device, (first.wanted, second.wanted), (*first.losses, *second.losses)
    )


async def _open(
    open_device: Callable[[str], _Device],
    named: str | None,
    remembered: str | None,
    direction: Direction,
    nothing: str,
) -> _Opened[_Device]:
    if named is not None and named != "default":
        device = await asyncio.to_thread(open_device, named)
        return _Opened(device, device.parameters.name, ())
    losses: list[DeviceLost] = []
    wanted = "default" if named is not None or remembered is None else remembered
    attempts = (("default", nothing),) if wanted == "default" else ((wanted, "default"), ("default", nothing))
    for candidate, replacement in attempts:
        try:
            device = await asyncio.to_thread(open_device, candidate)
        except BlinkError as reason:
            losses.append(
                DeviceLost(
                    direction=direction,
                    device=candidate,
                    reason=reason.message,
                    replacement=replacement,
                    happened_at=utc_text(datetime.now(UTC)),
                )
            )
        else:
            return _Opened(device, wanted if losses else device.parameters.name, tuple(losses))
    return _Opened(open_device(nothing), wanted, tuple(losses))
