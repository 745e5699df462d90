"""Folders that only their user can enter: of keys, contacts and control sockets."""

import os
import stat
import sys
from pathlib import Path

from blink_cli.core.errors import BlinkError, IdentityError


def make_private(folder: Path) -> None:
    """Make a folder that only this user can enter, or check that it is one; blocks for a moment.

    Raises:
        IdentityError: It belongs to another user, or is a symbolic link, which anybody could have put in a folder for all.
        BlinkError: It cannot be made.

    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if sys.platform == "win32":
            return  # folders below the user's profile are private there
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode):
            raise IdentityError(f"{folder} is a symbolic link, not a folder.", hint=_ELSEWHERE)
        if found.st_uid != os.geteuid():
            raise IdentityError(f"The folder {folder} belongs to another user.", hint=_ELSEWHERE)
        if stat.S_IMODE(found.st_mode) & 0o077:
            folder.chmod(0o700)
    except (FileExistsError, NotADirectoryError) as reason:
        raise BlinkError(
            f"The folder {folder} cannot be made: a file has its name, or that of a folder above it.",
            hint=f"Move the file away. {_ELSEWHERE}",
        ) from reason
    except OSError as reason:
        raise BlinkError(
            f"The folder {folder} cannot be made: {reason.strerror}.", hint=_ELSEWHERE
        ) from reason


_ELSEWHERE = "Choose another one: --data-dir or BLINK_DATA_DIR for profiles, XDG_RUNTIME_DIR for sockets."
