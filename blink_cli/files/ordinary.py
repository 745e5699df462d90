"""What stands at a place: an ordinary file, or something that would make a reader wait, a writer follow it, or a device act."""

import errno
import os
import stat
from pathlib import Path

_KINDS = {
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


class NotOrdinaryError(OSError):
    """It is no file that can be read from its start to its end, or replaced. `strerror` says what it is."""


def require_ordinary(mode: int, path: Path) -> None:
    """Check `st_mode` of what has this name.

    Raises:
        IsADirectoryError: It is a folder's.
        NotOrdinaryError: It is no ordinary file's.

    """
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(mode):
        kind = _KINDS.get(stat.S_IFMT(mode), "something else")
        raise NotOrdinaryError(errno.EINVAL, f"it is {kind}, not an ordinary file", str(path))


def ordinary_stands_at(path: Path) -> bool:
    """Whether an ordinary file has this name already; False when nothing has. Links are not followed.

    Raises:
        IsADirectoryError: A folder has it.
        NotOrdinaryError: A link, a pipe, a socket or a device has it.
        OSError: Nobody can tell.

    """
    try:
        require_ordinary(path.lstat().st_mode, path)
    except FileNotFoundError:
        return False
    return True
