"""What is known of the terminal that a stream goes to."""

import os
import sys
from typing import Final, TextIO

USUAL_COLUMNS: Final = 80
"""For a terminal that does not know its size, as one behind a serial line."""


def columns_of(stream: TextIO) -> int | None:
    """Return the width of the terminal that a stream is; None when it is none: a file, a pipe."""
    if not stream.isatty():
        return None
    try:
        columns = os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):
        columns = 0
    return columns or USUAL_COLUMNS


def understands_escapes(stream: TextIO) -> bool:
    """Whether colours and moves of the cursor do what they should there."""
    if not stream.isatty() or os.environ.get("TERM") == "dumb":
        return False
    if sys.platform == "win32":
        import colorama  # noqa: PLC0415 - exists there only

        colorama.just_fix_windows_console()
    return True
