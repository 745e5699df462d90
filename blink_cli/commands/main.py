"""From a command line to an exit code: parse, run, and say in one sentence what went wrong."""

import os
import sys
from collections.abc import Sequence

import typer

from blink_cli.commands.command import Invocation, Job
from blink_cli.commands.desk import Desk
from blink_cli.commands.global_options import GlobalOptions
from blink_cli.commands.program import entry_point
from blink_cli.commands.session_sources import ProfileSource
from blink_cli.core.errors import BlinkError, UsageError
from blink_cli.core.exit_codes import ExitCode
from blink_cli.core.session_options import SessionOptions


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line and return the process's exit code. Prints every error; never raises one that a user can cause."""
    line = list(sys.argv[1:] if arguments is None else arguments)
    options = GlobalOptions.from_environment()
    invocation = Invocation(options, desk=_desk, without_command=_without_command)
    job: Job | None = None
    try:
        job = parse(line, invocation)
        if job is not None:
            from blink_cli.commands.event_loop import run_job  # noqa: PLC0415 - asyncio: `--help` needs none

            run_job(job)
        _finish_output()
    except BrokenPipeError:
        _close_output()  # its reader has read enough
        return ExitCode.DONE
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except ExitWith as ending:
        return ending.code
    except Exception as error:  # noqa: BLE001 - the one place where errors become sentences, unknown ones too
        desk = job.desk if job is not None else _desk(invocation.options.changed(json="--json" in line))
        if desk.options.traceback:
            import traceback  # noqa: PLC0415 - rarely needed

            traceback.print_exc()
        shown = as_blink_error(error)
        desk.output.error(shown)
        return shown.exit_code
    return ExitCode.DONE


def _finish_output() -> None:
    """Write out what is left, so that a full disk is an error of the command.

    Raises:
        BlinkError: It cannot be written.
        BrokenPipeError: Nobody reads it any more.

    """
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        _close_output()
        raise BlinkError(f"The output cannot be written: {error.strerror}.") from error


def _close_output() -> None:
    # Python would try, and complain, once more when it flushes at exit.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class ExitWith(Exception):  # noqa: N818 - an ending, not an error
    """End with this code; everything has been said."""

    def __init__(self, code: ExitCode) -> None:
        super().__init__(code)
        self.code = code


def parse(line: Sequence[str], invocation: Invocation, *, program_name: str = "blink") -> Job | None:
    """Read a command line; None when it asked for help or the version, which is printed then.

    Raises:
        UsageError: It is wrong.

    """
    try:
        outcome = entry_point().main(
            args=list(line), prog_name=program_name, standalone_mode=False, obj=invocation
        )
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
        hint=f"`{f'{path} --help'.strip()}` shows how it is used",
    )


def as_blink_error(error: Exception) -> BlinkError:
    """Return the error itself, or one that says that it should not have come this far."""
    if isinstance(error, BlinkError):
        return error
    if isinstance(error, OSError) and error.filename is not None:
        return BlinkError(
            f"{error.filename}: {error.strerror}.", hint="check that it exists and who may read or write it"
        )
    return BlinkError(
        f"Something went wrong that should not: {type(error).__name__}: {error}.",
        hint="run it again with -v -v, and report what it prints",
    )


def _desk(options: GlobalOptions) -> Desk:
    return Desk(options, ProfileSource(options))


def _without_command(invocation: Invocation, keep_going: bool) -> Job:  # noqa: FBT001 - Typer's value, passed on
    from blink_cli.commands.interactive import prompt_or_script  # noqa: PLC0415 - only `blink` alone needs it

    desk = invocation.desk(invocation.options)
    return Job(run=prompt_or_script(desk, SessionOptions(), keep_going=keep_going), desk=desk, hosts=True)
