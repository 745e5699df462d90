"""Writes to a terminal without waiting for it.

A terminal that nobody reads (ssh on a line that hangs, a window whose program is stopped) takes 64 kB and then holds whoever writes. At the prompt that would be
the session's event loop, over which voice passes: the call would be lost with the line. So the terminal is opened once more, without blocking, for this
program alone: what it does not take waits here, and nothing is drawn by itself until it has taken all.
"""

import os
import sys
from functools import cache
from typing import Final, TextIO

MOST_WAITING_BYTES: Final = 1 << 20
"""Some ten thousand lines of what is told. More is lost: nobody has read for hours."""

_OPENING: Final = os.O_WRONLY | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_NONBLOCK", 0)


class TerminalWriter:
    """As much of a text stream as prompt_toolkit asks for. Belongs to one thread."""

    def __init__(self, stream: TextIO, file: int) -> None:
        """Write to a file descriptor that does not block; `stream` is the terminal's own."""
        self._stream = stream
        self._file = file
        self._waiting = bytearray()

    @property
    def encoding(self) -> str:
        """Of the terminal."""
        return self._stream.encoding

    def fileno(self) -> int:
        """Where the terminal can be asked for its size."""
        return self._stream.fileno()

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        return self._stream.isatty()

    def write(self, text: str) -> int:
        """Write, or keep what the terminal does not take now.

        Raises:
            OSError: The terminal is gone.

        """
        if len(self._waiting) < MOST_WAITING_BYTES:
            self._waiting += text.encode(self.encoding or "utf-8", "replace")
        self.flush()
        return len(text)

    def flush(self) -> None:
        """Write what waits, as far as the terminal takes it. Raises as `write`."""
        while self._waiting:
            try:
                written = os.write(self._file, self._waiting)
            except BlockingIOError:
                return
            except OSError:
                self._waiting.clear()
                raise
            del self._waiting[:written]

    def takes_more(self) -> bool:
        """Whether nothing waits any more. Raises as `write`."""
        self.flush()
        return not self._waiting


@cache
def writer_to(stream: TextIO) -> TerminalWriter | None:
    """Return the one way to a terminal; None where it cannot be opened once more: on Windows, or for another user (`su`)."""
    if sys.platform == "win32":
        return None
    try:
        return TerminalWriter(stream, os.open(os.ttyname(stream.fileno()), _OPENING))
    except OSError:
        return None
