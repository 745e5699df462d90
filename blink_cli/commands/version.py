"""Which version of the program this is."""

from importlib.metadata import PackageNotFoundError, version

import msgspec

from blink_cli.commands.command_context import CommandContext
from blink_cli.commands.documents import ProgramVersion


def program_version() -> str:
    """Return the installed distribution's version; "unknown" when the program runs from bare files."""
    try:
        return version("blink-cli")
    except PackageNotFoundError:
        return "unknown"


def show_version(context: CommandContext) -> None:
    """Print it: a line, or a document with `--json`."""
    if context.output.json:
        context.output.document(msgspec.to_builtins(ProgramVersion(version=program_version())))
    else:
        context.output.line(program_version())
