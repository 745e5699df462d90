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
    output = application.output
    drawn_columns: int | None = None

    def climb() -> bool:
        """Put the cursor where prompt_toolkit believes it to be, if the width is another than that of what stands there."""
        nonlocal drawn_columns
        columns = output.get_size().columns
        changed = drawn_columns not in (None, columns)
        drawn_columns = columns
        rows = rows_added(shown(), columns) if changed and reflows(os.environ) else 0
        if rows:
            output.cursor_up(rows)
        return changed

    def draw_anew(_: object) -> None:
        # An answer of the terminal, or a key, may ask for a frame after the resize and before its signal is read.
        if climb():
            application.renderer.erase(leave_alternate_screen=False)

    def climb_first() -> None:
        climb()
        resized()

    application.before_render += draw_anew
    application._on_resize = climb_first  # type: ignore[method-assign]  # noqa: SLF001 - see above


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
