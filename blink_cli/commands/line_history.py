"""The lines of the prompt, kept in a file of this user alone: they name peers and paths."""

import os
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Final

from prompt_toolkit.history import FileHistory
from typing_extensions import override

from blink_cli.files.reading import open_reading
from blink_cli.files.writing import open_kept

MOST_BYTES: Final = 1 << 20
"""So much is read, from the end: 10,000 long lines."""


class LineHistory(FileHistory):
    """prompt_toolkit's format: a comment with the time, then the entry's lines behind `+`."""

    def __init__(self, path: Path) -> None:
        """Use a file, and make it when it is missing.

        Raises:
            OSError: It can neither be opened nor made, or something else has its name.

        """
        self._path = path
        os.close(open_kept(path))
        super().__init__(str(path))

    @override
    def load_history_strings(self) -> Iterable[str]:
        """See `FileHistory`: the newest first."""
        with open_reading(self._path) as file:
            file.seek(max(os.fstat(file.fileno()).st_size - MOST_BYTES, 0))
            lines = file.read(MOST_BYTES).decode("utf-8", "replace").split("\n")
        entries: list[str] = []
        entry: list[str] = []
        for line in [*lines, ""]:
            if line.startswith("+"):
                entry.append(line[1:])
            elif entry:
                entries.append("\n".join(entry))
                entry = []
        return reversed(entries)

    @override
    def store_string(self, string: str) -> None:
        """See `FileHistory`."""
        with os.fdopen(open_kept(self._path), "r+b") as file:
            file.seek(0, os.SEEK_END)
            kept = "".join(f"+{line}\n" for line in string.split("\n"))
            file.write(
                f"\n# {datetime.now().astimezone():%Y-%m-%d %H:%M:%S}\n{kept}".encode(errors="replace")
            )
