"""From a command line to a job, and from what is wrong with it to an error in our own words. Knows no command."""

import errno
from collections.abc import Sequence
from typing import Any, Final

import typer

from blink_cli.commands.invocation import Invocation, Job
from blink_cli.core.errors import BlinkError, UsageError
from blink_cli.core.exit_codes import ExitCode

_DISK_IS_FULL: Final = (errno.ENOSPC, errno.EDQUOT)

_AUTO_ACCEPT: Final = "--auto-accept"
"""Of `session_parameters`, which is not imported for those who do not write it."""


class ExitWith(Exception):  # noqa: N818 - an ending, not an error
    """End with this code; everything has been said."""

    def __init__(self, code: ExitCode) -> None:
        super().__init__(code)
        self.code = code


def parse(
    commands: Any, line: Sequence[str], invocation: Invocation, *, program_name: str = "blink"
) -> Job | None:
    """Read a command line with the program's commands (`program.entry_point`); None when it asked for help or the version, which is printed then.

    Raises:
        UsageError: It is wrong.

    """
    words = list(line)
    if _AUTO_ACCEPT in words:
        from blink_cli.commands.session_parameters import with_auto_accept_value  # noqa: PLC0415 - rarely given

        words = with_auto_accept_value(words)
    try:
        outcome = commands.main(args=words, prog_name=program_name, standalone_mode=False, obj=invocation)
    except typer.TyperException as error:
        raise usage_error(error, program_name) from error
    return outcome if isinstance(outcome, Job) else None


def usage_error(error: typer.TyperException, program_name: str) -> UsageError:
    """Return what Typer complains about as our own error."""
    context = getattr(error, "ctx", None)
    path = program_name if context is None else context.command_path
    message = error.format_message().strip()
    return UsageError(
        message if message.endswith((".", "?", "!")) else f"{message}.",
        hint=_usage_hint(message, f"{path} --help".strip(), top=path == program_name),
    )


def _usage_hint(message: str, help_command: str, *, top: bool) -> str:
    if message.startswith("No such command"):
        return f"`{help_command}` lists all commands."
    from blink_cli.commands.session_parameters import SESSION_PARAMETERS  # noqa: PLC0415 - only to say what is wrong

    option = message.removeprefix("No such option: ").partition(" ")[0].rstrip(".")
    if top and option.removeprefix("--").replace("-", "_") in {name for name, _, _ in SESSION_PARAMETERS}:
        return f"`blink repl {option} …` opens a prompt with it; `serve`, `offer` and `accept` take it too."
    return f"`{help_command}` shows how it is used."


def as_blink_error(error: Exception) -> BlinkError:
    """Return the error itself, or one that says that it should not have come this far."""
    if isinstance(error, BlinkError):
        return error
    if isinstance(error, OSError) and error.filename is not None:
        return BlinkError(
            f"{error.filename}: {error.strerror}.", hint="Check that it exists and who may read or write it."
        )
    if isinstance(error, OSError) and error.errno in _DISK_IS_FULL:
        # The system tells of a write no name.
        return BlinkError(
            f"{error.strerror}.", hint="What was to be written is not whole: make room, and run it again."
        )
    return BlinkError(
        f"Something went wrong that should not: {type(error).__name__}: {error}.",
        hint="Run it again with -v -v, and report what it prints.",
    )
