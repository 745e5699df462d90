"""One machine reached by `ssh`: one connection, over which commands run, files travel and a session's control socket is reached.

    ssh -N -M -S SOCKET HOST         the connection: opened once, asks for nothing (keys or an agent)
    ssh -S SOCKET HOST COMMAND       commands: milliseconds each
    ssh -S SOCKET -O forward …       sockets

What `ssh` reads of the user's settings (names, keys, jumps, ports) holds here too.
"""

import asyncio
import shlex
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

from blink_cli.core.errors import BlinkError
from blink_cli.lab.requirements import require_program

CONNECT_S: Final = 15
COMMAND_S: Final = 30.0
_CONNECTED: Final = b"connected\n"


class SshError(BlinkError):
    """A machine cannot be reached, or refused what it was asked."""

    code = "ssh"


class SshConnection:
    """Belongs to one event loop. Made by `connected_to`."""

    def __init__(self, host: str, socket: Path) -> None:
        self.host = host
        self._socket = socket

    def command(self, *words: str) -> list[str]:
        """Return the argv that runs these words there: the other side's shell sees each as it is."""
        return [*self._ssh(), self.host, shlex.join(words)]

    async def run(self, *words: str, stdin: bytes = b"") -> bytes:
        """Run a command there and return what it prints.

        Raises:
            SshError: It failed, or took longer than `COMMAND_S`.

        """
        return await self._output(self.command(*words), stdin, f"`{shlex.join(words)}`")

    async def forward(self, here: Path, there: str) -> None:
        """Let a Unix socket here lead to one there.

        Raises:
            SshError: The other side's sshd does not let it (`AllowStreamLocalForwarding`).

        """
        await self._output(
            [*self._ssh("-O", "forward", "-L", f"{here}:{there}"), self.host], b"", "forwarding a socket"
        )

    def _ssh(self, *options: str) -> list[str]:
        return ["ssh", "-o", "BatchMode=yes", "-S", str(self._socket), *options]

    async def _output(self, argv: Sequence[str], stdin: bytes, what: str) -> bytes:
        # Files, not pipes: `ssh` hands what it was given to the process that has the connection, which keeps it for as long as the command
        # runs there. A pipe would not end with a killed `ssh`, and nor would waiting for it.
        with (
            tempfile.TemporaryFile() as given,
            tempfile.TemporaryFile() as out,
            tempfile.TemporaryFile() as err,
        ):
            given.write(stdin)
            given.seek(0)
            process = await asyncio.create_subprocess_exec(
                *argv,
                stdin=given,
                stdout=out,
                stderr=err,
                start_new_session=True,  # as below
            )
            try:
                async with asyncio.timeout(COMMAND_S):
                    await process.wait()
            except TimeoutError:
                raise SshError(
                    f"{self.host}: {what} took longer than {COMMAND_S:g} s.",
                    hint="Is that machine overloaded?",
                ) from None
            finally:
                if process.returncode is None:
                    with suppress(ProcessLookupError):
                        process.kill()
                    await process.wait()
            out.seek(0)
            err.seek(0)
            stdout, stderr = out.read(), err.read()
        if process.returncode != 0:
            said = stderr.decode(errors="replace").strip().splitlines()
            raise SshError(f"{self.host}: {what} failed: {said[-1] if said else 'without a word'}.")
        return stdout


@asynccontextmanager
async def connected_to(host: str) -> AsyncIterator[SshConnection]:
    """Connect, and close the connection in the end.

    Args:
        host: As `ssh` takes it: a name of its settings, `user@host`. Does not begin with `-`.

    Raises:
        UnavailableError: There is no `ssh` here.
        SshError: The machine cannot be reached without a question.

    """
    require_program("ssh", debian_package="openssh-client")
    with tempfile.TemporaryDirectory(prefix="blink-ssh-") as folder:
        socket = Path(folder) / "s"
        master = await asyncio.create_subprocess_exec(
            *("ssh", "-N", "-M", "-S", str(socket)),
            *("-o", "BatchMode=yes", "-o", f"ConnectTimeout={CONNECT_S}"),
            *("-o", "ServerAliveInterval=5", "-o", "ServerAliveCountMax=3", "-o", "StreamLocalBindMask=0177"),
            *("-o", "ControlPersist=no", "-o", "PermitLocalCommand=yes", "-o", "LocalCommand=echo connected"),
            host,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            # Ctrl-C is for the laboratory, which still needs the connection to end what runs there.
            start_new_session=True,
        )
        try:
            assert master.stdout is not None
            if await master.stdout.readline() != _CONNECTED:
                assert master.stderr is not None
                said = (await master.stderr.read()).decode(errors="replace").strip().splitlines()
                raise SshError(
                    f"{host} cannot be reached by ssh: {said[-1] if said else 'without a word'}.",
                    hint=f"`ssh -o BatchMode=yes {shlex.quote(host)} true` must work without a question: set up a key.",
                )
            yield SshConnection(host, socket)
        finally:
            with suppress(ProcessLookupError):
                master.terminate()
            await master.communicate()
