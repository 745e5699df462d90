"""The devices that a session begins with."""

import asyncio
import functools
from collections.abc import Callable
from typing import TypeVar

from blink_cli.audio.devices.interface import InputDevice, OutputDevice
from blink_cli.audio.devices.opener import DeviceOpener
from blink_cli.core.errors import DeviceError
from blink_cli.core.events import DeviceLost, Event
from blink_cli.core.session_options import SessionOptions

_Device = TypeVar("_Device", InputDevice, OutputDevice)


async def open_first_devices(
    opener: DeviceOpener, options: SessionOptions
) -> tuple[InputDevice, OutputDevice, list[Event]]:
    """The devices of the options. `default` without any audio system is silence, with a word about it; a name is an error."""
    input_device, input_lost = await _open(opener.open_input, options.input, "input", "silence")
    output_device, output_lost = await _open(
        functools.partial(opener.open_output, beside=input_device.parameters.name),
        options.output,
        "output",
        "null",
    )
    return input_device, output_device, [*input_lost, *output_lost]


async def _open(
    open_device: Callable[[str], _Device], name: str, direction: str, replacement: str
) -> tuple[_Device, list[Event]]:
    try:
        return await asyncio.to_thread(open_device, name), []
    except DeviceError as reason:
        if name != "default":
            raise
        lost = DeviceLost(
            direction=direction, device="default", reason=reason.message, replacement=replacement
        )
        return open_device(replacement), [lost]
