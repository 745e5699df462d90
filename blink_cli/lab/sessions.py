"""Real `blink` processes, driven as a shell script drives them.

    async with Machine() as machine:
        alice = await machine.serve("alice", "--input", f"file:{speech}", "--output", f"wav:{heard}")
        call = (await alice.blink("offer", "bob", "--wait", "5")).json["call"]

Each machine has its own directories, multicast group and port, so tests may run beside each other. A host of the
network lab is a machine whose processes are in a network namespace.
"""

import asyncio
import json
import os
import secrets
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from blink_cli.app.control.control_socket import ControlDoor, UnixDoor
from blink_cli.app.profile.profile import find_profile
from blink_cli.lab.program_process import LARGEST_STDIN, ProgramProcess, can_fork, fork
from blink_cli.lab.program_run import COMMAND_TIMEOUT_S, CommandError, Finished, run_program, to_its_end
from blink_cli.lab.session_events import Events

PROGRAM = (sys.executable, "-m", "blink_cli")

START_TIMEOUT_S = 20.0
"""A session starts in about a second on a quiet machine; CI machines are not quiet."""

STOP_TIMEOUT_S = 10.0


class Session:
    """A running `blink serve`, and the commands of its profile."""

    def __init__(self, machine: "Machine", profile: str) -> None:
        self.machine = machine
        self.profile = profile
        self.did = ""
        self.nickname = ""
        self.process: ProgramProcess | None = None
        self._command = ""
        self._stdout: list[str] = []
        self._stderr: list[str] = []
        self._readers: list[asyncio.Task[None]] = []
        self._ready = asyncio.Event()

    @property
    def pid(self) -> int:
        """The session's process."""
        assert self.process is not None, "not started"
        return self.process.pid

    @property
    def stderr(self) -> str:
        """Its messages so far."""
        return "".join(self._stderr)

    @property
    def complaints(self) -> str:
        """Its messages so far, without the one that its identity is new."""
        return "".join(line for line in self._stderr if not line.startswith("made a new identity "))

    async def start(self, *options: str) -> Self:
        """Start `serve` and wait until it says that it is ready.

        Raises:
            CommandError: It ended instead, or said nothing.

        """
        arguments = ("--json", "serve", "--nickname", self.profile, *options)
        self._command = " ".join(self.machine.command(self.profile, *arguments))
        self.process = await self.machine.start(self.profile, *arguments)
        loop = asyncio.get_running_loop()
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self._readers = [
            loop.create_task(self._read(self.process.stdout, self._stdout), name=f"{self.profile} stdout"),
            loop.create_task(self._read(self.process.stderr, self._stderr), name=f"{self.profile} stderr"),
        ]
        ended = loop.create_task(self.process.wait(), name=f"{self.profile} end")
        ready = loop.create_task(self._ready.wait(), name=f"{self.profile} ready")
        try:
            await asyncio.wait((ended, ready), timeout=START_TIMEOUT_S, return_when=asyncio.FIRST_COMPLETED)
            if not ready.done():
                if ended.done():
                    await asyncio.gather(*self._readers)
                raise CommandError(self.report("is not ready"))
        finally:
            for task in (ended, ready):
                task.cancel()
            await asyncio.gather(ended, ready, return_exceptions=True)
        try:
            line = json.loads(self.first_line)
            is_ready = line["event"] == "ready"
            self.did, self.nickname = line["did"], line["nickname"]
        except (ValueError, TypeError, KeyError):
            # Another program, or what its machine prints at every login.
            is_ready = False
        if not is_ready:
            raise CommandError(self.report("did not say ready first"))
        return self

    @property
    def first_line(self) -> str:
        """What it printed when it was ready: a JSON document."""
        return self._stdout[0]

    async def _read(self, stream: asyncio.StreamReader, lines: list[str]) -> None:
        while line := await stream.readline():
            lines.append(line.decode(errors="replace"))
            if lines is self._stdout:
                self._ready.set()

    def report(self, what: str) -> str:
        """Say what is wrong, with everything the session printed."""
        code = self.process.returncode if self.process else None
        return (
            f"the session {self.profile} {what} (exit code {code}): {self._command}"
            f"\n  stdout: {''.join(self._stdout).strip() or '-'}\n  stderr: {self.stderr.strip() or '-'}"
        )

    async def blink(
        self, *arguments: str, expect: int | None = 0, timeout_s: float = COMMAND_TIMEOUT_S
    ) -> Finished:
        """Run one command of this profile with `--json`.

        Args:
            arguments: The command and its arguments.
            expect: The exit code that it must have; None for any.
            timeout_s: It is killed, and the test fails, after this.

        """
        finished = await self.machine.run(self.profile, "--json", *arguments, timeout_s=timeout_s)
        if expect is not None and finished.exit_code != expect:
            raise CommandError(
                f"exit code {expect} was expected: {finished.report()}\n{self.report('printed')}"
            )
        return finished

    async def ask(self, *arguments: str) -> Any:
        """Run a command that must succeed and return its JSON document."""
        return (await self.blink(*arguments)).json

    async def until(
        self,
        command: str,
        holds: Callable[[Any], bool],
        *,
        timeout_s: float = 15.0,
        what: str = "the condition",
    ) -> Any:
        """Ask again and again until the answer is as wanted, and return it.

        Each round is a process of its own, which paces the loop by itself; `events` is cheaper where there is one.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            finished = await self.blink(command, expect=None)
            if finished.exit_code == 0 and holds(finished.json):
                return finished.json
            if time.monotonic() > deadline:
                raise CommandError(
                    f"{what} was not so in {timeout_s} s: {finished.report()}\n{self.report('printed')}"
                )

    async def events(self) -> Events:
        """Follow this session's events from now on."""
        following = await self.machine.start(self.profile, "--json", "events", "--follow")
        return await Events(following, self.report).open()

    async def quit(self) -> int:
        """End the session by its own command and return its exit code."""
        await self.blink("quit")
        return await self.ended()

    async def terminate(self) -> int:
        """End the session by SIGTERM and return its exit code."""
        await self.send_signal(signal.SIGTERM)
        return await self.ended()

    async def send_signal(self, number: signal.Signals) -> None:
        """Send a signal to the session's process, wherever it is.

        Raises:
            CommandError: It has ended by itself.

        """
        try:
            self.signal(number)
        except ProcessLookupError:
            raise CommandError(self.report("has ended by itself")) from None

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the session's process, which is on this machine."""
        os.kill(self.pid, number)

    async def ended(self, timeout_s: float = STOP_TIMEOUT_S) -> int:
        """Wait until the process has ended and return its exit code."""
        assert self.process is not None, "not started"
        try:
            async with asyncio.timeout(timeout_s):
                code = await self.process.wait()
        except TimeoutError:
            raise CommandError(self.report(f"has not ended after {timeout_s} s")) from None
        await asyncio.gather(*self._readers)
        return code

    async def aclose(self) -> None:
        """Make sure that nothing is left, however the test went."""
        if self.process is None:
            return
        if self.process.returncode is None:
            with suppress(ProcessLookupError):
                self.signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(STOP_TIMEOUT_S):
                    await self.process.wait()
            except TimeoutError:
                pass
        # A frozen or wedged session, and whatever it has started itself.
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        await self.process.wait()
        await asyncio.gather(*self._readers)


