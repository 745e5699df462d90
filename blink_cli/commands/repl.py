"""The prompt: a line at a time, a live panel above it, and events told above both.

bob joined                                 <- events and answers scroll here
in call c0ffee00  2 of 2 there             <- the panel: part of the prompt's own message, drawn again by prompt_toolkit
* bob      connected   lost 0  late 0
blink>                                     <- the line
"""

import asyncio
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from prompt_toolkit import PromptSession
from prompt_toolkit.application import get_app_or_none
from prompt_toolkit.application.run_in_terminal import run_in_terminal
from prompt_toolkit.data_structures import Size
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.history import History, InMemoryHistory
from prompt_toolkit.input import Input
from prompt_toolkit.key_binding import (
    DynamicKeyBindings,
    KeyBindings,
    KeyPressEvent,
    merge_key_bindings,
)
from prompt_toolkit.output import ColorDepth
from prompt_toolkit.output import Output as TerminalOutput
from prompt_toolkit.patch_stdout import patch_stdout

from blink_cli.commands.answered import AnsweredSession
from blink_cli.commands.busy_panel import BusyPanel
from blink_cli.commands.call_readings import CallReadings
from blink_cli.commands.completion import LineCompleter
from blink_cli.commands.global_options import GlobalOptions
from blink_cli.commands.line_history import LineHistory
from blink_cli.commands.lines import Lines
from blink_cli.commands.live_view import LiveView
from blink_cli.commands.output import Output
from blink_cli.commands.parsing import ExitWith, as_blink_error
from blink_cli.commands.prompt_wording import PromptOutput, at_prompt
from blink_cli.commands.session_sources import PresentSource
from blink_cli.commands.show.glyphs import glyphs_for
from blink_cli.commands.show.narrowing import follow_width
from blink_cli.commands.show.painting import for_prompt
from blink_cli.commands.show.panel import panel
from blink_cli.commands.show.stopping_process import CAN_STOP, STOPPED, stop_process
from blink_cli.commands.show.styled import Line
from blink_cli.commands.show.terminal_output import takes_more
from blink_cli.commands.show.terminal_output import terminal_output as synchronised_output
from blink_cli.core.api.replies.status import Status
from blink_cli.core.api.requests import Quit
from blink_cli.core.api.session_port import SessionPort
from blink_cli.runtime.tasks import TaskOwner

if TYPE_CHECKING:
    from blink_cli.commands.prompt_pictures import PicturesAbovePrompt  # numpy

PROMPT: Final = "blink> "

PANEL_SHARE: Final = 60
"""Percent of the terminal's rows that the panel takes at most: the rest is for answers and events."""

LEVELS_S: Final = 0.25
"""Bars beside a line that is typed need not run; each frame draws the line anew too."""

MOST_UNTOLD: Final = 200
"""Events kept while a command has the whole screen, or the terminal takes nothing; a screen shows no more."""

ENDING_SIGNALS: Final = ("SIGTERM", "SIGHUP")
"""Told to end, or the terminal is gone: leave the call, give the terminal back."""


class _Kept(NamedTuple):
    """A panel, and what it was made of."""

    status: Status | None
    readings: CallReadings
    size: Size
    lines: list[Line]


