"""The prompt: a line at a time, a live panel above it, and events told above both.

bob joined                                 <- events and answers scroll here
in call c0ffee00  2 of 2 there             <- the panel: part of the prompt's own message, drawn again by prompt_toolkit
* bob      connected   lost 0  late 0
blink>                                     <- the line
"""

import asyncio
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any, Final

from prompt_toolkit import PromptSession
from prompt_toolkit.formatted_text import ANSI
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.input import Input
from prompt_toolkit.output import ColorDepth, Output
from prompt_toolkit.patch_stdout import patch_stdout

from blink_cli.commands.completion import LineCompleter
from blink_cli.commands.global_options import GlobalOptions
from blink_cli.commands.lines import Lines
from blink_cli.commands.live_view import LiveView
from blink_cli.commands.main import as_blink_error
from blink_cli.commands.output import Output as CommandOutput
from blink_cli.commands.panel import panel, to_ansi
from blink_cli.commands.program import entry_point
from blink_cli.commands.session_sources import PresentSource
from blink_cli.core.requests import Quit
from blink_cli.core.session_port import SessionPort
from blink_cli.net.tasks import TaskOwner

PROMPT: Final = "blink> "

ENDING_SIGNALS: Final = ("SIGTERM", "SIGHUP")
"""Told to end, or the terminal is gone: leave the call, give the terminal back."""


class Repl:
    """Made for one session of this process. `run` returns when the user, a signal or the session ended it."""

    def __init__(
        self,
        options: GlobalOptions,
        session: SessionPort,
        history: Path | None,
        *,
        terminal_input: Input | None = None,
        terminal_output: Output | None = None,
    ) -> None:
        """Prepare a prompt.

        Args:
            options: Hold for every line.
            session: What the lines are for.
            history: Where lines are kept for the next time; None keeps them in memory.
            terminal_input: Instead of the terminal's, for tests.
            terminal_output: The same.

        """
        self._options = options
        self._session = session
        self._lines = Lines(options, PresentSource(session))
        self._output = CommandOutput(json=False, color=options.color, quiet=False)
        self.view = LiveView(session, changed=self._redraw, tell=self._tell)
        self._devices: tuple[str, ...] | None = None
        self._tasks: TaskOwner | None = None
        self._running: asyncio.Task[None] | None = None
        self._prompt: PromptSession[str] = PromptSession(
            message=self._message,
            history=_history(history),
            completer=LineCompleter(entry_point(), self.view, self._known_devices),
            complete_while_typing=False,
            color_depth=None if options.color else ColorDepth.DEPTH_1_BIT,
            input=terminal_input,
            output=terminal_output,
        )

    async def run(self, ended: asyncio.Event) -> None:
        """Read and run lines until `quit`, Ctrl-D, SIGTERM, or the end of the session."""
        over = asyncio.Event()
        with patch_stdout(raw=True):
            async with TaskOwner("prompt", on_failure=_read_here) as tasks:
                loop = asyncio.get_running_loop()
                for name in ENDING_SIGNALS:
                    if hasattr(signal, name) and sys.platform != "win32":
                        loop.add_signal_handler(getattr(signal, name), over.set)
                self._tasks = tasks
                ways: set[asyncio.Task[Any]] = {
                    tasks.start(self._look(), name="view"),
                    tasks.start(self._read_lines(), name="lines"),
                    tasks.start(ended.wait(), name="session's end"),
                    tasks.start(over.wait(), name="signal"),
                }
                done, _ = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
                for way in done:
                    way.result()

    async def _look(self) -> None:
        """Keep the panel new and tell events; never returns before the session's end, which `run` hears from it."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.view.follow(), name="prompt/events")
            tasks.create_task(self.view.refresh(), name="prompt/refresh")
            await asyncio.Event().wait()

    async def _read_lines(self) -> None:
        while True:
            try:
                # A process group's SIGINT is for the command that runs, not for the session: see `_run`.
                line = await self._prompt.prompt_async()
            except KeyboardInterrupt:
                continue  # Ctrl-C clears the line
            except EOFError:
                await self._session.ask(Quit())
                return
            await self._run(line)

    async def _run(self, line: str) -> None:
        output = self._output
        try:
            job = self._lines.parsed(line)
            if job is None:
                return
            output = job.desk.output
            async with TaskOwner("command", on_failure=_read_here) as tasks:
                self._running = tasks.start(_finished(job.run), name=line.split(maxsplit=1)[0])
                self._listen_for_interrupt()
                await self._running
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise  # the prompt itself ends
            output.message("interrupted")
        except Exception as error:  # noqa: BLE001 - as in `main`: errors become sentences, and the prompt goes on
            output.error(as_blink_error(error))
        finally:
            self._running = None

    def _listen_for_interrupt(self) -> None:
        # Every time anew: prompt_toolkit takes the handler away with each of its prompts.
        if sys.platform != "win32":
            asyncio.get_running_loop().add_signal_handler(signal.SIGINT, self._interrupt)

    def _interrupt(self) -> None:
        if self._running is not None:
            self._running.cancel()

    def _known_devices(self) -> tuple[str, ...]:
        # Asking the system takes a process and 0.3 s: begun by the first Tab that wants a device, answered by the next.
        if self._devices is None:
            self._devices = ()
            if self._tasks is not None:
                self._tasks.start(self._find_devices(), name="devices")
        return self._devices

    async def _find_devices(self) -> None:
        from blink_cli.commands.device_commands import device_list  # noqa: PLC0415 - asks the system

        devices, _ = await asyncio.to_thread(
            device_list
        )  # a failure is in the hint, which completion has no use for
        self._devices = tuple(device["name"] for device in devices if not device["virtual"])

    def _message(self) -> ANSI:
        columns = shutil.get_terminal_size().columns
        # A line that is done stays on the screen; the panel as it was then would only be in the way.
        if self.view.status is None or self._prompt.app.is_done:
            return ANSI(PROMPT)
        drawn = to_ansi(
            panel(self.view.status, self.view.statistics, columns), columns, color=self._options.color
        )
        return ANSI(f"{drawn}\n{PROMPT}")

    def _redraw(self) -> None:
        app: Any = self._prompt.app
        if app.is_running:
            app.invalidate()

    def _tell(self, sentence: str) -> None:
        self._output.line(sentence)


def _read_here(name: str, failure: BaseException) -> None:
    """Whoever waits for the task reads its failure."""


async def _finished(job: Any) -> None:
    await job


def _history(path: Path | None) -> History:
    if path is None:
        return InMemoryHistory()
    # Lines name peers and paths: this user's only.
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
    return FileHistory(str(path))
