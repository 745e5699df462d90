"""Tells a recording that grows from one whose program died: the one that writes holds a lock, which the system takes from the dead."""

import os
import sys
import time
from pathlib import Path
from typing import Final

from blink_cli.files.reading import open_reading

GROWS_FOR_S: Final = 15.0
"""Where there are no such locks: a file that was written so recently still grows."""


def lock_growing(file: int) -> None:
    """Hold the lock of an open file for as long as it is open."""
    if sys.platform != "win32":
        import fcntl  # noqa: PLC0415 - not on every system

        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return  # some network file systems have no locks; its age tells then


def is_growing(path: Path) -> bool:
    """Whether somebody still writes a file.

    Raises:
        OSError: It cannot be opened, or is no ordinary file.

    """
    with open_reading(path) as opened:
        file = opened.fileno()
        if sys.platform != "win32":
            import fcntl  # noqa: PLC0415 - as above

            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
            except OSError:
                pass
            else:
                return False
        return time.time() - os.fstat(file).st_mtime < GROWS_FOR_S