class Repl:
    """Made for one session of this process. `run` returns when the user, a signal or the session ended it."""

    def __init__(
        self,
        options: GlobalOptions,
        session: SessionPort,
        history: Path | None,
        commands: Callable[[], Any],
        *,
        terminal_input: Input | None = None,
        terminal_output: TerminalOutput | None = None,
    ) -> None:
        """Prepare a prompt.

        Args:
            options: Hold for every line.
            session: What the lines are for.
            history: Where lines are kept for the next time; None keeps them in memory.
            commands: As of `CommandContext`.
            terminal_input: Instead of the terminal's, for tests.
            terminal_output: The same.

        """
        self._options = options
        self._session = AnsweredSession(session)
        self._lines = Lines(options, PresentSource(self._session), commands, self)
        self._output = PromptOutput(json=False, color=options.color, quiet=False)
        self.view = LiveView(
            self._session,
            changed=self._redraw,
            tell=self._tell,
            answered=self._session.has_told,
            levels_every_s=LEVELS_S,
        )
        self._glyphs = glyphs_for(os.environ)
        self._devices: tuple[str, ...] | None = None
        self._tasks: TaskOwner | None = None
        self._running: asyncio.Task[None] | None = None
        self._shown: list[Line] = []
        self._shown_at: Size | None = None
        self._kept: _Kept | None = None
        self._pictures: PicturesAbovePrompt | None = None
        self._untold: deque[str] = deque(maxlen=MOST_UNTOLD)
        self._prompt: PromptSession[str] = PromptSession(
            message=self._message,
            history=_history(history),
            completer=LineCompleter(commands(), self.view, self._known_devices),
            complete_while_typing=False,
            color_depth=None if options.color else ColorDepth.DEPTH_1_BIT,
            key_bindings=merge_key_bindings([self._keys(), DynamicKeyBindings(self._picture_keys)]),
            input=terminal_input,
            output=terminal_output or synchronised_output(),
        )
        follow_width(self._prompt.app, self._on_screen)
        self._busy_panel = BusyPanel(self._drawn, color=options.color, terminal_output=terminal_output)

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

    async def show(self, peers: Sequence[str], fps: float) -> None:
        """See `PromptPictures.show`."""
        if self._pictures is None:
            from blink_cli.commands.prompt_pictures import PicturesAbovePrompt  # noqa: PLC0415 - numpy, for who looks

            assert self._tasks is not None, "a line is run by a prompt that runs"
            self._pictures = PicturesAbovePrompt(
                self._session,
                self._prompt.app,
                self._tasks,
                color=self._options.color,
                changed=self._redraw,
                tell=self._tell,
            )
        await self._pictures.show(peers, fps)

    def _picture_keys(self) -> KeyBindings | None:
        return None if self._pictures is None else self._pictures.keys()

    async def _look(self) -> None:
        """Keep the panel new and tell events; never returns before the session's end, which `run` hears from it."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.view.follow(), name="prompt/events")
            tasks.create_task(self.view.tell_who_is_here(), name="prompt/peers")
            tasks.create_task(self.view.refresh(), name="prompt/refresh")
            tasks.create_task(self.view.follow_levels(), name="prompt/levels")
            await asyncio.Event().wait()

    async def _read_lines(self) -> None:
        while True:
            try:
                # A process group's SIGINT is for the command that runs, not for the session: see `_run`.
                text = await self._prompt.prompt_async()
            except KeyboardInterrupt:
                continue  # Ctrl-C clears the line
            except EOFError:
                await self._session.ask(Quit())
                return
            # What was pasted may be several lines: each is a command, as in a shell.
            for line in text.split("\n"):
                if not await self._run(line):
                    break

    async def _run(self, line: str) -> bool:
        """Run a line; False when it was interrupted, so that no further one of the same paste is wanted."""
        output: Output = self._output
        try:
            job = self._lines.parsed(line)
            if job is None:
                return True
            output = job.context.output
            async with TaskOwner("command", on_failure=_read_here) as tasks:
                self._running = tasks.start(_finished(job.run), name=line.split(maxsplit=1)[0])
                self._listen_for_interrupt()
                async with self._busy_panel.shown():
                    await self._running
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise  # the prompt itself ends
            output.message("interrupted")
            return False
        except ExitWith:
            pass  # everything has been said
        except Exception as error:  # noqa: BLE001 - as in `main`: errors become sentences, and the prompt goes on
            output.error(as_blink_error(error))
        finally:
            self._running = None
            self._tell_late()
        return True

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
        from blink_cli.api.device_list import device_list  # noqa: PLC0415 - asks the system

        # A failure is in the hint, which completion has no use for.
        listed = await asyncio.to_thread(device_list)
        self._devices = tuple(device.name for device in listed.devices if not device.virtual)

    def _message(self) -> StyleAndTextTuples:
        # A line that is done stays on the screen; the panel as it was then would only be in the way.
        if self._prompt.app.is_done:
            return [("", PROMPT)]
        self._shown, self._shown_at = self._above(), self._prompt.app.output.get_size()
        above = [*for_prompt(self._shown), ("", "\n")] if self._shown else []
        return [*above, ("", PROMPT)]

    def _above(self) -> list[Line]:
        """What stands above the line: pictures, and the panel."""
        drawn = self._drawn()
        return drawn if self._pictures is None else [*self._pictures.lines(len(drawn)), *drawn]

    def _on_screen(self) -> Sequence[Line]:
        """What was drawn last, as wide as it is with its pictures."""
        return self._shown if self._pictures is None else self._pictures.covering(self._shown)

    def _drawn(self) -> list[Line]:
        """The panel. prompt_toolkit asks several times for a frame: what was made of the same figures for the same window is kept."""
        status, readings, size = self.view.status, self.view.readings, self._prompt.app.output.get_size()
        kept = self._kept
        if kept is None or kept.status is not status or kept.readings is not readings or kept.size != size:
            kept = self._kept = _Kept(status, readings, size, self._panel(size.columns, size.rows))
        return kept.lines

    def _panel(self, columns: int, rows: int) -> list[Line]:
        room = min(rows - 2, rows * PANEL_SHARE // 100)
        if self.view.status is None or room <= 0:
            return []
        return panel(self.view.status, self.view.readings, columns - 1, room, self._glyphs)

    def _redraw(self) -> None:
        app: Any = self._prompt.app
        if not takes_more(app.output):
            return
        if self._running is not None:
            self._busy_panel.redraw()
        elif self._untold:
            self._tell_late()
        # Most looks at a session find nothing that is shown; a terminal behind a slow line need not hear of them.
        # A window that was just resized is drawn, and what stood there erased, when its signal comes.
        if app.is_running and app.output.get_size() == self._shown_at and self._above() != self._shown:
            app.invalidate()

    def _tell(self, sentence: str, _: datetime | None = None) -> None:
        sentence = at_prompt(sentence)
        app = get_app_or_none()
        covered = app is not None and app.full_screen and app.is_running
        # What is told waits for the terminal, and the session would wait with it.
        if covered or not takes_more(self._prompt.app.output):
            self._untold.append(sentence)
        else:
            self._output.line(sentence)

    def _tell_late(self) -> None:
        """Tell what happened behind a command that had the whole screen, or while the terminal took nothing."""
        while self._untold:
            self._output.line(self._untold.popleft())

    def _keys(self) -> KeyBindings:
        keys = KeyBindings()

        @keys.add("c-z", filter=CAN_STOP)
        def _(_: KeyPressEvent) -> None:
            run_in_terminal(self._suspend)

        return keys

    def _suspend(self) -> None:
        """Stop this process, as Ctrl-Z stops any; the terminal is the shell's until `fg`."""
        is_in_call = self.view.status is not None and self.view.status.call is not None
        stop_process(self._prompt.app.output, sentence=STOPPED if is_in_call else "")


def _read_here(name: str, failure: BaseException) -> None:
    """Whoever waits for the task reads its failure."""


async def _finished(job: Any) -> None:
    await job


def _history(path: Path | None) -> History:
    if path is None:
        return InMemoryHistory()
    return LineHistory(path)
