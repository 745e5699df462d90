"""The command that prints what `--json` prints, as a JSON Schema."""

from typing import Annotated

import typer

from blink_cli.commands.command import command
from blink_cli.commands.command_context import CommandContext
from blink_cli.commands.shell_completion import complete_document


def register(app: typer.Typer) -> None:
    """Add this command to the application."""
    from blink_cli.api.documents import SchemaList  # noqa: PLC0415 - msgspec: `--help` needs none

    command(app, "schema", prints=SchemaList)(schema)


async def schema(
    context: CommandContext,
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[NAME]",
            help="Of a document or an event, as in docs/cli.md; left out: all names.",
            autocompletion=complete_document,
        ),
    ] = None,
) -> None:
    """Print the JSON Schema of a document or an event.

    For example `blink schema Status`; `blink schema Event` is of any line of `blink events --json`. With a name it prints the schema itself, with --json or without.
    """
    from blink_cli.api.schemas import json_schema, schema_names  # noqa: PLC0415 - only here

    if name is not None:
        context.output.document(json_schema(name))
        return
    names = schema_names()
    if context.output.json:
        import msgspec  # noqa: PLC0415 - as above

        from blink_cli.api.documents import SchemaList  # noqa: PLC0415 - as above

        context.output.document(msgspec.to_builtins(SchemaList(documents=names)))
        return
    for one in names:
        context.output.line(one)
