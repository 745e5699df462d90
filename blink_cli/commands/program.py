"""The Typer application: every command of the shell and of the REPL."""

import functools
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typing_extensions import override

from blink_cli.commands.command import Invocation, Job
from blink_cli.commands.light_coercion import HELP_OPTION_NAMES, lighten
from blink_cli.commands.plain_help import plain

APP_SETTINGS: dict[str, Any] = {
    # Plain help: rich costs 80 ms, and `--help` is read in pipes and by tests as well.
    "rich_markup_mode": None,
    "pretty_exceptions_enable": False,
    "context_settings": {"help_option_names": list(HELP_OPTION_NAMES)},
}

SECTIONS: dict[str, tuple[str, ...]] = {
    "Sessions": ("repl", "serve", "status", "quit"),
    "People and calls": (
        "whoami", "peers", "contacts", "offer", "accept", "reject", "leave", "calls", "participants", "echo",
    ),
    "Voice and volume": (
        "mute", "unmute", "deafen", "undeafen", "gain", "echo-cancel", "noise-suppress", "auto-gain", "automute",
    ),
    "Microphone and speaker": (
        "list-devices", "set-input", "set-output", "device-configs", "test-input", "test-output",
    ),
    "Codec and recordings": ("codec", "record"),
    "Statistics and events": ("rtp-stats", "stats", "rtp-log", "rtp-analyze", "ice-servers", "events", "wait", "watch"),
    "Laboratory": ("assert", "score", "lab", "impair"),
    "When something is wrong": ("doctor", "log", "bugreport"),
}  # fmt: skip


COMPLETION_OPTIONS: dict[str, tuple[str, ...]] = {
    "--show-completion": ("completion",),
    "--install-completion": ("completion", "--install"),
}
"""As programs made with Typer have them, for `completion`."""


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
    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the sections, then what belongs to none."""
        remaining = [
            name for name in self.list_commands(ctx) if (c := self.get_command(ctx, name)) and not c.hidden
        ]
        sections = {
            **SECTIONS,
            "More": tuple(n for n in remaining if not any(n in s for s in SECTIONS.values())),
        }
        for title, names in sections.items():
            rows = [(name, c.get_short_help_str(90)) for name in names if (c := self.get_command(ctx, name))]
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)


@functools.cache
def program() -> typer.Typer:
    """Return the application. Built once; importing this module alone registers nothing."""
    from blink_cli.commands import (  # noqa: PLC0415 - they import this module's neighbours, and register themselves on it
        assert_commands,
        call_commands,
        codec_commands,
        contact_commands,
        device_commands,
        device_test_commands,
        diagnosis_commands,
        echo_commands,
        event_commands,
        impairment_commands,
        lab_commands,
        media_commands,
        processing_commands,
        record_commands,
        rtp_log_commands,
        score_commands,
        session_commands,
        statistics_commands,
    )

    app = typer.Typer(cls=SectionedGroup, name="blink", add_completion=False, **APP_SETTINGS)
    app.callback(invoke_without_command=True)(_before_every_command)
    for module in (
        session_commands,
        call_commands,
        echo_commands,
        contact_commands,
        media_commands,
        processing_commands,
        impairment_commands,
        device_commands,
        codec_commands,
        device_test_commands,
        record_commands,
        statistics_commands,
        rtp_log_commands,
        score_commands,
        lab_commands,
        assert_commands,
        event_commands,
        diagnosis_commands,
    ):
        module.register(app)
    return app


@functools.cache
def entry_point() -> Any:
    """Return what reads a command line: the application as click's command."""
    command = typer.main.get_command(program())
    lighten(command)
    plain(command)
    return command


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
        from blink_cli.commands.version import show_version  # noqa: PLC0415 - reads the installed package's data

        show_version(invocation.context(invocation.options))
        raise typer.Exit
    if context.invoked_subcommand is None:
        return invocation.without_command(invocation, keep_going)
    return None
