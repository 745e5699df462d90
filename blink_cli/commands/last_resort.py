"""Ends a process that has done its work and does not end: a library of the sound system may hold a thread, or the way out, for good."""

import contextlib
import os
import sys
import threading
from collections.abc import Callable
from typing import Final

from blink_cli.core.exit_codes import ExitCode

PATIENCE_S: Final = 5.0
"""What is left when this runs takes milliseconds. A device that needs longer to be let go is not coming back."""


def end_in_time(last_words: Callable[[], int]) -> threading.Timer:
    """Let the process end if it still runs when patience is over. Cancel the timer if it is to go on.

    Args:
        last_words: Says what is still to be said, on a thread of its own, and returns the exit code.

    """

    def end() -> None:
        code: int = ExitCode.FAILED
        try:
            code = last_words()
        finally:
            for stream in (sys.stdout, sys.stderr):
                with contextlib.suppress(OSError, ValueError):
                    stream.flush()
            os._exit(code)

    timer = threading.Timer(PATIENCE_S, end)
    timer.daemon = True
    timer.name = "blink-last-resort"
    timer.start()
    return timer
