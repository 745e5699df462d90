"""`serve --detach`: a session that outlives the command and the terminal that started it.

    blink serve --detach      starts its own command line again, and waits for a byte from it, or for its end
      └─ the same, once more  is the session: asks for a passphrase, tells errors and the ready line where the command would, and then
                              leaves: a session of the kernel (setsid) without a terminal, standard streams closed, and the byte

So nothing is handed on: what the second process says is what the command says, and its exit code is the command's. It is started, not forked: a fork
copies an event loop and its threads, which do not survive that.
"""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import MutableMapping
from contextlib import suppress
from typing import Final, Self

from blink_cli.commands.parsing import ExitWith
from blink_cli.core.errors import BlinkError, UsageError
from blink_cli.core.exit_codes import ExitCode

_OPTION: Final = "--detach"
_TOLD_BY: Final = "BLINK_DETACHING"
"""In the environment of the second process: the descriptor that its byte is written to."""


class Detaching:
    """What the second process owes the first."""

    def __init__(self, ready: int) -> None:
        self._ready = ready

    @classmethod
    def of(cls, environment: MutableMapping[str, str]) -> Self | None:
        """Return it in the process that shall be the session, once; None in the one that the user started."""
        told = environment.pop(_TOLD_BY, None)
        return None if told is None else cls(int(told))

    def leave(self) -> None:
        """Leave the terminal and the standard streams, and let the command return. All has been said.

        What stays open are the session's own files: it was given no others.
        """
        if sys.platform != "win32":
            os.setsid()
        nowhere = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nowhere, stream)
        os.close(nowhere)
        with suppress(BrokenPipeError):  # the command was killed meanwhile: the session is ready all the same
            os.write(self._ready, b".")
        os.close(self._ready)


async def start_detached() -> None:
    """Run this command line again as a session in the background, and return when that is ready. Cancelling ends both.

    Raises:
        ExitWith: It could not start, and has said why.
        BlinkError: It ended without a word.
        UsageError: The system has no such sessions.

    """
    if sys.platform == "win32":
        raise UsageError(
            "--detach is not possible on Windows.", hint="Write `start /b blink serve` in place of it."
        )
    if _OPTION not in sys.orig_argv:
        raise UsageError(
            f"{_OPTION} is for the command line of a shell: here a session runs already.",
            hint="Write it in another terminal, with another --profile.",
        )
    ready, told = os.pipe()
    try:
        # The interpreter, its options and the program as they were started: installed, by pipx, or with `python -m`.
        process = subprocess.Popen(  # noqa: S603, ASYNC220 - ourselves; returns once it runs, and is watched by its pipe
            [sys.executable, *sys.orig_argv[1:]],
            env={**os.environ, _TOLD_BY: str(told)},
            pass_fds=(told,),
        )
    except OSError as error:
        os.close(ready)
        raise BlinkError(
            f"No second process can be started: {error.strerror}.",
            hint="Free some memory, or run `blink serve` without --detach.",
        ) from error
    finally:
        os.close(told)
    try:
        is_ready = await _byte_or_end(ready)
    except asyncio.CancelledError:
        process.send_signal(signal.SIGTERM)
        process.wait()
        raise
    finally:
        os.close(ready)
    if is_ready:
        process.returncode = 0  # nobody's child from now on: not waited for
        return
    code = process.wait()
    if code in list(ExitCode):
        raise ExitWith(ExitCode(code))
    raise BlinkError(
        f"The session ended before it was ready, by signal {-code}."
        if code < 0
        else f"The session ended before it was ready, with exit code {code}.",
        hint="Run `blink serve` without --detach to see what happens.",
    )


async def _byte_or_end(descriptor: int) -> bool:
    """Whether a byte came, not the end."""
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    loop.add_reader(descriptor, readable.set)
    try:
        await readable.wait()
    finally:
        loop.remove_reader(descriptor)
    return bool(os.read(descriptor, 1))