class Machine:
    """Where sessions run: directories, a multicast group and port, and the words in front of a command.

    Use as a context manager: at its end every session has ended and the directories are gone.

    Its processes are copies of one that has loaded the program, where that makes no difference (`fork_server`); a prefix, `env` for one,
    makes them new ones.
    """

    program: Sequence[str] = PROGRAM
    """The words that run `blink`."""

    def __init__(
        self,
        *,
        prefix: Sequence[str] = (),
        namespace: str | None = None,
        group: str | None = None,
        interface: str | None = "127.0.0.1",
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Describe a machine.

        Args:
            prefix: What comes before each command, such as `prlimit --fsize=60000`.
            namespace: The path of the network namespace in which all runs; None for ours.
            group: `ADDRESS:PORT` of the gossip; None for one that nobody else uses.
            interface: The IPv4 address that sessions use; None for their default, which is all.
            environment: What is added to every process's environment, such as a sound server's address.

        """
        self._added = dict(environment or {})
        self.prefix = tuple(prefix)
        self.namespace = namespace
        self.group = group or free_group()
        self.interface = interface
        self.sessions: dict[str, Session] = {}
        # Short: the path of a Unix socket has at most 107 bytes.
        self.directory = Path(tempfile.mkdtemp(prefix="blink-test-"))
        self.runtime = self.directory / "run"
        self.runtime.mkdir(mode=0o700)

    @property
    def environment(self) -> dict[str, str]:
        """The environment of every process: the user's, but for what would let runs meet or look different."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("BLINK_")}
        root = Path(__file__).resolve().parent.parent.parent
        return {
            **kept,
            "HOME": str(self.directory),
            "XDG_RUNTIME_DIR": str(self.runtime),
            "PYTHONPATH": str(root),
            "NO_COLOR": "1",
            "COLUMNS": "120",
            **self._added,
        }

    def data_directory(self, profile: str) -> Path:
        """Where one profile keeps its files."""
        return self.directory / f"data-{profile}"

    def command(self, profile: str, *arguments: str) -> list[str]:
        """Return the argv of one command of a profile."""
        enter = ("nsenter", f"--net={self.namespace}") if self.namespace else ()
        return [*enter, *self.prefix, *self.program, *self._arguments(profile, arguments)]

    def _arguments(self, profile: str, arguments: Sequence[str]) -> list[str]:
        return ["--profile", profile, "--data-dir", str(self.data_directory(profile)), *arguments]

    def can_fork(self) -> bool:
        """Whether its processes are copies of one that has loaded the program."""
        return self.program == PROGRAM and can_fork(self.prefix, self._added)

    async def start(self, profile: str, *arguments: str) -> ProgramProcess:
        """Start one command of a profile, in a process group of its own, with nothing to read."""
        if self.can_fork():
            return await fork(
                *self._arguments(profile, arguments),
                environment=self.environment,
                namespace=self.namespace,
                new_session=True,
            )
        return await asyncio.create_subprocess_exec(
            *self.command(profile, *arguments),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=self.environment,
            start_new_session=True,
        )

    async def run(
        self, profile: str, *arguments: str, timeout_s: float = COMMAND_TIMEOUT_S, stdin: str | bytes = ""
    ) -> Finished:
        """Run one command to its end. It is killed, and `CommandError` raised, after `timeout_s`."""
        argv = self.command(profile, *arguments)
        given = stdin.encode() if isinstance(stdin, str) else stdin
        if not self.can_fork() or len(given) > LARGEST_STDIN:
            return await run_program(*argv, timeout_s=timeout_s, stdin=given, environment=self.environment)
        started = time.monotonic()
        process = await fork(
            *self._arguments(profile, arguments),
            environment=self.environment,
            namespace=self.namespace,
            stdin=given,
        )
        return await to_its_end(argv, process, process.communicate(), started, timeout_s)

    async def serve(self, profile: str, *options: str) -> Session:
        """Start a session on this machine's group and wait until it is ready."""
        session = self.new_session(profile)
        self.sessions[profile] = session
        interface = ("--interface", self.interface) if self.interface else ()
        return await session.start("--group", self.group, *interface, *options)

    def new_session(self, profile: str) -> Session:
        """Make a session of this machine that is not started."""
        return Session(self, profile)

    async def door(self, profile: str) -> ControlDoor:
        """Return the way to a running session's control socket."""
        return UnixDoor(find_profile(profile, self.data_directory(profile)).runtime_dir)

    # files: here and where the sessions are is the same

    def there(self, path: Path) -> str:
        """Return how its sessions name a file of the laboratory."""
        return str(path)

    async def send(self, path: Path) -> None:
        """Bring a file to its sessions."""

    async def make_folder(self, path: Path) -> None:
        """Make a folder for its sessions."""
        await asyncio.to_thread(path.mkdir)

    async def fetch(self, path: Path) -> None:
        """Bring what its sessions wrote, a file or a folder, to the same path here."""

    async def aclose(self) -> None:
        """End every session and remove the directories."""
        await asyncio.gather(*(session.aclose() for session in self.sessions.values()))
        shutil.rmtree(self.directory, ignore_errors=True)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


def free_group() -> str:
    """Return `ADDRESS:PORT` of a multicast group that no other run is likely to use, on a port that is free now."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("", 0))
        port = probe.getsockname()[1]
    return f"239.255.{secrets.randbelow(254) + 1}.{secrets.randbelow(254) + 1}:{port}"
