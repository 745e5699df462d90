"""The devices that a session begins with."""

import asyncio

from blink_cli.audio.devices.interface import InputDevice, OutputDevice
from blink_cli.audio.devices.opener import DeviceOpener
from blink_cli.core.errors import DeviceError
from blink_cli.core.events import DeviceLost, Event
from blink_cli.core.session_options import SessionOptions


async def open_first_devices(
    opener: DeviceOpener, options: SessionOptions
) -> tuple[InputDevice, OutputDevice, list[Event]]:
    """The devices of the options. `default` without any audio system is silence, with a word about it; a name is an error."""
    losses: list[Event] = []
    try:
        input_device = await asyncio.to_thread(opener.open_input, options.input)
    except DeviceError as reason:
        if options.input != "default":
            raise
        input_device = opener.open_input("silence")
        losses.append(
            DeviceLost(direction="input", device="default", reason=reason.message, replacement="silence")
        )
    try:
        output_device = await asyncio.to_thread(opener.open_output, options.output)
    except DeviceError as reason:
        if options.output != "default":
            raise
        output_device = opener.open_output("null")
        losses.append(
            DeviceLost(direction="output", device="default", reason=reason.message, replacement="null")
        )
    return input_device, output_device, losses
