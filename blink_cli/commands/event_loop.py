"""The event loop under a command of the shell."""

import asyncio
import functools
import signal
import sys
import threading
from collections.abc import Callable, Coroutine
from typing import Any

from blink_cli.commands.ending_signals import ending_signals
from blink_cli.commands.invocation import Job
from blink_cli.commands.last_resort import end_in_time
from blink_cli.core.exit_codes import ExitCode


def run_job(job: Job, report: Callable[[BaseException], int]) -> None:
    """Run a command to its end on an event loop of its own. SIGINT, SIGTERM and SIGHUP cancel it.

    Args:
        job: The command.
        report: Tells the user a failure and returns the exit code; called only where the end of the process cannot be waited for.

    Raises:
        KeyboardInterrupt: It was interrupted.
        BlinkError: It failed.

    """
    last_resort: threading.Timer | None = None
    try:
        with asyncio.Runner(loop_factory=loop_factory(hosts=job.hosts)) as runner:
            last_words: Callable[[], int] = lambda: ExitCode.DONE  # noqa: E731 - it has no name to say
            try:
                runner.run(_until_terminated(job.run))
            except BaseException as failure:
                last_words = functools.partial(report, failure)
                raise
            finally:
                # The loop waits for its worker threads, and one may be inside a sound library for good.
                if "sounddevice" in sys.modules:
                    last_resort = end_in_time(last_words)
    finally:
        if last_resort is not None:
            last_resort.cancel()


async def _until_terminated(job: Coroutine[Any, Any, None]) -> None:
    """Let SIGTERM and a terminal that is gone end a command as cleanly as SIGINT does, and SIGINT also where it was ignored when the command started.

    A shell without job control starts `blink offer … &` with SIGINT ignored; Python then installs no handler of its own.
    """
    task = asyncio.current_task()
    assert task is not None  # we are in one
    terminated = False

    def terminate() -> None:
        nonlocal terminated
        terminated = True
        task.cancel()

    if sys.platform != "win32":
        for number in ending_signals():
            # Python's own handler of SIGINT does the same.
            if number is not signal.SIGINT or signal.getsignal(number) is signal.SIG_IGN:
                asyncio.get_running_loop().add_signal_handler(number, terminate)
    try:
        await job
    except asyncio.CancelledError:
        if terminated:
            raise KeyboardInterrupt from None
        raise


def loop_factory(*, hosts: bool) -> Any:
    """Return what makes the event loop: uvloop's for a session, where there is one; it halves the cost of a packet."""
    if hosts and sys.platform != "win32":
        import uvloop  # noqa: PLC0415 - 30 ms that attached commands do not need

        return uvloop.new_event_loop
    return None
