"""Commands that look at this machine's audio devices. They work without a session."""

import asyncio
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
import typer

from blink_cli.commands.command import command
from blink_cli.commands.desk import Desk
from blink_cli.commands.session_parameters import input_device, output_device
from blink_cli.core.errors import DeviceError, NoSessionError
from blink_cli.core.replies import SCHEMA, Status
from blink_cli.core.requests import GetStatus
from blink_cli.core.voice import SAMPLE_RATE_HZ

if TYPE_CHECKING:
    from blink_cli.audio.devices.interface import DeviceParameters  # loads numpy

VIRTUAL_DEVICES: Final = (
    # name, inputs, outputs
    ("silence", 1, 0),
    ("tone:440", 1, 0),
    ("file:PATH", 1, 0),
    ("null", 0, 1),
    ("wav:PATH", 0, 1),
)


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    command(app, "list-devices")(list_devices)
    command(app, "device-configs")(device_configs)


async def list_devices(desk: Desk) -> None:
    """List the audio devices, real and virtual."""
    devices, hint = await asyncio.to_thread(device_list)
    if desk.output.json:
        desk.output.document({"schema": SCHEMA, "devices": devices, "hint": hint})
        return
    from blink_cli.commands.tables import devices_table  # noqa: PLC0415 - rich takes 80 ms

    desk.output.table(devices_table(devices))
    if hint is not None:
        desk.output.message(hint)


async def device_configs(
    desk: Desk,
    *,
    input: Annotated[  # noqa: A002 - the option's name
        str | None, typer.Option("--input", metavar="DEV", help="Instead of the session's.")
    ] = None,
    output: Annotated[
        str | None, typer.Option("--output", metavar="DEV", help="Instead of the session's.")
    ] = None,
) -> None:
    """Show how the chosen devices are opened: those of the running session, or the default ones."""
    try:
        status = await desk.ask(GetStatus(), Status)
        chosen = (status.input, status.output)
    except NoSessionError:
        chosen = ("default", "default")
    microphone, speaker = await asyncio.to_thread(
        _parameters,
        chosen[0] if input is None else input_device(input),
        chosen[1] if output is None else output_device(output),
    )
    rows = {
        direction: {
            "name": parameters.name,
            "sample_rate": parameters.sample_rate_hz,
            "channels": parameters.channels,
            "virtual": parameters.virtual,
        }
        for direction, parameters in (("input", microphone), ("output", speaker))
    }
    if desk.output.json:
        desk.output.document({"schema": SCHEMA, **rows})
        return
    for direction, row in rows.items():
        desk.output.line(
            f"{direction:6}  {row['name']}: {row['sample_rate']} Hz, {row['channels']} channel{'s' if row['channels'] != 1 else ''}"
            f" -> {SAMPLE_RATE_HZ} Hz, 1 channel"
        )


def _parameters(input_name: str, output_name: str) -> "tuple[DeviceParameters, DeviceParameters]":
    """Open two devices, start neither, and return what they are. Asks the system and blocks.

    Raises:
        BlinkError: One of them cannot be used.

    """
    from blink_cli.audio.devices.opener import DeviceOpener  # noqa: PLC0415 - numpy and PortAudio

    opener = DeviceOpener()
    return opener.open_input(input_name).parameters, opener.open_output(output_name).parameters


def device_list() -> tuple[list[dict[str, Any]], str | None]:
    """Return every device as `list-devices --json` shows it, and what to do when the system's cannot be listed.

    Asks the system and blocks.
    """
    from blink_cli.audio.devices.listing import system_devices  # noqa: PLC0415 - asks the system in another process

    hint: str | None = None
    found: list[dict[str, Any]] = []
    try:
        found.extend({**msgspec.structs.asdict(device), "virtual": False} for device in system_devices())
        if not found:
            hint = "The sound system has no devices; virtual devices work without any."
    except DeviceError as error:
        hint = " ".join(filter(None, (error.message, error.hint)))
    found.extend(
        {
            "name": name,
            "host_api": "blink",
            "inputs": inputs,
            "outputs": outputs,
            "default_input": False,
            "default_output": False,
            "sample_rate": float(SAMPLE_RATE_HZ),
            "virtual": True,
        }
        for name, inputs, outputs in VIRTUAL_DEVICES
    )
    return found, hint
