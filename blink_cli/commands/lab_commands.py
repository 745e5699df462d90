"""The laboratory: what needs no session, and tells why a call was heard as it was."""

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from blink_cli.commands import lab_compare_commands, lab_run_commands
from blink_cli.commands.command import command
from blink_cli.commands.command_context import CommandContext
from blink_cli.commands.replay_text import replay_lines
from blink_cli.commands.shell_completion import complete_path
from blink_cli.core.api.replies.document import SCHEMA
from blink_cli.lab.replay.figures import ReplayFigures
from blink_cli.lab.replay.settings_words import read_changes


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    lab = typer.Typer(
        name="lab",
        help="Calls as experiments: run them by scenario and judge them, play a logged one again. They need no session.",
        rich_markup_mode=None,
    )
    lab_run_commands.register(lab)
    lab_compare_commands.register(lab)
    command(lab, "replay", prints=ReplayFigures)(replay)
    app.add_typer(lab)


async def replay(
    context: CommandContext,
    path: Annotated[
        Path,
        typer.Argument(
            metavar="LOG",
            autocompletion=complete_path,
            help="A log of `rtp-log start LOG --replayable`.",
        ),
    ],
    *,
    changes: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="Play it once more with this setting of the playout: minimum-delay-ms, maximum-delay-ms, opening-delay-ms, capacity-ms, excess-ms, excess-s.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="FOLDER",
            help="A new folder: what each speaker and each peer gave, and each decision.",
        ),
    ] = None,
) -> None:
    """Play a logged call again, offline, to the very same samples.

    With --set a second time with other settings, and the figures of both. For example `blink lab replay call.csv --set minimum-delay-ms=80 --out again`.
    """
    wanted = read_changes(changes or [])
    from blink_cli.commands.work_progress import with_progress  # noqa: PLC0415 - asyncio: `--help` needs none
    from blink_cli.lab.replay.replay import replay as play  # noqa: PLC0415 - numpy, as above

    found = await with_progress(context, "replay", lambda progress: play(path, wanted, out, progress))
    if context.output.json:
        context.output.document({"schema": SCHEMA, **msgspec.to_builtins(found)})
        return
    for line in replay_lines(found):
        context.output.line(line)
