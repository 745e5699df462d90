"""Commands that look: at the cameras of this machine, and at what participants show."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from blink_cli.api.camera_list import camera_list
from blink_cli.api.documents import CameraList
from blink_cli.api.typed_path import absolute
from blink_cli.commands.command import command
from blink_cli.commands.command_context import CommandContext
from blink_cli.commands.shell_completion import complete_peer
from blink_cli.commands.viewed_names import OWN, peer_of
from blink_cli.core.api.replies.pictures import SnapshotSaved
from blink_cli.core.api.requests import SaveSnapshot
from blink_cli.core.errors import UsageError
from blink_cli.core.identity.shown_name import shown_name
from blink_cli.core.text.path_text import shown

if TYPE_CHECKING:
    from collections.abc import Sequence


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    command(app, "list-cameras", prints=CameraList)(list_cameras)
    command(app, "view", prints=SnapshotSaved)(view)


async def list_cameras(context: CommandContext) -> None:
    """List the cameras, real and virtual."""
    import asyncio  # noqa: PLC0415 - 40 ms that `--help` does not need

    import msgspec  # noqa: PLC0415 - as above

    listed = await asyncio.to_thread(camera_list)
    if context.output.json:
        context.output.document(msgspec.to_builtins(listed))
        return
    from blink_cli.commands.show.tables import cameras_table  # noqa: PLC0415 - 20 ms, for people only

    context.output.table(cameras_table(listed.cameras))
    if listed.hint is not None:
        context.output.message(listed.hint)


async def view(
    context: CommandContext,
    peers: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PEER...",
            help="Whom to look at; `me` is oneself, which is meant where nobody is named. At the prompt `off` ends it.",
            autocompletion=complete_peer,
        ),
    ] = None,
    *,
    snapshot: Annotated[
        Path | None,
        typer.Option(
            "--snapshot",
            metavar="FILE.png",
            help="Write what is seen now into this file (.png, .jpg or .webp), and show nothing.",
        ),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Let --snapshot replace a file of that name.")
    ] = False,
    fps: Annotated[
        float, typer.Option("--fps", min=0.1, max=60, metavar="N", help="Pictures a second, at most.")
    ] = 15.0,
) -> None:
    """Show what participants show: in pictures where the terminal can, else in coloured half blocks.

    At the prompt they stand above the line that you type, until `view off`; from a shell on the whole terminal, until q or Ctrl-C. For example `blink view bob`, or `blink view me --snapshot me.png`.
    """
    names: Sequence[str] = peers or [OWN]
    if snapshot is not None:
        if len(names) > 1:
            raise UsageError("A snapshot is of one participant.", hint="Run it once for each.")
        reply = await context.ask(
            SaveSnapshot(path=absolute(snapshot), peer=peer_of(names[0]), replace=replace)
        )
        name = shown_name(reply.nickname, reply.did)
        context.report(reply, f"{reply.width}x{reply.height} of {name} in {shown(reply.path)}")
        return
    if replace:
        raise UsageError(
            "--replace is about --snapshot.", hint="`blink view PEER --snapshot FILE.png --replace`."
        )
    if context.output.json:
        raise UsageError(
            "Pictures are no JSON.", hint="`blink view PEER --snapshot FILE.png --json` writes a file."
        )
    if context.prompt_pictures is not None:
        await context.prompt_pictures.show([] if names == ["off"] else names, fps)
        return
    if not sys.stdout.isatty():
        raise UsageError(
            "`view` needs a terminal.", hint="`blink view PEER --snapshot FILE.png` writes a file."
        )
    from blink_cli.commands.picture_view import view_pictures  # noqa: PLC0415 - prompt_toolkit and numpy

    async with context.source.running() as session:
        await view_pictures(context, session, names, fps=fps)
