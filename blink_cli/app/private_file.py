"""Files that only their owner may read, written whole or not at all."""

import os
import secrets
import stat
import sys
from pathlib import Path


def write_private_file(path: Path, content: bytes, *, replace: bool) -> None:
    """Write through a file beside it, so that a crash leaves the old content or the new one, never half of it. Mode 0600.

    Raises:
        FileExistsError: It is there, and `replace` is false. Of several processes that create it exactly one succeeds.
        OSError: It cannot be written; nothing is left behind.

    """
    beside = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    file = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
    try:
        with os.fdopen(file, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        if replace:
            beside.replace(path)
        elif sys.platform == "win32":
            beside.rename(path)  # refuses to replace, there
        else:
            os.link(beside, path)
    finally:
        beside.unlink(missing_ok=True)
    if sys.platform != "win32":
        _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Make the new name itself survive a power cut."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def read_private_file(path: Path, *, limit_bytes: int) -> bytes:
    """Read a file that nobody but its owner can read or change.

    Raises:
        NotPrivateError: Others can.
        OSError: It cannot be read, is no ordinary file (`IsADirectoryError`), or longer than the limit.

    """
    # Not blocking: opening a named pipe that nobody writes would wait for ever.
    file = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0))
    with os.fdopen(file, "rb") as stream:
        # Asked of the open file, not of its name: it cannot be exchanged in between.
        status = os.fstat(stream.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise OSError(0, "it is not an ordinary file")
        if sys.platform != "win32":
            if status.st_uid != os.geteuid():
                raise NotPrivateError(f"belongs to another user (uid {status.st_uid})")
            mode = stat.S_IMODE(status.st_mode)
            if mode & 0o077:
                raise NotPrivateError(f"can be read or changed by others (mode {mode:04o})")
        content = stream.read(limit_bytes + 1)
    if len(content) > limit_bytes:
        raise OSError(0, "it is too long")
    return content


class NotPrivateError(Exception):
    """Its text continues the sentence that begins with the file's name."""
