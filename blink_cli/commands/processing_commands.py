"""Commands for what is done to the microphone's sound before it is encoded."""

from typing import Annotated

import typer

from blink_cli.api.option_words import checked_echo_cancel, checked_noise_suppress
from blink_cli.commands.command import command
from blink_cli.commands.command_context import CommandContext
from blink_cli.commands.processing_text import automute_text, echo_text, gain_text, noise_text
from blink_cli.commands.shell_completion import (
    SWITCH,
    complete_echo_cancel,
    complete_noise_suppress,
    complete_switch,
)
from blink_cli.core.api.replies.processing import ProcessingSet
from blink_cli.core.api.requests import SetProcessing
from blink_cli.core.errors import UsageError
from blink_cli.core.media.processing_settings import ProcessingChoice


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    command(app, "echo-cancel", loop_for=(), prints=ProcessingSet)(echo_cancel)
    command(app, "noise-suppress", loop_for=(), prints=ProcessingSet)(noise_suppress)
    command(app, "auto-gain", loop_for=(), prints=ProcessingSet)(auto_gain)
    command(app, "automute", loop_for=(), prints=ProcessingSet)(automute)


async def echo_cancel(
    context: CommandContext,
    echo_cancel: Annotated[
        str,
        typer.Argument(
            metavar="on|off|auto",
            help="auto: unless a headset, a file, a tone or silence is used.",
            autocompletion=complete_echo_cancel,
        ),
    ],
) -> None:
    """Take what the speaker plays out of what the microphone hears.

    From now on, in a call too, and in later sessions of this profile. `blink status` tells what it does. For example `blink echo-cancel on`.
    """
    reply = await _set(context, ProcessingChoice(echo_cancel=checked_echo_cancel(echo_cancel)))
    context.report(reply, f"echo cancelling: {echo_text(reply.processing.echo)}{_memory(reply)}")


async def noise_suppress(
    context: CommandContext,
    noise_suppress: Annotated[
        str,
        typer.Argument(
            metavar="off|low|high",
            help="high takes out more, and a little of the voice.",
            autocompletion=complete_noise_suppress,
        ),
    ],
) -> None:
    """Take steady noise, of fans for instance, out of what the microphone hears.

    From now on, in a call too, and in later sessions of this profile. For example `blink noise-suppress low`.
    """
    reply = await _set(context, ProcessingChoice(noise_suppress=checked_noise_suppress(noise_suppress)))
    context.report(reply, f"noise suppression: {noise_text(reply.processing.noise)}{_memory(reply)}")


async def auto_gain(
    context: CommandContext,
    switch: Annotated[
        str,
        typer.Argument(
            metavar="on|off",
            help="off sends the voice as loud as the microphone has it.",
            autocompletion=complete_switch,
        ),
    ],
) -> None:
    """Bring one's voice to the usual loudness, near the microphone or far from it.

    From now on, in a call too, and in later sessions of this profile. For example `blink auto-gain on`.
    """
    reply = await _set(context, ProcessingChoice(auto_gain=switched_on("auto-gain", switch)))
    context.report(reply, f"automatic gain: {gain_text(reply.processing.gain)}{_memory(reply)}")


async def automute(
    context: CommandContext,
    switch: Annotated[
        str,
        typer.Argument(
            metavar="on|off",
            help="on sends silence while others talk, unless you began before.",
            autocompletion=complete_switch,
        ),
    ],
) -> None:
    """Mute yourself while others talk, for a room with speakers and no echo cancelling.

    From now on, in a call too, and in later sessions of this profile. The others do not see you as muted. For example `blink automute on`.
    """
    reply = await _set(context, ProcessingChoice(automute=switched_on("automute", switch)))
    context.report(reply, f"automute: {automute_text(reply.processing.automute)}{_memory(reply)}")


def switched_on(what: str, text: str) -> bool:
    """Return whether a word means on.

    Raises:
        UsageError: It is neither on nor off.

    """
    if text.lower() not in SWITCH:
        raise UsageError(f"{what}: {text!r} is neither on nor off.", hint=f"For example `blink {what} on`.")
    return text.lower() == "on"


async def _set(context: CommandContext, choice: ProcessingChoice) -> ProcessingSet:
    return await context.ask(SetProcessing(choice=choice))


def _memory(reply: ProcessingSet) -> str:
    if reply.not_remembered is None:
        return ""
    return f"; the next session will not know it: {reply.not_remembered}"
