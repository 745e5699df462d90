"""Commands for when something is wrong. They work without a session, and use one that runs."""

import sys
from typing import Annotated, Final

import msgspec
import typer

from blink_cli.api.documents import BugReportWritten, DoctorReport, LogPlace, LogRecord
from blink_cli.commands.command import command
from blink_cli.commands.command_context import CommandContext
from blink_cli.commands.parsing import ExitWith
from blink_cli.commands.show.terminal import columns_of
from blink_cli.core.api.session_options import SessionOptions
from blink_cli.core.exit_codes import ExitCode

_NOT_LOOKED_AT: Final = frozenset(
    {"nickname", "auto_accept", "echo_cancel", "noise_suppress", "auto_gain", "automute"}
)
"""Options of a session on which nothing depends that is examined."""


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    command(app, "doctor", prints=DoctorReport, without=_NOT_LOOKED_AT)(doctor)
    command(app, "log", prints=LogRecord | LogPlace)(log)
    command(app, "bugreport", prints=BugReportWritten)(bugreport)


async def doctor(
    context: CommandContext,
    session_options: SessionOptions,
    *,
    checks: Annotated[
        list[str] | None, typer.Argument(metavar="CHECK...", help="Only these; left out: all.")
    ] = None,
) -> None:
    """Check what a call needs of this machine, and say what to do.

    Libraries, devices, network, servers, clock, profile. Takes some seconds. Works without a session; beside one, it looks at the devices and servers of that session. Options are those that a
    session would be started with. Exit code 6 if a check failed. For example `blink doctor`, `blink doctor multicast clock`, `blink doctor --ice-server stun:stun.example.org`.
    """
    from blink_cli.commands.diagnosis import examined  # noqa: PLC0415 - what a session needs: `--help` needs none
    from blink_cli.commands.doctor_text import doctor_lines, report_of  # noqa: PLC0415 - as above

    findings = await examined(context, session_options, checks or ())
    if context.output.json:
        context.output.document(msgspec.to_builtins(report_of(findings)))
    else:
        context.output.lines(doctor_lines(findings, columns_of(sys.stdout)))
    if any(finding.ok is False for finding in findings):
        raise ExitWith(ExitCode.ASSERTION_FAILED)


async def log(
    context: CommandContext,
    *,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with what is logged from now on, until Ctrl-C.")
    ] = False,
    path: Annotated[bool, typer.Option("--path", help="Print where the file is, and nothing of it.")] = False,
    lines: Annotated[int, typer.Option(min=0, help="How many of the last records.", metavar="N")] = 50,
) -> None:
    """Show the log of the profile's newest session.

    Events, warnings, and what libraries say of connections. Each session has a file of its own, of which the last ten are kept in `logs` beside the profile's key. For example `blink log --follow`.
    """
    from blink_cli.commands.log_tail import newest, tail  # noqa: PLC0415 - asyncio and the profile: `--help` needs neither

    file = newest(context.options)
    if path:
        if context.output.json:
            context.output.document(msgspec.to_builtins(LogPlace(path=str(file))))
        else:
            context.output.line(str(file))
        return
    async for record in tail(file, lines, follow=follow):
        if context.output.json:
            context.output.document(LogRecord(**msgspec.structs.asdict(record)))
        else:
            first, *more = record.message.split("\n")
            context.output.line(f"{record.time} {record.level} {record.source}: {first}")
            for line in more:
                context.output.line(f"    {line}", hang=6)


async def bugreport(
    context: CommandContext,
    file: Annotated[
        str | None,
        typer.Argument(metavar="FILE", help="The zip to write; left out: one with the date here."),
    ] = None,
    *,
    anonymous: Annotated[
        bool,
        typer.Option(
            "--anonymous", help="Put stand-ins in place of nicknames, DIDs, addresses and your folder."
        ),
    ] = False,
) -> None:
    """Write one file for a bug report, without secrets.

    Logs, settings, versions, devices, what `doctor` finds, and what the running session knows. Keys, passphrases and credentials are never in it. Nicknames and addresses are, unless --anonymous is given. Its README.txt lists what is in it and
    what is not. For example `blink bugreport --anonymous report.zip`.
    """
    from blink_cli.commands.bug_report import written  # noqa: PLC0415 - what a session needs: `--help` needs none

    done = await written(context, file, anonymous=anonymous)
    if context.output.json:
        context.output.document(msgspec.to_builtins(done))
        return
    context.output.line(done.path)
    for one in done.files:
        context.output.message(f"  {one.name}: {one.holds}")
    for missing in done.left_out:
        context.output.message(f"  left out: {missing.name}: {missing.reason}")
    context.output.message(
        "Nicknames, DIDs and addresses have stand-ins in it; keys, passphrases and credentials are not in it."
        if anonymous
        else "Nicknames, DIDs and addresses are in it (--anonymous: stand-ins); keys, passphrases and credentials are not."
    )
