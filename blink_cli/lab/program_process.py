"""Starts `blink` and watches it: by exec, or as a copy of a process that has loaded everything (`fork_server`)."""

import asyncio
import atexit
import functools
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final, Protocol, Self

import msgspec
from typing_extensions import override

from blink_cli.lab.fork_server import LARGEST_ORDER, StartOrder

LARGEST_STDIN: Final = 32_768
"""Half of what a pipe takes at once."""

_READ_AT_START: Final = ("PYTHON", "LD_", "OPENBLAS", "MALLOC", "BLINK_LIBOPUS")
"""Beginnings of variables that are read before a process's first line."""


class ProgramProcess(Protocol):
    """A process whose standard output and error can be read: what of `asyncio.subprocess.Process` the lab uses."""

    @property
    def pid(self) -> int:
        """Its process id."""

    @property
    def returncode(self) -> int | None:
        """Its exit code, or the number of the signal that ended it, negated; None while it runs."""

    @property
    def stdout(self) -> asyncio.StreamReader | None:
        """What it prints."""

    @property
    def stderr(self) -> asyncio.StreamReader | None:
        """Its messages."""

    async def wait(self) -> int:
        """Wait for its end and return the exit code."""

    def terminate(self) -> None:
        """Send SIGTERM."""

    def kill(self) -> None:
        """Send SIGKILL."""


def can_fork(prefix: tuple[str, ...], added: Mapping[str, str]) -> bool:
    """Whether a copy is as good as a new process.

    Args:
        prefix: Words in front of the command.
        added: The variables that its environment has beside ours.

    """
    return (
        sys.platform == "linux" and not prefix and not any(name.startswith(_READ_AT_START) for name in added)
    )


async def fork(
    *arguments: str,
    environment: Mapping[str, str],
    namespace: str | None = None,
    stdin: bytes = b"",
    new_session: bool = False,
) -> "ForkedProcess":
    """Start `blink` with these arguments as a copy of a process that has loaded everything.

    Args:
        arguments: Behind `blink`.
        environment: All of its variables.
        namespace: The path of a network namespace to be in.
        stdin: All that it can read, at most `LARGEST_STDIN` bytes.
        new_session: Whether it leads a session and a process group of its own.

    """
    order = StartOrder(
        [os.fsencode(word) for word in arguments],
        {os.fsencode(name): os.fsencode(value) for name, value in environment.items()},
        bytes(Path.cwd()),
        new_session,
        None if namespace is None else os.fsencode(namespace),
    )
    return await ForkedProcess.start(order, stdin)


_LAST_WORDS_S: Final = 0.2
"""Behind the news that a process has ended, until its last words have been read."""


class _Pipe(asyncio.StreamReaderProtocol):
    """Our end of a pipe that a copy writes into."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        super().__init__(reader)
        self.closed = asyncio.Event()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.closed.set()


class ForkedProcess:
    """A copy that the fork server made, and its ends of the pipes to it."""

    def __init__(self, stdout: asyncio.StreamReader, stderr: asyncio.StreamReader) -> None:
        self.pid = 0
        self.returncode: int | None = None
        self.stdout, self.stderr = stdout, stderr
        self._pipes: list[tuple[asyncio.ReadTransport, _Pipe]] = []
        self._news: asyncio.StreamWriter | None = None
        self._ended: asyncio.Task[int] | None = None

    @classmethod
    async def start(cls, order: StartOrder, stdin: bytes) -> Self:
        """Start a process.

        Raises:
            RuntimeError: The fork server is gone.

        """
        assert len(stdin) <= LARGEST_STDIN
        message = msgspec.msgpack.encode(order)
        process = cls(asyncio.StreamReader(), asyncio.StreamReader())
        told, telling = socket.socketpair()
        told.settimeout(0)
        given, written = os.pipe()
        os.write(written, stdin)
        os.close(written)
        standard = [given]
        for reader in (process.stdout, process.stderr):
            end, far_end = os.pipe()
            standard.append(far_end)
            process._pipes.append(
                await asyncio.get_running_loop().connect_read_pipe(
                    functools.partial(_Pipe, reader), os.fdopen(end, "rb", buffering=0)
                )
            )
        with telling:
            socket.send_fds(_server(), [message], [*standard, telling.fileno()])
        for descriptor in standard:
            os.close(descriptor)
        news, process._news = await asyncio.open_connection(sock=told)  # a writer that nobody holds is closed
        process.pid = int(await news.readline() or b"0")
        if not process.pid:
            process._news.close()
            raise RuntimeError("The server that copies processes has ended.")
        process._ended = asyncio.get_running_loop().create_task(
            process._until_end(news), name=f"end of process {process.pid}"
        )
        return process

    async def _until_end(self, news: asyncio.StreamReader) -> int:
        try:
            self.returncode = int(await news.readline() or -signal.SIGKILL)
        finally:
            assert self._news is not None
            self._news.close()
        await self._close_pipes()
        return self.returncode

    async def _close_pipes(self) -> None:
        """What it said is read; whoever it has started may hold a pipe open for longer, and one that is full waits for its reader."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_LAST_WORDS_S):
                for _, pipe in self._pipes:
                    await pipe.closed.wait()
        for transport, _ in self._pipes:
            if transport.is_reading():
                transport.close()

    async def wait(self) -> int:
        """See `ProgramProcess.wait`."""
        assert self._ended is not None
        return await asyncio.shield(self._ended)

    async def communicate(self) -> tuple[bytes, bytes]:
        """Return all that it prints, when it has ended."""
        printed = await asyncio.gather(self.stdout.read(), self.stderr.read())
        await self.wait()
        return printed

    def terminate(self) -> None:
        """See `ProgramProcess.terminate`."""
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        """See `ProgramProcess.kill`."""
        self._send(signal.SIGKILL)

    def _send(self, number: signal.Signals) -> None:
        # The server takes the exit code, so the number may be another's by now only if we were told so.
        if self.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)


@functools.cache
def _server() -> socket.socket:
    """Start the fork server when it is first needed. It ends with this process."""
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, LARGEST_ORDER)
    root = str(Path(__file__).resolve().parents[2])
    with its:
        server = subprocess.Popen(
            (sys.executable, "-m", "blink_cli.lab.fork_server", str(its.fileno())),
            pass_fds=(its.fileno(),),
            stdin=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": root},
            start_new_session=True,
        )

    @atexit.register
    def end() -> None:
        ours.close()
        with suppress(KeyboardInterrupt):  # it ends by itself, waited for or not
            server.wait()

    return ours
