"""A machine that is reached by ssh: its sessions are processes there, its files are copied, its control sockets lead here.

send a sound file ──> blink serve --input file:… --output wav:… ──> fetch what was heard
                            │ control socket, forwarded
                            └──> Watched, as of a session here
"""

import asyncio
import io
import json
import shlex
import signal
import tarfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import Final, Self

from typing_extensions import override

from blink_cli.app.control.control_socket import ControlDoor, UnixDoor
from blink_cli.lab.program_process import ProgramProcess
from blink_cli.lab.program_run import CommandError
from blink_cli.lab.real.ssh import SshConnection, SshError, connected_to
from blink_cli.lab.sessions import Machine, Session

_WHILE_HELD: Final = """
exec 3<&0
"$@" 3<&- </dev/null & child=$!
{ cat <&3; kill -9 $child; } >/dev/null 2>&1 & watcher=$!
exec 3<&-
wait $child; code=$?
kill $watcher 2>/dev/null
exit $code
"""
"""For `sh -c`, with words behind it: a program that is killed when stdin ends, because this side has gone or does not want it any more."""


class RemoteSession(Session):
    """A `blink serve` on another machine. The process here is the `ssh` that shows what it prints."""

    def __init__(self, machine: "RemoteMachine", profile: str) -> None:
        super().__init__(machine, profile)
        self._ssh = machine.ssh
        self._there_pid: int | None = None

    @override
    async def start(self, *options: str) -> Self:
        await super().start(*options)
        self._there_pid = int(json.loads(self.first_line)["pid"])
        return self

    @override
    async def send_signal(self, number: signal.Signals) -> None:
        assert self._there_pid is not None, "not started"
        try:
            await self._ssh.run("kill", f"-{number.value}", str(self._there_pid))
        except SshError:
            if self.process is not None and self.process.returncode is not None:
                raise CommandError(self.report("has ended by itself")) from None
            raise

    @override
    async def aclose(self) -> None:
        if self.process is not None and self.process.returncode is None and self._there_pid is not None:
            with suppress(SshError, CommandError):  # the connection has ended meanwhile, or it has
                await self.send_signal(signal.SIGKILL)
        await super().aclose()


class RemoteMachine(Machine):
    """See the top of the file. Made by `remote_machine`."""

    def __init__(self, ssh: SshConnection, folder: PurePosixPath, program: Sequence[str], group: str) -> None:
        super().__init__(group=group, interface=None)
        self.ssh = ssh
        self.program = tuple(program)
        self._folder = folder

    @override
    def command(self, profile: str, *arguments: str) -> list[str]:
        return self.ssh.command(*self._words(profile, arguments))

    def _words(self, profile: str, arguments: Sequence[str]) -> list[str]:
        data = self._folder / f"data-{profile}"
        # No variable of ours goes there, and no setting of that user's counts.
        clean = ("env", "-u", "BLINK_PROFILE", "-u", "BLINK_DATA_DIR", "-u", "BLINK_PASSPHRASE", "NO_COLOR=1")
        return [*clean, *self.program, "--profile", profile, "--data-dir", str(data), *arguments]

    @override
    def can_fork(self) -> bool:
        return False

    @override
    async def start(self, profile: str, *arguments: str) -> ProgramProcess:
        return await asyncio.create_subprocess_exec(
            *self.ssh.command("sh", "-c", _WHILE_HELD, "sh", *self._words(profile, arguments)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )

    @override
    def new_session(self, profile: str) -> Session:
        return RemoteSession(self, profile)

    @override
    async def door(self, profile: str) -> ControlDoor:
        near = self.directory / f"door-{profile}"
        near.mkdir(mode=0o700, exist_ok=True)
        door = UnixDoor(near)
        door.path.unlink(missing_ok=True)
        there = self._folder / f"data-{profile}" / "run" / profile / door.path.name
        await self.ssh.forward(door.path, str(there))
        return door

    @override
    def there(self, path: Path) -> str:
        return str(self._folder / path.name)

    @override
    async def send(self, path: Path) -> None:
        content = await asyncio.to_thread(path.read_bytes)
        await self.ssh.run("sh", "-c", f"cat > {shlex.quote(self.there(path))}", stdin=content)

    @override
    async def make_folder(self, path: Path) -> None:
        await self.ssh.run("mkdir", self.there(path))

    @override
    async def fetch(self, path: Path) -> None:
        # A session that never played has no file of its loudspeaker.
        script = 'cd "$1"; if [ -e "$2" ]; then exec tar -cf - "$2"; else exec tar -cf - -T /dev/null; fi'
        packed = await self.ssh.run("sh", "-c", script, "fetch", str(self._folder), path.name)
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            archive.extractall(path.parent, filter="data")

    @override
    async def aclose(self) -> None:
        await super().aclose()
        with suppress(SshError):  # the connection is gone: its temporary folder stays there
            await self.ssh.run("rm", "-rf", str(self._folder))


@asynccontextmanager
async def remote_machine(host: str, program: Sequence[str], group: str) -> AsyncIterator[RemoteMachine]:
    """Reach a machine, and leave nothing on it.

    Args:
        host: As `ssh` takes it.
        program: The words that run `blink` there.
        group: `ADDRESS:PORT` of the gossip.

    Raises:
        SshError: It cannot be reached, or has no such program.

    """
    async with connected_to(host) as ssh:
        try:
            await ssh.run(*program, "--version")
        except SshError as error:
            raise SshError(
                f"{host} does not run {shlex.join(program)}: {error.message}",
                hint='Say where it is: `program = "/path/to/blink"` of that participant.',
            ) from error
        # Short: the path of a Unix socket has at most 103 bytes.
        folder = (await ssh.run("mktemp", "-d", "-t", "blink-lab-XXXXXX")).decode().strip()
        async with RemoteMachine(ssh, PurePosixPath(folder), program, group) as machine:
            yield machine
