"""Commands that try a microphone or a speaker alone. They need no session; where one runs, they use its devices beside it."""

from typing import Annotated

import typer

from blink_cli.api.device_test_documents import InputTested, OutputTested
from blink_cli.commands.command import command
from blink_cli.commands.command_context import CommandContext
from blink_cli.commands.shell_completion import complete_input, complete_output

MOST_SECONDS = 600
"""Ten minutes: a recording is kept in memory, 12 MB a minute at most."""


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    command(app, "test-input", prints=InputTested)(input_test)
    command(app, "test-output", prints=OutputTested)(output_test)


async def input_test(
    context: CommandContext,
    device: Annotated[
        str | None,
        typer.Argument(
            metavar="DEV",
            help="A microphone; if left out, the one that a call would use.",
            autocompletion=complete_input,
        ),
    ] = None,
    *,
    seconds: Annotated[
        float, typer.Option("--seconds", min=0.5, max=MOST_SECONDS, metavar="S", help="How long to record.")
    ] = 5.0,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            metavar="DEV",
            help="Play back on this speaker instead of the one that a call would use; null or none: on none.",
            autocompletion=complete_output,
        ),
    ] = None,
    no_playback: Annotated[bool, typer.Option("--no-playback", help="Do not play it back.")] = False,
) -> None:
    """Record from a microphone, play it back, and say whether it is right.

    Exit code 0: right, or right with advice. 5: it cannot be used, or delivers nothing. 6: it is wrong: exact zeros, nothing heard, gaps, cut off, wrong rate.
    For example `blink test-input --seconds 3`, or in a script `blink test-input "USB Headset" --no-playback --json | jq .verdict`.
    """
    from blink_cli.commands.device_trials import try_input  # noqa: PLC0415 - numpy

    await try_input(context, device, seconds=seconds, playback=None if no_playback else (output or ""))


async def output_test(
    context: CommandContext,
    device: Annotated[
        str | None,
        typer.Argument(
            metavar="DEV",
            help="A speaker; if left out, the one that a call would use.",
            autocompletion=complete_output,
        ),
    ] = None,
    *,
    channel: Annotated[
        int | None,
        typer.Option(
            "--channel",
            min=1,
            max=32,
            metavar="N",
            help="Only this one, from 1; all if left out.",
            show_default=False,
        ),
    ] = None,
    seconds: Annotated[
        float, typer.Option("--seconds", min=0.1, max=60, metavar="S", help="How long each tone lasts.")
    ] = 1.0,
) -> None:
    """Play a tone on each channel of a speaker, and measure how it takes them.

    Exit code 0: it was played. 5: the speaker cannot be used. 6: sound was missing when it was due, or the rate is wrong. Whether it is heard, your ears say.
    For example `blink test-output`, or `blink test-output "HDMI" --channel 2 --seconds 3`.
    """
    from blink_cli.commands.device_trials import try_output  # noqa: PLC0415 - numpy

    await try_output(context, device, channel=channel, seconds=seconds)
