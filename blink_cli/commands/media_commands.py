"""Commands for microphone, speaker and what is heard of whom."""

from typing import Annotated

import typer

from blink_cli.commands.command import command
from blink_cli.commands.desk import Desk
from blink_cli.commands.session_parameters import input_device, output_device
from blink_cli.commands.shell_completion import complete_peer
from blink_cli.core.errors import UsageError
from blink_cli.core.replies import DeviceSet, Done
from blink_cli.core.requests import SetDeafened, SetDevice, SetGain, SetMuted
from blink_cli.core.voice import HIGHEST_GAIN_DB, LOWEST_GAIN_DB

Device = Annotated[str, typer.Argument(metavar="DEV", help="default, a device's name, or a virtual device.")]


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    command(app, "mute")(mute)
    command(app, "unmute")(unmute)
    command(app, "deafen")(deafen)
    command(app, "undeafen")(undeafen)
    # A gain may be negative: `-6` is no option.
    command(app, "gain", context_settings={"ignore_unknown_options": True})(gain)
    command(app, "set-input")(set_input)
    command(app, "set-output")(set_output)


async def mute(desk: Desk) -> None:
    """Send nothing of the microphone."""
    desk.report(await desk.ask(SetMuted(muted=True), Done), "muted")


async def unmute(desk: Desk) -> None:
    """Send the microphone again."""
    desk.report(await desk.ask(SetMuted(muted=False), Done), "unmuted")


async def deafen(desk: Desk) -> None:
    """Play nobody."""
    desk.report(await desk.ask(SetDeafened(deafened=True), Done), "deafened")


async def undeafen(desk: Desk) -> None:
    """Play everybody again."""
    desk.report(await desk.ask(SetDeafened(deafened=False), Done), "undeafened")


async def gain(
    desk: Desk,
    peer: Annotated[
        str, typer.Argument(metavar="PEER", help="Nickname, DID or prefix.", autocompletion=complete_peer)
    ],
    decibels: Annotated[str, typer.Argument(metavar="DB", help="From -60 to 20; 0 changes nothing.")],
) -> None:
    """Play one peer louder or softer."""
    gain_db = gain_in_db(decibels)
    desk.report(await desk.ask(SetGain(peer=peer, gain_db=gain_db), Done), f"{peer}: {gain_db:+g} dB")


async def set_input(desk: Desk, device: Device) -> None:
    """Use another microphone, in the middle of a call too."""
    request = SetDevice(direction="input", device=input_device(device))
    reply = await desk.ask(request, DeviceSet)
    desk.report(reply, f"the input is now {reply.device}")


async def set_output(desk: Desk, device: Device) -> None:
    """Use another speaker, in the middle of a call too."""
    request = SetDevice(direction="output", device=output_device(device))
    reply = await desk.ask(request, DeviceSet)
    desk.report(reply, f"the output is now {reply.device}")


def gain_in_db(text: str) -> float:
    """Return a gain in dB.

    Raises:
        UsageError: It is no number from -60 to 20.

    """
    try:
        gain_db = float(text.lower().removesuffix("db"))
    except ValueError:
        gain_db = float("nan")
    if not LOWEST_GAIN_DB <= gain_db <= HIGHEST_GAIN_DB:
        raise UsageError(
            f"{text!r} is not a gain.",
            hint=f"write decibels from {LOWEST_GAIN_DB:g} to {HIGHEST_GAIN_DB:g}, for example -6; `mute` and `deafen` silence",
        )
    return gain_db
