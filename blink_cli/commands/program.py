"""What reads a command line of the shell and of the REPL: every command, each imported when it is used."""

import functools
import importlib
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer
from typer._click.shell_completion import CompletionItem  # typer.core has it already
from typer.core import TyperGroup
from typer.models import CommandInfo, TyperInfo
from typing_extensions import override

from blink_cli.commands.command_table import BY_NAME, SECTIONS
from blink_cli.commands.invocation import Invocation, Job
from blink_cli.commands.light_coercion import HELP_OPTION_NAMES, lighten
from blink_cli.commands.plain_help import plain

APP_SETTINGS: dict[str, Any] = {
    # Plain help: rich costs 80 ms, and `--help` is read in pipes and by tests as well.
    "rich_markup_mode": None,
    "pretty_exceptions_enable": False,
    "context_settings": {"help_option_names": list(HELP_OPTION_NAMES)},
}

COMPLETION_OPTIONS: dict[str, tuple[str, ...]] = {
    "--show-completion": ("completion",),
    "--install-completion": ("completion", "--install"),
}
"""As programs made with Typer have them, for `completion`."""


class UsedCommands(Mapping[str, Any]):
    """Every command by its name, as click's; imports the module of one that is asked for, and makes that one alone: an option costs 0.2 ms."""

    def __init__(self) -> None:
        self._made: dict[str, Any] = {}

    @override
    def __getitem__(self, name: str) -> Any:
        if name not in self._made:
            self._made[name] = _command(name)
        return self._made[name]

    @override
    def __contains__(self, name: object) -> bool:
        return name in BY_NAME

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(BY_NAME)

    @override
    def __len__(self) -> int:
        return len(BY_NAME)


def _command(name: str) -> Any:
    app = typer.Typer(**APP_SETTINGS)
    match _registered(BY_NAME[name].module)[name]:
        case CommandInfo() as one:
            app.registered_commands.append(one)
        case TyperInfo() as group:
            app.registered_groups.append(group)
    command = typer.main.get_group(app).commands[name]
    lighten(command)
    plain(command)
    return command


def registered_names(module: str) -> list[str]:
    """Return the names of the commands that a module has."""
    return list(_registered(module))


@functools.cache
def _registered(module: str) -> dict[str, CommandInfo | TyperInfo]:
    app = typer.Typer(**APP_SETTINGS)
    importlib.import_module(f"blink_cli.commands.{module}").register(app)
    commands = {str(one.name): one for one in app.registered_commands}
    groups = {
        str(group.typer_instance.info.name): group for group in app.registered_groups if group.typer_instance
    }
    return {**commands, **groups}


class SectionedGroup(TyperGroup):
    """Lists its commands by what they are for; knows `help COMMAND` beside `COMMAND --help`."""

    @override
    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read `--show-completion zsh` as `completion zsh`."""
        if args and args[0] in COMPLETION_OPTIONS:
            args = [*COMPLETION_OPTIONS[args[0]], *args[1:]]
        return super().parse_args(ctx, args)

    @override
    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Read `help record start` as `record start --help`, and `help` alone as `--help`."""
        if args[0] != "help":
            return super().resolve_command(ctx, args)
        if not args[1:]:
            typer.echo(ctx.get_help())
            raise typer.Exit
        return super().resolve_command(ctx, [*args[1:], "--help"])

    @override
    def list_commands(self, ctx: Any) -> list[str]:
        """Return their names, and import none."""
        return list(self.commands)

    @override
    def shell_complete(self, ctx: Any, incomplete: str) -> list[Any]:
        """Offer commands as the list has them, and import none; behind a dash, options."""
        if incomplete.startswith("-"):
            return super().shell_complete(ctx, incomplete)
        return [
            CompletionItem(row.name, help=row.summary)
            for row in BY_NAME.values()
            if row.name.startswith(incomplete)
        ]

    @override
    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the sections."""
        for title, rows in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(row.name, row.summary) for row in rows])


@functools.cache
def entry_point() -> Any:
    """Return what reads a command line, as click's command. Its `commands` imports those that are looked at."""
    app = typer.Typer(cls=SectionedGroup, name="blink", add_completion=False, **APP_SETTINGS)
    app.callback(invoke_without_command=True)(_before_every_command)
    group = typer.main.get_group(app)
    lighten(group)
    plain(group)
    group.commands = UsedCommands()  # type: ignore[assignment]  # nobody adds commands to it
    return group


def _before_every_command(
    context: typer.Context,
    *,
    profile: Annotated[
        str | None, typer.Option(metavar="NAME", help="The identity to use; or BLINK_PROFILE.")
    ] = None,
    data_dir: Annotated[
        str | None, typer.Option(metavar="DIR", help="The folder of all profiles; or BLINK_DATA_DIR.")
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="Print JSON: one document, or one object a line.")
    ] = False,
    no_color: Annotated[bool, typer.Option("--no-color", help="No colour; or NO_COLOR.")] = False,
    verbose: Annotated[
        int,
        typer.Option(
            "-v", "--verbose", count=True, show_default=False, help="More messages; twice: with tracebacks."
        ),
    ] = 0,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="No messages but errors.")] = False,
    keep_going: Annotated[
        bool, typer.Option("--keep-going", help="Piped commands: go on after one that failed.")
    ] = False,
    version: Annotated[bool, typer.Option("--version", help="Print the version.", is_eager=True)] = False,
) -> Job | None:
    """Group audio calls between terminals, without a server.

    Without a command: a session with its prompt; or, when stdin is no terminal, one command a line. `blink help COMMAND` shows how a
    command is used.
    """
    invocation: Invocation = context.obj
    invocation.options = invocation.options.changed(
        profile=profile, data_dir=data_dir, json=json, no_color=no_color, verbose=verbose, quiet=quiet
    )
    if version:
        from blink_cli.commands.version import show_version  # noqa: PLC0415 - rarely asked for

        show_version(invocation.context(invocation.options))
        raise typer.Exit
    if context.invoked_subcommand is None:
        return invocation.without_command(invocation, keep_going)
    return None
