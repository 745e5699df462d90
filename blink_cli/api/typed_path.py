"""A path as it was typed, as one that means the same in the session, which may run in another folder."""

import os
from pathlib import Path

from blink_cli.core.errors import UsageError


def absolute(path: Path | str) -> str:
    """Return the absolute path, without `..`: easier to read. A `~` is the home directory, also where no shell has seen it.

    Raises:
        UsageError: It is empty, or relative to a working directory that was removed.

    """
    text = os.fspath(path)
    if not text:
        raise UsageError("The path is empty.", hint="Write . for the current directory.")
    # Not pathlib: it keeps `..` or follows links, and its `expanduser` fails for a file whose name begins with `~`.
    expanded = os.path.expanduser(text)  # noqa: PTH111
    try:
        return os.path.abspath(expanded)  # noqa: PTH100
    except FileNotFoundError as error:
        raise UsageError(
            "The working directory is gone, and the path is relative to it.",
            hint="Cd to a directory that exists, or write the whole path.",
        ) from error


def absolute_or_folder(path: str) -> str:
    """Return the path that a session in another folder understands; a slash at the end stays.

    Raises:
        UsageError: It is empty.

    """
    if not path:
        raise UsageError("The path is empty.", hint="For example `blink rtp-log start call.csv`.")
    full = absolute(path)  # which drops the slash
    return f"{full}/" if path.endswith((os.sep, "/")) and full != "/" else full
