"""Files that a profile's settings, or the options of a session, name: certificates and credentials of servers."""

from pathlib import Path
from typing import Final

from blink_cli.core.errors import UsageError
from blink_cli.core.text.path_text import shown
from blink_cli.files.reading import read_whole

_MOST_BYTES: Final = 262_144
"""Of a file with certificates, or credentials."""


def named_text(path: Path, is_what: str) -> str:
    """Return what stands in a file. Blocks for as long as the disk does.

    Args:
        path: Of the file.
        is_what: The hint, if it cannot be read.

    Raises:
        UsageError: It cannot be read.

    """
    try:
        return read_whole(path, _MOST_BYTES).decode()
    except (OSError, UnicodeDecodeError) as failure:
        raise UsageError(
            f"{shown(path)} cannot be read: {getattr(failure, 'strerror', None) or failure}.", hint=is_what
        ) from failure
