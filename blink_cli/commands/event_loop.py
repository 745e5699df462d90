"""The event loop under a command of the shell."""

import asyncio
import signal
import sys
from collections.abc import Coroutine
from typing import Any

from blink_cli.commands.command import Job


def run_job(job: Job) -> None:
    """Run a command to its end on an event loop of its own. SIGINT and SIGTERM cancel it.

    Raises:
        KeyboardInterrupt: It was interrupted.
        BlinkError: It failed.

    """
    with asyncio.Runner(loop_factory=loop_factory(hosts=job.hosts)) as runner:
        runner.run(_until_terminated(job.run))


async def _until_terminated(job: Coroutine[Any, Any, None]) -> None:
    """Let SIGTERM end a command as cleanly as SIGINT does."""
    task = asyncio.current_task()
    assert task is not None  # we are in one
    terminated = False

    def terminate() -> None:
        nonlocal terminated
        terminated = True
        task.cancel()

    if sys.platform != "win32":
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, terminate)
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
