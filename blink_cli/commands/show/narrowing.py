"""What is drawn below the scrolling text, when the window becomes narrower.

A terminal that reflows breaks what no longer fits onto further rows, so that the cursor stands lower than where prompt_toolkit believes it to be, and
what it erases begins too low: rows of the old panel would stay above the new one. The only module that touches prompt_toolkit's private names
(3.0: `Application._on_resize`, called on SIGWINCH).
"""

import os
from collections.abc import Callable, Sequence
from typing import Any

from prompt_toolkit.application import Application

from blink_cli.commands.show.cells import cells
from blink_cli.commands.show.styled import Line, plain


def follow_width(application: Application[Any], shown: Callable[[], Sequence[Line]]) -> None:
    """Erase all of what was shown whenever the terminal is resized.

    Args:
        application: Draws below the scrolling text; not full screen.
        shown: The lines that stand above its cursor, as they were drawn last; none was wider than the terminal.

    """
    resized = application._on_resize  # noqa: SLF001 - see above

    def first_climb() -> None:
        if reflows(os.environ):
            rows = rows_added(shown(), application.output.get_size().columns)
            if rows:
                application.output.cursor_up(rows)
        resized()

    application._on_resize = first_climb  # type: ignore[method-assign]  # noqa: SLF001 - see above


def rows_added(lines: Sequence[Line], columns: int) -> int:
    """How many more rows lines take on a terminal that is narrower now."""
    widths = (cells(plain(one).rstrip(" ")) for one in lines)
    return sum(max(-(-width // max(columns, 1)), 1) - 1 for width in widths)


def reflows(environment: "os._Environ[str] | dict[str, str]") -> bool:
    """Whether the terminal breaks lines anew when it is resized: all but a few old ones do."""
    if "TMUX" in environment:
        return True
    kind = environment.get("TERM", "")
    return "XTERM_VERSION" not in environment and not kind.startswith(("rxvt", "linux", "screen", "vt"))
