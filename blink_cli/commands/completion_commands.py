"""The command that teaches a shell to complete."""

from typing import Annotated, get_args

import typer

from blink_cli.commands.command import command
from blink_cli.commands.command_context import CommandContext
from blink_cli.commands.shell_completion import complete_shell
from blink_cli.commands.shell_words import ShellName
from blink_cli.core.errors import UsageError
from blink_cli.core.text.path_text import shown


def register(app: typer.Typer) -> None:
    """Add this command to the application."""
    command(app, "completion")(completion)


async def completion(
    context: CommandContext,
    shell: Annotated[
        str | None,
        typer.Argument(
            metavar="[SHELL]",
            help="bash, zsh or fish; the one that asks, if left out.",
            autocompletion=complete_shell,
        ),
    ] = None,
    *,
    install: Annotated[
        bool, typer.Option("--install", help="Put it where the shell finds it when it starts next.")
    ] = False,
) -> None:
    """Print the script that makes Tab complete `blink`: `source <(blink completion bash)`."""
    from pathlib import Path  # noqa: PLC0415 - only here

    from blink_cli.commands import completion_scripts  # noqa: PLC0415 - only here

    name = _shell_named(shell)
    if install:
        where = completion_scripts.install(name, Path.home())
        context.output.message(f"completion for {name} is in {shown(where)}; it begins with the next {name}")
    else:
        context.output.line(completion_scripts.SCRIPTS[name].rstrip("\n"))


def _shell_named(text: str | None) -> ShellName:
    wanted = text
    if wanted is None:
        import shellingham  # noqa: PLC0415 - only here

        try:
            wanted, _ = shellingham.detect_shell()
        except shellingham.ShellDetectionFailure:
            wanted = ""
    for name in get_args(ShellName):
        if wanted == name:
            return name  # type: ignore[no-any-return]  # `get_args` says Any of the words of a Literal
    which = f"{wanted!r} is no shell that can complete" if wanted else "It is not known which shell asks"
    raise UsageError(f"{which}.", hint="Write bash, zsh or fish: `blink completion bash`.")
