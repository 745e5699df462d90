"""A program that runs to its end, and what it printed."""

import asyncio
import json
import time
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from blink_cli.lab.program_process import ForkedProcess

COMMAND_TIMEOUT_S: Final = 30.0


class CommandError(AssertionError):
    """A process did not do what the caller needs; says everything it printed."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A command that ended."""

    command: str
    exit_code: int
    stdout: str
    stderr: str
    duration_s: float

    @property
    def json(self) -> Any:
        """The one document on stdout."""
        try:
            return json.loads(self.stdout)
        except ValueError as error:
            raise CommandError(f"no JSON document: {self.report()}") from error

    def report(self) -> str:
        """Everything there is to know about the run, for a failure's message."""
        return (
            f"{self.command}\n  exit code {self.exit_code} after {self.duration_s:.2f} s"
            f"\n  stdout: {self.stdout.strip() or '-'}\n  stderr: {self.stderr.strip() or '-'}"
        )


async def run_program(
    *argv: str,
    timeout_s: float = COMMAND_TIMEOUT_S,
    stdin: str | bytes = "",
    environment: Mapping[str, str] | None = None,
) -> Finished:
    """Run a program to its end. It is killed, and `CommandError` raised, after `timeout_s`."""
    started = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        *argv,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment,
    )
    given = stdin.encode() if isinstance(stdin, str) else stdin
    return await to_its_end(argv, process, process.communicate(given), started, timeout_s)


async def to_its_end(
    argv: Sequence[str],
    process: asyncio.subprocess.Process | ForkedProcess,
    communication: Coroutine[Any, Any, tuple[bytes, bytes]],
    started_s: float,
    timeout_s: float,
) -> Finished:
    """Wait until a process that was started has ended, which is killed after `timeout_s`.

    Args:
        argv: How it was started, for messages.
        process: It.
        communication: Reads what it prints, to its end.
        started_s: Monotonic.
        timeout_s: How long that may take, from now on.

    Raises:
        CommandError: It had to be killed.

    """
    # A task of its own: what was printed before the time ran out is kept.
    reading = asyncio.get_running_loop().create_task(communication, name="output")
    try:
        done, _ = await asyncio.wait((reading,), timeout=timeout_s)
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
        stdout, stderr = await reading
    finished = Finished(
        " ".join(argv),
        process.returncode if process.returncode is not None else -1,
        stdout.decode(errors="replace"),
        stderr.decode(errors="replace"),
        time.monotonic() - started_s,
    )
    if not done:
        raise CommandError(f"not done after {timeout_s} s: {finished.report()}")
    return finished
