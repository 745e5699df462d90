"""What prompt_toolkit writes to a terminal, frame by frame: each is shown whole or not at all.

    begin (CSI ? 2026 h) + the cells that changed + end (CSI ? 2026 l)      one write for each frame

A terminal that knows synchronised output (kitty, iTerm2, WezTerm, foot, Windows Terminal, tmux from 3.4 on) paints nothing
between the two; any other one ignores a private mode that it does not know (ECMA-48, 8.3.106; DEC's VT510 manual, chapter 5).
"""

from typing import TextIO, cast

from prompt_toolkit.output import Output, create_output
from prompt_toolkit.output.vt100 import Vt100_Output
from typing_extensions import override

from blink_cli.commands.show.terminal_writer import TerminalWriter, writer_to

BEGIN = "\x1b[?2026h"
END = "\x1b[?2026l"


class SynchronisedOutput(Vt100_Output):
    """Writes nothing for a frame that changes nothing."""

    _begun = False
    erasures = 0
    """How often what stood below the cursor, or everywhere, was erased: what others drew there is gone then."""

    @override
    def write_raw(self, data: str) -> None:
        """Write escapes as they are."""
        self._begin()
        super().write_raw(data)

    @override
    def write(self, data: str) -> None:
        """Write text; escapes in it are made harmless."""
        self._begin()
        super().write(data)

    @override
    def erase_down(self) -> None:
        """Erase from the cursor to the end of the screen, in two steps, which leave nothing behind in tmux.

        What is erased from the very first cell on (Ctrl-L, a panel at the top of the window) tmux 3.3 keeps in its history, from where it comes back
        when the window grows. So the line is erased first, and all below from its next cell on.
        """
        self.erasures += 1
        self.write_raw("\x1b7\x1b[K\x1b[C\x1b[J\x1b8")

    @override
    def erase_screen(self) -> None:
        """Erase all of the screen."""
        self.erasures += 1
        super().erase_screen()

    @override
    def flush(self) -> None:
        """End a frame."""
        if self._begun:
            super().write_raw(END)
            self._begun = False
        super().flush()

    def _begin(self) -> None:
        if not self._begun:
            self._begun = True
            super().write_raw(BEGIN)


def terminal_output() -> Output:
    """Return the way to the terminal of this process. What is written does not wait for it, see `terminal_writer`."""
    output = create_output()
    if type(output) is not Vt100_Output or output.term in {"dumb", "linux"}:
        return output
    return SynchronisedOutput.from_pty(
        cast("TextIO", writer_to(output.stdout) or output.stdout),
        term=output.term,
        default_color_depth=output.default_color_depth,
    )


def takes_more(output: Output) -> bool:
    """Whether the terminal has taken what it was given. What is drawn by itself waits until it has; then the next frame shows what is new."""
    stream = output.stdout if isinstance(output, Vt100_Output) else None
    return stream.takes_more() if isinstance(stream, TerminalWriter) else True
