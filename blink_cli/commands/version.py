"""Which version of the program this is."""

import msgspec

from blink_cli.api.documents import ProgramVersion
from blink_cli.api.program_version import program_version
from blink_cli.commands.command_context import CommandContext


def show_version(context: CommandContext) -> None:
    """Print it: a line, or a document with `--json`."""
    if context.output.json:
        context.output.document(msgspec.to_builtins(ProgramVersion(version=program_version())))
    else:
        context.output.line(program_version())
