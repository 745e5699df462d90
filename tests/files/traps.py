"""What somebody may have put in the place of a file."""

import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest


def named_pipe(place: Path) -> None:
    """Who opens it waits for the other end."""
    os.mkfifo(place)


def unix_socket(place: Path) -> None:
    """Nobody can open it."""
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(place))


def device(place: Path) -> None:
    """Never empty, never full: /dev/zero under another name."""
    os.mknod(place, 0o666 | 0o020000, os.makedev(1, 5))


def folder(place: Path) -> None:
    """A folder."""
    place.mkdir()


def link_to_pipe(place: Path) -> None:
    """A link to a named pipe."""
    behind = place.with_name("behind-the-link")
    os.mkfifo(behind)
    place.symlink_to(behind)


TRAPS: Final[tuple[Callable[[Path], None], ...]] = (named_pipe, unix_socket, device, folder, link_to_pipe)


def lay(trap: Callable[[Path], None], place: Path) -> None:
    """Put a trap at a place; skip the test where this user or system may not."""
    try:
        trap(place)
    except (PermissionError, AttributeError) as reason:
        pytest.skip(f"{trap.__name__}: {reason}")
