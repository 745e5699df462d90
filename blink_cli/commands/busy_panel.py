"""The panel while a command runs at the prompt: the prompt is gone then, and who talks still matters.

The keyboard stays with the terminal: Ctrl-C and Ctrl-Z are its signals, and what is typed meanwhile waits for the next prompt, unseen.
"""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Final

from prompt_toolkit.application import Application, get_app_or_none
from prompt_toolkit.data_structures import Size
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.layout import Layout
from prompt_toolkit.layout.containers import Window
from prompt_toolkit.layout.controls import FormattedTextControl
from prompt_toolkit.output import ColorDepth, Output
from prompt_toolkit.output.vt100 import Vt100_Output

from blink_cli.commands.show.narrowing import follow_width
from blink_cli.commands.show.painting import for_prompt
from blink_cli.commands.show.styled import Line
from blink_cli.commands.show.terminal_output import takes_more, terminal_output
from blink_cli.runtime.tasks import TaskOwner

AFTER_S: Final = 0.1
"""Most commands answer sooner, and the next prompt has the panel again: nothing flashes."""


class BusyPanel:
    """Belongs to one prompt."""

    def __init__(
        self, drawn: Callable[[], list[Line]], *, color: bool, terminal_output: Output | None
    ) -> None:
        """Prepare a panel.

        Args:
            drawn: What it shows now.
            color: Whether looks are shown.
            terminal_output: Instead of the terminal's, for tests.

        """
        self._drawn = drawn
        self._color = color
        self._terminal_output = terminal_output
        self._shown: list[Line] = []
        self._shown_at: Size | None = None
        self._application: Application[None] | None = None

    def redraw(self) -> None:
        """There may be something new to show."""
        application = self._application
        if application is None or not takes_more(application.output):
            return
        # As at the prompt: a window that was just resized is drawn when its signal comes.
        if application.output.get_size() == self._shown_at and self._drawn() != self._shown:
            application.invalidate()

    @contextlib.asynccontextmanager
    async def shown(self) -> AsyncIterator[None]:
        """Show the panel for as long as the context lasts."""
        over = asyncio.Event()
        async with TaskOwner("prompt") as tasks:
            showing = tasks.start(self._show(over), name="panel")
            try:
                yield
            finally:
                over.set()
                if self._application is not None and self._application.is_running:
                    self._application.exit()
                    await showing

    async def _show(self, over: asyncio.Event) -> None:
        await asyncio.sleep(AFTER_S)
        app = get_app_or_none()
        if over.is_set() or (app is not None and app.is_running):
            return  # the command has the whole screen
        with create_pipe_input() as nothing, _without_echo():
            self._application = Application(
                layout=Layout(
                    Window(
                        FormattedTextControl(self._fragments),
                        always_hide_cursor=True,
                        dont_extend_height=True,
                    )
                ),
                color_depth=None if self._color else ColorDepth.DEPTH_1_BIT,
                erase_when_done=True,
                input=nothing,
                output=self._terminal_output or _output(),
            )
            follow_width(self._application, lambda: self._shown)
            try:
                await self._application.run_async(handle_sigint=False)
            finally:
                self._application = None

    def _fragments(self) -> StyleAndTextTuples:
        self._shown = self._drawn()
        self._shown_at = None if self._application is None else self._application.output.get_size()
        return for_prompt(self._shown)


def _output() -> Output:
    output = terminal_output()
    if isinstance(output, Vt100_Output):
        # The terminal would answer on the keyboard, where nobody listens now.
        output.enable_cpr = False
    return output


@contextlib.contextmanager
def _without_echo() -> Iterator[None]:
    """Show no keys that are pressed: they would stand in the middle of the panel."""
    if sys.platform == "win32" or not sys.stdin.isatty():
        yield
        return
    import termios  # noqa: PLC0415 - not on Windows

    keyboard = sys.stdin.fileno()
    before = termios.tcgetattr(keyboard)
    quiet = termios.tcgetattr(keyboard)
    quiet[3] &= ~termios.ECHO
    # At once: what waits for the output to drain waits for ever while Ctrl-S holds it, and the event loop with it.
    termios.tcsetattr(keyboard, termios.TCSANOW, quiet)
    try:
        yield
    finally:
        with contextlib.suppress(termios.error):  # the terminal is gone
            termios.tcsetattr(keyboard, termios.TCSANOW, before)
