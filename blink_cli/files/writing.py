"""The one way to make and write files: created for this purpose, no link followed, and their owner's alone (mode 0600) from the first byte.

    create          a new file, or FileExistsError
    appearing       a file beside the place, which gets its name when it is whole; what has the name already stays, and that is an error
    replacing       the same, in place of what has the name: the name is taken away from it, nothing is written through it; never from a device
    open_kept       a file that is kept and changed in place (a lock, a history), made when it is missing
    open_again      a file that was made here before, and no other one that has its name by now

Libraries are given the open file, or `name_for_library` of it. Everything here blocks for as long as the disk does.
"""

import errno
import io
import os
import secrets
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from blink_cli.files.ordinary import NotOrdinaryError, require_ordinary

PRIVATE: Final = 0o600

_DEVICES: Final = Path("/dev")

_CHANGING: Final = os.O_RDWR | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)

_NO_HARD_LINKS: Final = {
    errno.EPERM,
    errno.EACCES,
    errno.ENOSYS,
    errno.EOPNOTSUPP,
    errno.EMLINK,
    errno.EINVAL,
}
"""What file systems without them say (FAT, some of the network)."""


def create(path: Path) -> int:
    """Make a new file and return its descriptor, open for reading and writing.

    Raises:
        FileExistsError: Something has this name, a link that leads nowhere included.
        OSError: It cannot be made.

    """
    return os.open(path, _CHANGING | os.O_CREAT | os.O_EXCL, PRIVATE)


@contextmanager
def appearing(path: Path, token: str | None = None) -> Iterator[BinaryIO]:
    """Write a file that gets its name when the block ends well. Of several that make it, exactly one succeeds.

    Args:
        path: The name.
        token: Its first name, behind `.blink-`, for whoever has to clear away what a killed process left; None: one that nobody knows.

    Raises:
        FileExistsError: Something has this name by then.
        OSError: It cannot be written; nothing is left behind.

    """
    with _beside(path, token) as (file, beside):
        yield file
        file.close()  # writes what is buffered, and can fail
        _name_new(beside, path)


@contextmanager
def replacing(path: Path, token: str | None = None) -> Iterator[BinaryIO]:
    """Write a file that takes the name from what has it when the block ends well; a link is replaced itself. `token` as above.

    Raises:
        NotOrdinaryError: A device has it, or it is a name of /dev.
        OSError: It cannot be written; what was there is as it was.

    """
    _refuse_devices(path)
    with _beside(path, token) as (file, beside):
        yield file
        file.close()  # as above
        beside.replace(path)


def write_new(path: Path, content: bytes) -> None:
    """Write a new file so that a crash, or a power cut, leaves all of it or nothing. Raises as `appearing`."""
    with appearing(path) as file:
        _write_through(file, content)
    sync_folder(path.parent)


def write_over(path: Path, content: bytes) -> None:
    """Write a file so that a crash, or a power cut, leaves the old content or the new one. Raises as `replacing`.

    A device or a pipe, such as /dev/stdout, is written to: a file put in its place would take it away from everybody.
    """
    if path.exists() and not path.is_file():
        path.write_bytes(content)
        return
    with replacing(path) as file:
        _write_through(file, content)
    sync_folder(path.parent)


def open_kept(path: Path) -> int:
    """Open a file of this user for reading and writing, and make it when it is missing.

    Raises:
        NotOrdinaryError: A link, a pipe, a socket or a device has its name, or it belongs to somebody else.
        OSError: It can be neither opened nor made.

    """
    try:
        file = os.open(path, _CHANGING | os.O_CREAT, PRIVATE)
    except OSError as failure:
        raise _of_links(failure, path) from failure
    return _required(file, path, None)


def open_again(path: Path, made: os.stat_result) -> int:
    """Open a file that was made here for reading and writing.

    Args:
        path: Its name.
        made: What `fstat` said of it then.

    Raises:
        FileNotFoundError: Nothing has its name.
        NotOrdinaryError: Something else has it by now.
        OSError: It cannot be opened.

    """
    try:
        file = os.open(path, _CHANGING)
    except OSError as failure:
        raise _of_links(failure, path) from failure
    return _required(file, path, made)


def name_for_library(file: BinaryIO) -> str:
    """A name by which a library of this process opens what `appearing` gave, whatever has the path by then; elsewhere than on Linux that path."""
    named = f"/proc/self/fd/{file.fileno()}"
    # Absolute: some take `a:b` for a protocol, and `-` for stdout.
    return named if sys.platform == "linux" and Path(named).exists() else str(Path(file.name).absolute())


def sync_folder(folder: Path) -> None:
    """Make a new name itself survive a power cut."""
    if sys.platform == "win32":
        return
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _refuse_devices(path: Path) -> None:
    """Root may rename a file over /dev/null, which takes it away from every process of the machine; over /dev/stdout, a link, too."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if stat.S_ISCHR(mode) or stat.S_ISBLK(mode) or path.parent.resolve() == _DEVICES:
        require_ordinary(mode, path)


@contextmanager
def _beside(path: Path, token: str | None) -> Iterator[tuple[BinaryIO, Path]]:
    beside = path.with_name(f".blink-{token or secrets.token_hex(8)}")  # of a length that any folder takes
    opened = io.FileIO(beside, "w+b", opener=lambda _path, _flags: create(beside))
    try:
        with io.BufferedRandom(opened) as stream:
            yield stream, beside
    finally:
        beside.unlink(missing_ok=True)


def _name_new(beside: Path, path: Path) -> None:
    """Rename it, but over nothing."""
    if sys.platform == "win32":
        beside.rename(path)  # refuses to replace, there
        return
    try:
        os.link(beside, path)
    except FileExistsError:
        raise
    except OSError as failure:
        if failure.errno not in _NO_HARD_LINKS:
            raise
        os.close(create(path))  # the name is ours from here on
        beside.replace(path)


def _write_through(file: BinaryIO, content: bytes) -> None:
    file.write(content)
    file.flush()
    os.fsync(file.fileno())


def _required(file: int, path: Path, made: os.stat_result | None) -> int:
    """The same descriptor, if it is of the file that was meant; else it is closed."""
    try:
        found = os.fstat(file)
        require_ordinary(found.st_mode, path)
        if made is not None and not os.path.samestat(found, made):
            raise NotOrdinaryError(errno.EEXIST, "another file has its name by now", str(path))
        if sys.platform != "win32" and found.st_uid != os.geteuid():
            raise NotOrdinaryError(errno.EACCES, "it belongs to another user", str(path))
    except OSError:
        os.close(file)
        raise
    return file


def _of_links(failure: OSError, path: Path) -> OSError:
    """What O_NOFOLLOW refuses (ELOOP, EMLINK on some systems), and sockets (ENXIO), in words."""
    try:
        require_ordinary(path.lstat().st_mode, path)
    except OSError as reason:
        return failure if isinstance(reason, FileNotFoundError) else reason
    return failure
