"""Which version of the program this is."""

import msgspec

from blink_cli import __version__
from blink_cli.api.documents import ProgramVersion
from blink_cli.commands.command_context import CommandContext


def show_version(context: CommandContext) -> None:
    """Print it: a line, or a document with `--json`."""
    if context.output.json:
        context.output.document(msgspec.to_builtins(ProgramVersion(version=__version__)))
    else:
        context.output.line(__version__)
