"""Commands of a file."""

from pathlib import Path
from typing import Annotated

import typer

from blink_cli.commands.command import command
from blink_cli.commands.command_context import CommandContext
from blink_cli.commands.shell_completion import complete_path


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    command(app, "source")(source)


async def source(
    context: CommandContext,
    path: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", autocompletion=complete_path, help="One command a line; # begins a comment."
        ),
    ],
) -> None:
    """Run the commands of a file, one a line, until one fails.

    For example `source setup.blink` at the prompt. It stops at the first line that fails, says which, and ends with its exit code, as `blink < setup.blink` does. A file may source others, not itself.
    """
    from blink_cli.commands.script import run_file  # noqa: PLC0415 - asyncio: `--help` needs none

    await run_file(path, context)
