"""Commands that look at this machine's audio devices. They work without a session."""

import asyncio
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from blink_cli.api.device_list import device_list
from blink_cli.api.documents import DeviceCan, DeviceConfig, DeviceConfigs, DeviceList
from blink_cli.api.option_words import input_device, output_device
from blink_cli.commands.command import command
from blink_cli.commands.command_context import CommandContext
from blink_cli.commands.names_shown import counted
from blink_cli.core.api.device_choice import DeviceLabel, named, no_such_device, partly_named
from blink_cli.core.api.requests import GetStatus
from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.core.errors import DeviceError, NoSessionError
from blink_cli.core.text.path_text import shown

if TYPE_CHECKING:
    from blink_cli.audio.devices.interface import DeviceParameters  # loads numpy


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    command(app, "list-devices", prints=DeviceList)(list_devices)
    command(app, "device-configs", prints=DeviceConfigs)(device_configs)


async def list_devices(context: CommandContext) -> None:
    """List the audio devices, real and virtual."""
    listed = await asyncio.to_thread(device_list)
    if context.output.json:
        context.output.document(msgspec.to_builtins(listed))
        return
    from blink_cli.commands.show.tables import devices_table  # noqa: PLC0415 - 20 ms, for people only

    context.output.table(devices_table(listed.devices))
    if listed.hint is not None:
        context.output.message(listed.hint)


async def device_configs(
    context: CommandContext,
    device: Annotated[
        str | None,
        typer.Argument(
            metavar="DEV", help="Only this device of the system: its name, description, or a part of them."
        ),
    ] = None,
    *,
    input: Annotated[  # noqa: A002 - the option's name
        str | None, typer.Option("--input", metavar="DEV", help="Instead of the session's.")
    ] = None,
    output: Annotated[
        str | None, typer.Option("--output", metavar="DEV", help="Instead of the session's.")
    ] = None,
) -> None:
    """Show how the chosen devices are opened, and what each device can do.

    Which rates, channels, sample types and latencies. The chosen ones are those of the running session, or the default ones. For example `blink device-configs`, or `blink device-configs "USB Headset" --json`.
    """
    opened: tuple[DeviceConfig, DeviceConfig] | None = None
    if device is None:
        opened = await _opened(context, input, output)
    found, hint = await asyncio.to_thread(_abilities, device)
    configs = DeviceConfigs(
        input=None if opened is None else opened[0],
        output=None if opened is None else opened[1],
        devices=found,
        hint=hint,
    )
    if context.output.json:
        context.output.document(msgspec.to_builtins(configs))
        return
    for direction, config in (("input", configs.input), ("output", configs.output)):
        if config is not None:
            context.output.line(
                f"{direction:6}  {shown(config.name)}: {config.sample_rate} Hz, {counted(config.channels, 'channel')}"
                f" -> {SAMPLE_RATE_HZ} Hz, 1 channel"
            )
    if configs.devices:
        from blink_cli.commands.show.device_abilities import abilities_table  # noqa: PLC0415 - 20 ms, for people only

        context.output.table(abilities_table(configs.devices))
    if hint is not None:
        context.output.message(hint)


async def _opened(
    context: CommandContext, input_name: str | None, output_name: str | None
) -> tuple[DeviceConfig, DeviceConfig]:
    """How the chosen devices are opened.

    Raises:
        BlinkError: One of them cannot be.

    """
    try:
        status = await context.ask(GetStatus())
        chosen = (status.input, status.output)
    except NoSessionError:
        chosen = ("default", "default")
    microphone, speaker = await asyncio.to_thread(
        _parameters,
        chosen[0] if input_name is None else input_device(input_name),
        chosen[1] if output_name is None else output_device(output_name),
    )
    return _config(microphone), _config(speaker)


def _abilities(wanted: str | None) -> tuple[tuple[DeviceCan, ...], str | None]:
    """Return what the system's devices can do, the one that is named or all, and why there are none. Asks the system and blocks.

    Raises:
        NotFoundError: There is none of this name, or several fit.

    """
    from blink_cli.audio.devices.abilities import device_abilities  # noqa: PLC0415 - asks the system in another process

    try:
        found = device_abilities()
    except DeviceError as error:
        if wanted is not None:
            raise
        return (), " ".join(filter(None, (error.message, error.hint)))
    if wanted is not None:
        labels = [DeviceLabel(one.name, one.description, one.monitor) for one in found]
        fitting = named(wanted, labels) or partly_named(wanted, labels)
        if fitting is None:
            raise no_such_device(wanted, labels)
        found = [one for one in found if one.name == fitting.name]
    return tuple(DeviceCan(**msgspec.structs.asdict(one)) for one in found), None


def _config(parameters: "DeviceParameters") -> DeviceConfig:
    return DeviceConfig(
        name=parameters.name,
        sample_rate=parameters.sample_rate_hz,
        channels=parameters.channels,
        virtual=parameters.virtual,
    )


def _parameters(input_name: str, output_name: str) -> "tuple[DeviceParameters, DeviceParameters]":
    """Open two devices, start neither, and return what they are. Asks the system and blocks.

    Raises:
        BlinkError: One of them cannot be used.

    """
    from blink_cli.audio.devices.opener import DeviceOpener  # noqa: PLC0415 - numpy and PortAudio

    opener = DeviceOpener()
    return opener.open_input(input_name).parameters, opener.open_output(output_name).parameters
