"""A view that has the whole terminal, until a key ends it; only what changed is drawn again, a few times a second at most."""

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import Any, Final

from prompt_toolkit.application import Application
from prompt_toolkit.application.run_in_terminal import in_terminal
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.input import Input, create_pipe_input
from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.keys import Keys
from prompt_toolkit.layout import Layout
from prompt_toolkit.layout.containers import Window
from prompt_toolkit.layout.controls import FormattedTextControl
from prompt_toolkit.output import ColorDepth, Output

from blink_cli.commands.show.painting import for_prompt
from blink_cli.commands.show.styled import Line, Room, line

REDRAW_S: Final = 0.1
"""Between two drawings: events may come in bursts, and a line over ssh is narrow."""

MOST_SCROLLED: Final = 1_000
"""More rows than any list has."""

FullView = Callable[[Room], list[Line]]
"""Returns no more lines than there are rows."""


class FullScreen:
    """Belongs to one event loop."""

    def __init__(
        self,
        view: FullView,
        *,
        color: bool,
        terminal_input: Input | None = None,
        terminal_output: Output | None = None,
    ) -> None:
        """Prepare a view.

        Args:
            view: What is shown.
            color: Whether looks are shown.
            terminal_input: Instead of the terminal's, for tests.
            terminal_output: The same.

        """
        self._view = view
        self._scrolled = 0
        self._input = terminal_input
        self._output = terminal_output
        self._color = color
        self._application: Application[bool] | None = None

    def redraw(self) -> None:
        """There is something new to show."""
        if self._application is not None:
            self._application.invalidate()

    async def run(self) -> bool:
        """Show the view until a key ends it; return whether that was Ctrl-C."""
        with self._keyboard() as keyboard:
            application: Application[bool] = Application(
                layout=Layout(Window(FormattedTextControl(self._drawn), always_hide_cursor=True)),
                key_bindings=self._keys(),
                full_screen=True,
                color_depth=None if self._color else ColorDepth.DEPTH_1_BIT,
                min_redraw_interval=REDRAW_S,
                input=keyboard,
                output=self._output,
            )
            self._application = application
            async with in_terminal():  # from a prompt, which is drawn again afterwards
                return await application.run_async()

    @contextlib.contextmanager
    def _keyboard(self) -> Iterator[Input | None]:
        if self._input is None and not sys.stdin.isatty():
            with create_pipe_input() as nothing:  # signals end the view then
                yield nothing
        else:
            yield self._input

    def _drawn(self) -> StyleAndTextTuples:
        if self._application is None:
            return []
        size = self._application.output.get_size()
        lines = self._view(Room(size.columns - 1, size.rows, self._scrolled))
        return for_prompt(lines[: size.rows] or [line("")])

    def _keys(self) -> KeyBindings:
        keys = KeyBindings()

        @keys.add("q")
        @keys.add("c-d")
        def _(event: Any) -> None:
            event.app.exit(result=False)

        @keys.add("c-c")
        @keys.add(Keys.SIGINT)
        def _(event: Any) -> None:
            event.app.exit(result=True)

        @keys.add("c-z")
        def _(event: Any) -> None:
            event.app.suspend_to_background()  # does nothing where a process cannot be stopped

        @keys.add("c-l")
        def _(event: Any) -> None:
            event.app.renderer.clear()

        @keys.add("up")
        @keys.add("k")
        def _(event: Any) -> None:
            self._scroll(-1, event)

        @keys.add("down")
        @keys.add("j")
        def _(event: Any) -> None:
            self._scroll(1, event)

        return keys

    def _scroll(self, rows: int, event: Any) -> None:
        self._scrolled = min(max(self._scrolled + rows, 0), MOST_SCROLLED)
        event.app.invalidate()
