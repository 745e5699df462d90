"""The command that loads a session with light participants. Works without a session."""

from pathlib import Path
from typing import Annotated, Final

import msgspec
import typer

from blink_cli.commands.command import command
from blink_cli.commands.command_context import CommandContext
from blink_cli.commands.parsing import ExitWith
from blink_cli.commands.session_parameters import SESSION_PARAMETERS
from blink_cli.commands.shell_completion import complete_path
from blink_cli.core.api.session_options import SessionOptions
from blink_cli.core.errors import UsageError
from blink_cli.core.exit_codes import ExitCode
from blink_cli.lab.load.load_report import LoadReport

LONGEST_S: Final = 86_400.0

_ITS_OWN: Final = frozenset({"interface", "group", "neighbour", "no_discovery", "sfu", "sfu_ca"})
"""Of a session's options: light participants have no devices, and encode nothing."""


def register(app: typer.Typer) -> None:
    """Add this command to the application."""
    without = {name for name, *_ in SESSION_PARAMETERS} - _ITS_OWN
    command(app, "load", hosts=True, prints=LoadReport, without=without)(load)


async def load(
    context: CommandContext,
    session_options: SessionOptions,
    peers: Annotated[
        list[str], typer.Argument(metavar="PEER...", help="Whom to call: nickname, DID, or a beginning.")
    ],
    *,
    participants: Annotated[
        int, typer.Option("--participants", metavar="N", help="How many light participants call and speak.")
    ],
    seconds: Annotated[
        float, typer.Option("--seconds", metavar="S", help="How long they speak once all are connected.")
    ] = 30.0,
    inputs: Annotated[
        list[str] | None,
        typer.Option(
            "--input",
            metavar="SOUND",
            autocompletion=complete_path,
            help="What they say: low, middle or high (voices), tone:HZ, silence, or a sound file; may be repeated, and is said in turn. Default: the three voices.",
        ),
    ] = None,
    wait: Annotated[
        float,
        typer.Option("--wait", metavar="S", help="How long a peer may take to be found, and to answer."),
    ] = 10.0,
    burst: Annotated[
        bool,
        typer.Option("--burst", help="Send everybody's packets at the same moment, not spread over 20 ms."),
    ] = False,
) -> None:
    """Call with many light participants, speak, and report loss, jitter and delay.

    One process makes them all; each is a peer of its own, with real signals and an encrypted connection to each PEER, but none to each other. With `--sfu` all meet in a room there, and each hears as many as a session does. What they say is encoded once, and nothing that they hear is decoded.
    Exit code 3: a PEER is not there, did not answer, or not every connection stood at the end; the report is printed if there is one. Ctrl-C ends it with the report.
    For example `blink serve --nickname bob --input silence --output null --auto-accept`, and elsewhere `blink load --participants 30 bob --seconds 60`. docs/load.md explains the figures.
    """
    if not 0.1 <= seconds <= LONGEST_S:
        raise UsageError(f"{seconds:g} seconds are not possible.", hint=f"Choose 0.1 to {LONGEST_S:g}.")
    if not 0.1 <= wait <= LONGEST_S:
        raise UsageError(
            f"Waiting for {wait:g} seconds is not possible.", hint=f"Choose 0.1 to {LONGEST_S:g}."
        )
    from blink_cli.commands.load_runs import loaded, sounds_named  # noqa: PLC0415 - aiortc, numpy: `--help` needs neither
    from blink_cli.commands.load_text import load_lines  # noqa: PLC0415 - as above

    sounds = sounds_named(inputs or ["middle", "low", "high"], Path.cwd())
    report = await loaded(
        context,
        session_options,
        participants=participants,
        peers=peers,
        seconds=seconds,
        sounds=sounds,
        wait_s=wait,
        burst=burst,
    )
    if context.output.json:
        context.output.document(msgspec.to_builtins(report))
    else:
        for line in load_lines(report):
            context.output.line(line)
    if report.ended == "interrupted":
        raise ExitWith(ExitCode.INTERRUPTED)
    if report.total.links_connected < report.total.links_wanted:
        raise ExitWith(ExitCode.NOT_FOUND)
