"""From a command line to an exit code: parse, run, and say in one sentence what went wrong."""

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from blink_cli.commands.global_options import GlobalOptions
from blink_cli.commands.invocation import Invocation, Job
from blink_cli.commands.parsing import ExitWith, as_blink_error, parse
from blink_cli.commands.program import entry_point
from blink_cli.core.errors import BlinkError
from blink_cli.core.exit_codes import ExitCode

if TYPE_CHECKING:
    from blink_cli.commands.command_context import CommandContext


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line and return the process's exit code. Prints every error; never raises one that a user can cause."""
    line = list(sys.argv[1:] if arguments is None else arguments)
    options = GlobalOptions.from_environment()
    invocation = Invocation(options, context=_context, without_command=_without_command)
    job: Job | None = None

    def report(failure: BaseException) -> int:
        changed = invocation.options.changed(json="--json" in line)
        return _report(failure, job.context if job is not None else _context(changed))

    try:
        if "_BLINK_COMPLETE" in os.environ:
            _complete()
            return ExitCode.DONE
        job = parse(entry_point(), line, invocation)
        if job is not None and job.asks_only:
            from blink_cli.commands.asking import run_asking  # noqa: PLC0415 - the socket: `--help` needs none

            run_asking(job)
        elif job is not None:
            from blink_cli.commands.event_loop import run_job  # noqa: PLC0415 - asyncio: `--help` needs none

            run_job(job, report)
        _finish_output()
    except (Exception, KeyboardInterrupt) as failure:  # noqa: BLE001 - unknown errors become sentences too
        return report(failure)
    return ExitCode.DONE


def _report(failure: BaseException, context: "CommandContext") -> int:
    """Tell a failure, if it is one, and return the exit code: the one place where errors become sentences."""
    match failure:
        case BrokenPipeError():
            _close_output()  # its reader has read enough
            return ExitCode.DONE
        case ExitWith(code=code):
            return code
        case Exception():
            if context.options.traceback:
                import traceback  # noqa: PLC0415 - rarely needed

                traceback.print_exception(failure)
            shown = as_blink_error(failure)
            try:
                context.output.error(shown)
            except OSError:
                _close_output()  # nobody reads it, or it has no room: the exit code is left to tell
            return shown.exit_code
        case _:
            return ExitCode.INTERRUPTED


def _complete() -> None:
    from blink_cli.commands.completion_answer import answer  # noqa: PLC0415 - only when Tab is pressed

    answer(entry_point(), os.environ)


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


def _context(options: GlobalOptions) -> "CommandContext":
    from blink_cli.commands.command_context import CommandContext  # noqa: PLC0415 - requests and replies: `--help` needs none
    from blink_cli.commands.session_sources import ProfileSource  # noqa: PLC0415 - as above

    return CommandContext(options, ProfileSource(options), commands=entry_point)


def _without_command(invocation: Invocation, keep_going: bool) -> Job:  # noqa: FBT001 - Typer's value, passed on
    from blink_cli.commands.interactive import prompt_or_script  # noqa: PLC0415 - only `blink` alone needs it
    from blink_cli.core.api.session_options import SessionOptions  # noqa: PLC0415 - as above

    context = invocation.context(invocation.options)
    return Job(
        run=prompt_or_script(context, SessionOptions(), keep_going=keep_going), context=context, hosts=True
    )
