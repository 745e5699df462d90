"""A view that has the whole terminal, until a key ends it; only what changed is drawn again, a few times a second at most."""

import contextlib
import errno
import sys
from collections.abc import Callable, Iterator
from typing import Any, Final

from prompt_toolkit.application import Application
from prompt_toolkit.application.run_in_terminal import in_terminal, run_in_terminal
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.input import Input, create_pipe_input
from prompt_toolkit.key_binding import KeyBindings, KeyBindingsBase, merge_key_bindings
from prompt_toolkit.keys import Keys
from prompt_toolkit.layout import Layout
from prompt_toolkit.layout.containers import Window
from prompt_toolkit.layout.controls import FormattedTextControl
from prompt_toolkit.output import ColorDepth, Output

from blink_cli.commands.show.painting import for_prompt
from blink_cli.commands.show.stopping_process import CAN_STOP, stop_process
from blink_cli.commands.show.styled import Line, Room, line
from blink_cli.commands.show.terminal_output import takes_more, terminal_output

REDRAW_S: Final = 0.1
"""Between two drawings: events may come in bursts, and a line over ssh is narrow."""

MOST_SCROLLED: Final = 1_000
"""More rows than any list has."""

FullView = Callable[[Room], list[Line]]
"""Returns no more lines than there are rows."""

DrawsOver = Callable[["Application[bool]"], KeyBindingsBase]
"""Is given the application before it runs, and returns keys that it wants."""

TakesKey = Callable[[str], bool]
"""Is told a letter, or the name of a key (`up`, `enter`, `tab`, …), and returns whether it was for it. A longer text was pasted."""

_NAMED_KEYS: Final = {
    Keys.Up: "up",
    Keys.Down: "down",
    Keys.Left: "left",
    Keys.Right: "right",
    Keys.PageUp: "page up",
    Keys.PageDown: "page down",
    Keys.Enter: "enter",
    Keys.Tab: "tab",
    Keys.BackTab: "shift tab",
    Keys.Escape: "escape",
    Keys.Backspace: "backspace",
    Keys.ControlD: "c-d",
}


def _takes_none(_: str) -> bool:
    return False


class FullScreen:
    """Belongs to one event loop."""

    def __init__(
        self,
        view: FullView,
        *,
        color: bool,
        takes_key: TakesKey = _takes_none,
        stops_with_it: Callable[[], str] = str,
        draws_over: DrawsOver | None = None,
        terminal_input: Input | None = None,
        terminal_output: Output | None = None,
    ) -> None:
        """Prepare a view.

        Args:
            view: What is shown.
            color: Whether looks are shown.
            takes_key: Is asked first whether a key is for it; what is not ends or scrolls the view.
            stops_with_it: What is said when Ctrl-Z stops this process; empty: nothing.
            draws_over: What draws over blank cells.
            terminal_input: Instead of the terminal's, for tests.
            terminal_output: The same.

        """
        self._draws_over = draws_over
        self._view = view
        self._takes_key = takes_key
        self._stops_with_it = stops_with_it
        self._scrolled = 0
        self._input = terminal_input
        self._output = terminal_output
        self._color = color
        self._application: Application[bool] | None = None
        self._shown: tuple[Room, list[Line]] | None = None
        self._looked: tuple[Room, list[Line]] | None = None
        """What is to be drawn next, if nothing happens before."""

    def redraw(self) -> None:
        """There may be something new to show."""
        application = self._application
        if application is None or not takes_more(application.output):
            return
        self._looked = self._look(application)
        if self._looked != self._shown:
            application.invalidate()

    async def run(self) -> bool:
        """Show the view until a key ends it; return whether that was Ctrl-C, or that the terminal was closed."""
        with self._keyboard() as keyboard:
            application: Application[bool] = Application(
                layout=Layout(Window(FormattedTextControl(self._drawn), always_hide_cursor=True)),
                key_bindings=self._keys(),
                full_screen=True,
                color_depth=None if self._color else ColorDepth.DEPTH_1_BIT,
                min_redraw_interval=REDRAW_S,
                input=keyboard,
                output=self._output or terminal_output(),
            )
            self._application = application
            if self._draws_over is not None:
                application.key_bindings = merge_key_bindings([self._keys(), self._draws_over(application)])
            try:
                async with in_terminal():  # from a prompt, which is drawn again afterwards
                    return await application.run_async()
            except OSError as failure:
                if failure.errno != errno.EIO:
                    raise
                return True  # its window is gone: nobody can see it, or end it with a key

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
        # What `redraw` has just looked at is not looked at again, unless the window is of another size now.
        looked = self._looked
        fits = looked is not None and looked[0] == self._room(self._application)
        self._shown = looked if looked is not None and fits else self._look(self._application)
        self._looked = None
        return for_prompt(self._shown[1] or [line("")])

    def _look(self, application: "Application[bool]") -> tuple[Room, list[Line]]:
        """What is to be shown now, and where."""
        room = self._room(application)
        return room, self._view(room)[: room.rows]

    def _room(self, application: "Application[bool]") -> Room:
        size = application.output.get_size()
        return Room(size.columns - 1, size.rows, self._scrolled)

    def _keys(self) -> KeyBindings:
        keys = KeyBindings()

        @keys.add("c-c")
        @keys.add(Keys.SIGINT)
        def _(event: Any) -> None:
            event.app.exit(result=True)

        @keys.add("c-z", filter=CAN_STOP)
        def _(event: Any) -> None:
            run_in_terminal(lambda: stop_process(event.app.output, sentence=self._stops_with_it()))

        @keys.add("c-l")
        def _(event: Any) -> None:
            event.app.renderer.clear()

        @keys.add(Keys.Any)
        @keys.add(Keys.BracketedPaste)
        def _(event: Any) -> None:
            self._press(event.data, event)

        for key, name in _NAMED_KEYS.items():

            def pressed(event: Any, name: str = name) -> None:
                self._press(name, event)

            # At once: a key that begins others, as Escape does, would wait for them.
            keys.add(key, eager=key is not Keys.Escape)(pressed)

        return keys

    def _press(self, key: str, event: Any) -> None:
        self._looked = None
        if self._takes_key(key):
            event.app.invalidate()
            return
        match key:
            case "q" | "c-d":
                event.app.exit(result=False)
            case "up" | "k":
                self._scroll(-1, event)
            case "down" | "j":
                self._scroll(1, event)
            case _:
                pass

    def _scroll(self, rows: int, event: Any) -> None:
        self._scrolled = min(max(self._scrolled + rows, 0), MOST_SCROLLED)
        event.app.invalidate()
