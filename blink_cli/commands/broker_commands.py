"""A broker for a group: its folder, and the server that runs from it. They need no session."""

from pathlib import Path
from typing import Annotated, Final

import msgspec
import typer

from blink_cli.api.documents import BrokerMade, InvitationShown
from blink_cli.commands.command import command
from blink_cli.commands.command_context import CommandContext
from blink_cli.commands.shell_completion import complete_path
from blink_cli.core.api.signal_server import DEFAULT_PORT, MAX_SIGNAL_SERVERS
from blink_cli.core.errors import BlinkError, UsageError

Folder = Annotated[
    Path, typer.Argument(metavar="DIR", help="The broker's folder.", autocompletion=complete_path)
]
Qr = Annotated[bool, typer.Option("--qr", help="Also as a QR code.")]

_MOST_PORT: Final = 65_535


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    broker = typer.Typer(
        name="broker",
        help="A NATS server that carries the signals of a group of people past one network. It learns neither who calls whom nor what is said.",
        rich_markup_mode=None,
    )
    command(broker, "init", prints=BrokerMade)(init)
    command(broker, "run")(run)
    command(broker, "show", prints=InvitationShown)(show)
    app.add_typer(broker)


async def init(
    context: CommandContext,
    folder: Folder,
    *,
    host: Annotated[
        list[str] | None,
        typer.Option(
            metavar="HOST",
            help="A name or an address by which members reach it; may be repeated, the best first. Default: this machine's.",
        ),
    ] = None,
    port: Annotated[int, typer.Option(metavar="PORT", help="TCP port.")] = DEFAULT_PORT,
    qr: Qr = False,
) -> None:
    """Make a broker: certificate, the group's key, settings, and the invitation that its members join with.

    For example `blink broker init ~/broker --host broker.example.org`, then `blink broker run ~/broker`.
    """
    from blink_cli.broker.broker_folder import make_broker_folder  # noqa: PLC0415 - cryptography: `--help` needs none
    from blink_cli.broker.own_hosts import checked_host, own_hosts  # noqa: PLC0415 - as above
    from blink_cli.core.api.invitation import check_text, write_invitation  # noqa: PLC0415 - as above

    if not 0 < port <= _MOST_PORT:
        raise UsageError(f"{port} is no port.", hint=f"From 1 to {_MOST_PORT}; NATS has {DEFAULT_PORT}.")
    hosts = tuple(checked_host(text) for text in host or own_hosts())
    if not 0 < len(hosts) <= MAX_SIGNAL_SERVERS:
        raise UsageError(
            f"{len(hosts)} hosts cannot be told.",
            hint="Name the one by which members reach this machine: `--host HOST`.",
        )
    try:
        made = make_broker_folder(folder.absolute(), hosts, port)
    except OSError as failure:
        raise BlinkError(
            f"The broker's folder cannot be made: {failure.strerror or failure}.",
            hint="Name one where you may write.",
        ) from failure
    line = write_invitation(made.invitation)
    if context.output.json:
        document = BrokerMade(
            folder=str(made.path), hosts=hosts, port=port, invitation=line, check=check_text(line)
        )
        context.output.document(msgspec.to_builtins(document))
        return
    context.output.message(f"made a broker in {made.path}, reached as {', '.join(hosts)}, port {port}")
    context.output.message(
        f"start it with `blink broker run {folder}`; its members join with `blink join` and this line,"
    )
    context.output.message(f"which is a password (check {check_text(line)}):")
    _show_line(context, line, qr=qr)


async def run(context: CommandContext, folder: Folder) -> None:
    """Run a broker until Ctrl-C: the real nats-server, on what `init` made."""
    import asyncio  # noqa: PLC0415 - `--help` needs none

    from blink_cli.broker.broker_folder import open_broker_folder  # noqa: PLC0415 - as above
    from blink_cli.broker.nats_server import find_program, running_server  # noqa: PLC0415 - as above
    from blink_cli.commands.stopping import stop_signals  # noqa: PLC0415 - as above
    from blink_cli.runtime.tasks import TaskOwner  # noqa: PLC0415 - as above

    opened = open_broker_folder(folder.absolute())
    find_program()  # before it is said that it runs
    hosts = ", ".join(server.url for server in opened.invitation.servers)
    context.output.message(f"running the broker of {opened.path}, reached as {hosts}; Ctrl-C ends it")
    async with running_server(opened) as server, stop_signals() as stopped, TaskOwner("broker") as tasks:
        ended = tasks.start(server.wait(), name="server")
        stop = tasks.start(stopped.wait(), name="stop")
        await asyncio.wait((ended, stop), return_when=asyncio.FIRST_COMPLETED)
        if not stop.done():
            raise BlinkError(
                f"nats-server ended with exit code {server.returncode}.", hint="What it says stands above."
            )


async def show(context: CommandContext, folder: Folder, *, qr: Qr = False) -> None:
    """Print again what members join with."""
    from blink_cli.broker.broker_folder import open_broker_folder  # noqa: PLC0415 - cryptography: `--help` needs none
    from blink_cli.core.api.invitation import check_text, write_invitation  # noqa: PLC0415 - as above

    invitation = open_broker_folder(folder.absolute()).invitation
    line = write_invitation(invitation)
    if context.output.json:
        document = InvitationShown(
            invitation=line,
            check=check_text(line),
            did=None,
            nickname=None,
            servers=tuple(server.url for server in invitation.servers),
        )
        context.output.document(msgspec.to_builtins(document))
        return
    _show_line(context, line, qr=qr)


def _show_line(context: CommandContext, line: str, *, qr: bool) -> None:
    context.output.line(line)
    if qr:
        from blink_cli.commands.qr_code import show_qr  # noqa: PLC0415 - `--help` needs none
        from blink_cli.core.api.invitation import qr_text  # noqa: PLC0415 - as above

        show_qr(context.output, qr_text(line))
