"""The one way to open a file for reading. What somebody put there in place of a file makes nobody wait.

    stat: an ordinary file?  ──>  open, without blocking  ──>  fstat of what was opened: still an ordinary file?

The first question keeps devices from being opened at all (a tape would rewind); the last one is asked of the open file, which nobody can exchange.
Links are followed: whoever may read through one may read the file itself. Everything here blocks for as long as the disk does.
"""

import errno
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO, Final

from blink_cli.files.ordinary import require_ordinary

_READING: Final = (
    os.O_RDONLY
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_NONBLOCK", 0)  # a pipe that nobody writes would be waited for
    | getattr(os, "O_NOCTTY", 0)
)


def open_reading(path: Path) -> BinaryIO:
    """Open an ordinary file.

    Raises:
        IsADirectoryError: It is a folder.
        NotOrdinaryError: It is a pipe, a socket or a device.
        OSError: It cannot be opened.

    """
    require_ordinary(path.stat().st_mode, path)
    file = os.open(path, _READING)
    try:
        require_ordinary(os.fstat(file).st_mode, path)
    except OSError:
        os.close(file)
        raise
    return os.fdopen(file, "rb")


def read_whole(path: Path, most_bytes: int) -> bytes:
    """Read a file that is no longer than that.

    Raises:
        OSError: As `open_reading`; or it is longer (`errno.EFBIG`).

    """
    with open_reading(path) as file:
        return _whole(file, most_bytes)


def read_private(path: Path, most_bytes: int) -> bytes:
    """Read a file that nobody but its owner can read or change.

    Raises:
        NotPrivateError: Others can.
        OSError: As `read_whole`.

    """
    with open_reading(path) as file:
        if sys.platform != "win32":
            # Asked of the open file, not of its name: it cannot be exchanged in between.
            status = os.fstat(file.fileno())
            if status.st_uid != os.geteuid():
                raise NotPrivateError(f"belongs to another user (uid {status.st_uid})")
            mode = stat.S_IMODE(status.st_mode)
            if mode & 0o077:
                raise NotPrivateError(f"can be read or changed by others (mode {mode:04o})")
        return _whole(file, most_bytes)


@contextmanager
def named_by_ending(file: BinaryIO, ending: str) -> Iterator[str]:
    """A name that ends so, by which a library opens this open file itself: a link in a private folder, gone behind the block.

    Raises:
        OSError: There is no room for it, or no such name of an open file on this system.

    """
    with TemporaryDirectory(prefix="blink-") as folder:
        link = Path(folder, f"file{ending}")
        link.symlink_to(f"/dev/fd/{file.fileno()}")
        yield str(link)


def _whole(file: BinaryIO, most_bytes: int) -> bytes:
    content = file.read(most_bytes + 1)
    if len(content) > most_bytes:
        raise OSError(errno.EFBIG, f"it is longer than {most_bytes} bytes")
    return content


class NotPrivateError(Exception):
    """Its text continues the sentence that begins with the file's name."""
