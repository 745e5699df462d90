"""Commands for microphone, speaker and what is heard of whom."""

from typing import Annotated

import typer

from blink_cli.api.option_words import input_device, output_device
from blink_cli.commands.command import command
from blink_cli.commands.command_context import CommandContext
from blink_cli.commands.names_shown import DEVICE_WORDS, volume_words
from blink_cli.commands.shell_completion import complete_input, complete_output, complete_peer
from blink_cli.core.api.replies.devices import DeviceSet
from blink_cli.core.api.replies.document import Done
from blink_cli.core.api.replies.peers import PeerVolumeSet
from blink_cli.core.api.requests import SetDeafened, SetDevice, SetGain, SetMuted, SetPeerMuted
from blink_cli.core.audio_format import HIGHEST_GAIN_DB, LOWEST_GAIN_DB
from blink_cli.core.errors import UsageError
from blink_cli.core.identity.shown_name import shown_name
from blink_cli.core.text.path_text import shown

_DEVICE_HELP = "default, a device's name, or a virtual device."
Input = Annotated[str, typer.Argument(metavar="DEV", help=_DEVICE_HELP, autocompletion=complete_input)]
Output = Annotated[str, typer.Argument(metavar="DEV", help=_DEVICE_HELP, autocompletion=complete_output)]


SomePeer = Annotated[
    str | None,
    typer.Argument(
        metavar="PEER", show_default=False, help="Nickname, DID or prefix.", autocompletion=complete_peer
    ),
]


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    command(app, "mute", loop_for=(), prints=Done | PeerVolumeSet)(mute)
    command(app, "unmute", loop_for=(), prints=Done | PeerVolumeSet)(unmute)
    command(app, "deafen", loop_for=(), prints=Done)(deafen)
    command(app, "undeafen", loop_for=(), prints=Done)(undeafen)
    # A gain may be negative: `-6` is no option.
    command(
        app, "gain", loop_for=(), context_settings={"ignore_unknown_options": True}, prints=PeerVolumeSet
    )(gain)
    command(app, "set-input", loop_for=(), prints=DeviceSet)(set_input)
    command(app, "set-output", loop_for=(), prints=DeviceSet)(set_output)


async def mute(context: CommandContext, peer: SomePeer = None) -> None:
    """Send nothing of the microphone; with a name, do not play that peer, here and from now on.

    Nobody learns whom you have silenced. It is remembered, also of a peer who is not in the call, until `unmute PEER`.
    For example `blink mute`, or `blink mute bert`.
    """
    if peer is not None:
        await _report_volume(context, SetPeerMuted(peer=peer, muted=True))
    else:
        context.report(await context.ask(SetMuted(muted=True)), "muted")


async def unmute(context: CommandContext, peer: SomePeer = None) -> None:
    """Send the microphone again; with a name, play that peer again, as loud as before."""
    if peer is not None:
        await _report_volume(context, SetPeerMuted(peer=peer, muted=False))
    else:
        context.report(await context.ask(SetMuted(muted=False)), "unmuted")


async def deafen(context: CommandContext) -> None:
    """Play nobody."""
    context.report(await context.ask(SetDeafened(deafened=True)), "deafened")


async def undeafen(context: CommandContext) -> None:
    """Play everybody again."""
    context.report(await context.ask(SetDeafened(deafened=False)), "undeafened")


async def gain(
    context: CommandContext,
    peer: Annotated[
        str, typer.Argument(metavar="PEER", help="Nickname, DID or prefix.", autocompletion=complete_peer)
    ],
    decibels: Annotated[
        str, typer.Argument(metavar="DB", help="Decibels from -60 to 20; 0 changes nothing.")
    ],
) -> None:
    """Play one peer louder or softer, here and from now on.

    It is remembered, also of a peer who is not in the call; 0 forgets it. For example `blink gain bert -6`.
    """
    await _report_volume(context, SetGain(peer=peer, gain_db=gain_in_db(decibels)))


async def set_input(context: CommandContext, device: Input) -> None:
    """Use another microphone, in the middle of a call too."""
    request = SetDevice(direction="input", device=input_device(device))
    reply = await context.ask(request)
    context.report(reply, device_sentence(reply))


async def set_output(context: CommandContext, device: Output) -> None:
    """Use another speaker, in the middle of a call too."""
    request = SetDevice(direction="output", device=output_device(device))
    reply = await context.ask(request)
    context.report(reply, device_sentence(reply))


async def _report_volume(context: CommandContext, request: SetGain | SetPeerMuted) -> None:
    reply = await context.ask(request)
    context.report(reply, volume_sentence(reply))


def volume_sentence(reply: PeerVolumeSet) -> str:
    """Return what is said of how loud a peer is played from now on."""
    volume = (
        f"{shown_name(reply.nickname, reply.did)}: {volume_words(reply.gain_db, muted_here=reply.muted_here)}"
    )
    if reply.not_remembered is None:
        return volume
    return f"{volume}, but the next session will not know it: {reply.not_remembered}"


def device_sentence(reply: DeviceSet) -> str:
    """Return what is said of a device that is in use now."""
    used = f"the {DEVICE_WORDS.get(reply.direction, reply.direction)} is now {shown(reply.device)}"
    if reply.not_remembered is None:
        return used
    return f"{used}, but the next session will not know it: {reply.not_remembered}"


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
            hint=f"Write decibels from {LOWEST_GAIN_DB:g} to {HIGHEST_GAIN_DB:g}, for example -6. `blink mute PEER` plays nothing of one peer.",
        )
    return gain_db
