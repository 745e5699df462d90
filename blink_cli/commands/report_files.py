"""Reports that a command writes beside what it prints."""

import os
from collections.abc import Sequence
from pathlib import Path

from blink_cli.core.errors import BlinkError, UsageError
from blink_cli.core.text.path_text import shown
from blink_cli.files.writing import write_over


def write_report(path: Path, content: bytes) -> None:
    """Write one, over what is there.

    Raises:
        BlinkError: It cannot be written.

    """
    try:
        write_over(path, content)
    except OSError as error:
        raise BlinkError(
            f"The report cannot be written to {shown(path)}: {error.strerror or error}.",
            hint="Name a file in a folder that is there and in which you may write.",
        ) from error


def make_report_folder(path: Path) -> None:
    """Make the folder of a report, where it is not there.

    Raises:
        BlinkError: It cannot be made.

    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BlinkError(
            f"The folder {shown(path)} cannot be made: {error.strerror or error}.",
            hint="Name one where you may write.",
        ) from error


def require_places(*, out: Path | None, files: Sequence[Path]) -> None:
    """Ask before a run that may take an hour whether what it makes can be kept where it was asked for.

    Raises:
        UsageError: A file has the name of the folder, a folder that of a file, or the folder of a file is missing.

    """
    folders = [] if out is None else [_that_exists(out)]
    for path in files:
        if path.exists() and not (path.is_dir() or path.is_file()):
            continue  # a device or a pipe, such as /dev/stdout, is written to as it is
        if path.is_dir():
            raise UsageError(f"{shown(path)} is a folder.", hint="Name a file in it.")
        if not path.parent.exists():
            raise UsageError(
                f"There is no folder {shown(path.parent)}.", hint="Make it first, or choose another."
            )
        folders.append(path.parent)
    for folder in folders:
        if not folder.is_dir():
            raise UsageError(f"{shown(folder)} is not a folder.", hint="Choose another name.")
        if not os.access(folder, os.W_OK | os.X_OK):
            raise UsageError(f"Nothing can be written into {shown(folder)}.", hint="Choose another folder.")


def _that_exists(folder: Path) -> Path:
    """The folder, or the one above it in which it would be made."""
    return next(one for one in (folder, *folder.absolute().parents) if one.exists())
