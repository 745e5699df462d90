"""The terminal: wide enough, with colours, and of UTF-8."""

import os
import sys
from collections.abc import Iterator
from typing import Final

from blink_cli.doctor.finding import Finding, fine, warning
from blink_cli.doctor.situation import Situation

NAME: Final = "terminal"
NARROW_COLUMNS: Final = 60


def look(_: Situation) -> Iterator[Finding]:
    """Look at stdout."""
    encoding = (getattr(sys.stdout, "encoding", None) or "unknown").lower()
    if encoding.replace("-", "") != "utf8":
        yield warning(
            NAME,
            f"text is written as {encoding}: names and lines beyond it are shown as `?`",
            "Set a locale with UTF-8: `export LANG=C.UTF-8` (Windows: `set PYTHONUTF8=1`).",
        )
        return
    if not sys.stdout.isatty():
        yield fine(NAME, f"stdout is no terminal, {encoding}")
        return
    columns, rows = os.get_terminal_size(sys.stdout.fileno())
    term = os.environ.get("TERM", "")
    colour = "no colour (NO_COLOR)" if os.environ.get("NO_COLOR") else f"TERM={term or 'not set'}"
    # A pseudo-terminal that nobody has given a size says 0.
    size = f"{columns} columns, {rows} rows" if columns else "of a size that it does not tell"
    text = f"{size}, {encoding}, {colour}"
    if 0 < columns < NARROW_COLUMNS:
        yield warning(NAME, f"{text}: tables are folded", f"Make it wider than {NARROW_COLUMNS} columns.")
    elif term == "dumb":
        yield warning(
            NAME, f"{text}: neither colours nor full-screen views", "Use another terminal, or set TERM."
        )
    else:
        yield fine(NAME, text)
