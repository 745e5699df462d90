"""An echo peer of this session's own: another process on this machine, for a call with oneself through the whole program.

It has an identity and a folder for its one call, hears the same group on the same interfaces, and ends after the call, when nobody calls it, when it is told
to, and with this session.
"""

import asyncio
import contextlib
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Final

import msgspec

from blink_cli.core.api.replies.echo import EchoStarted
from blink_cli.core.api.session_options import SessionOptions
from blink_cli.core.errors import BlinkError
from blink_cli.core.ids import Did

START_S: Final = 20.0
IDLE_S: Final = 30.0
"""It ends by itself when nobody calls it for so long: also after this session was killed."""

END_S: Final = 5.0
PROFILE: Final = "echo"


class _Ready(msgspec.Struct):
    did: str
    nickname: str
    pid: int


class LocalEcho:
    """One at a time. Belongs to the event loop."""

    def __init__(self, options: SessionOptions) -> None:
        """Run nothing yet. The options are those of this session: how it is reached."""
        self._options = options
        self._process: asyncio.subprocess.Process | None = None
        self._folder: Path | None = None
        self._changing = asyncio.Lock()
        """Held while one is started or ended: another one waits for that."""

    async def start(self, stretch_s: float) -> EchoStarted:
        """Start one, in place of one that runs, and return when it answers.

        Raises:
            BlinkError: It does not start.

        """
        async with self._changing:
            return await self._start(stretch_s)

    async def _start(self, stretch_s: float) -> EchoStarted:
        await self._stop()
        self._folder = await asyncio.to_thread(lambda: Path(tempfile.mkdtemp(prefix="blink-echo-")))
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self._command(self._folder, stretch_s),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C in the terminal is for this session
            )
            assert self._process.stdout is not None, "it is a pipe"
            async with asyncio.timeout(START_S):
                line = await self._process.stdout.readline()
            ready = msgspec.json.decode(line, type=_Ready)
        except (OSError, TimeoutError, msgspec.DecodeError) as error:
            await self._stop()
            raise BlinkError(
                "The echo peer beside this session did not start.",
                hint="`blink echo` in another terminal says why.",
            ) from error
        except BaseException:
            await self._stop()
            raise
        return EchoStarted(did=Did(ready.did), nickname=ready.nickname, pid=ready.pid)

    async def stop(self, pid: int | None = None) -> None:
        """End it, if it runs; given a process, only if it is that one."""
        if pid is None and self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.terminate()  # who waits for its first word waits no longer
        async with self._changing:
            if pid is None or (self._process is not None and self._process.pid == pid):
                await self._stop()

    async def _stop(self) -> None:
        process, self._process = self._process, None
        folder, self._folder = self._folder, None
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            try:
                async with asyncio.timeout(END_S):
                    await process.wait()
            except TimeoutError:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        if folder is not None:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    def _command(self, folder: Path, stretch_s: float) -> list[str]:
        options = self._options
        how = ["--stretch", f"{stretch_s:g}"] if stretch_s else ["--live"]
        reach = ["--group", options.group]
        for interface in options.interfaces:
            reach += ["--interface", interface]
        for neighbour in options.neighbours:
            reach += ["--neighbour", neighbour]
        if not options.discovery:
            reach.append("--no-discovery")
        return [
            sys.executable,
            "-m",
            "blink_cli",
            "--profile",
            PROFILE,
            "--data-dir",
            str(folder),
            "--json",
            "echo",
            *how,
            "--calls",
            "1",
            "--idle",
            f"{IDLE_S:g}",
            *reach,
        ]
