"""The last records of a session's log, and those that come."""

import asyncio
import os
from collections import deque
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Final, Self

from blink_cli.app.log.log_files import log_paths, newest_log
from blink_cli.app.log.log_lines import LogLine, read_lines, starts_record
from blink_cli.commands.chosen_profile import profile_of
from blink_cli.commands.global_options import GlobalOptions
from blink_cli.core.errors import BlinkError, NotFoundError
from blink_cli.files.reading import open_reading

EVERY_S: Final = 0.2


def newest(options: GlobalOptions) -> Path:
    """Return the log of the profile's newest session.

    Raises:
        NotFoundError: It has had none yet.
        BlinkError: The folder cannot be read.

    """
    folder = profile_of(options).logs_dir
    try:
        found = newest_log(folder)
    except OSError as reason:
        raise BlinkError(f"The logs in {folder} cannot be read: {reason.strerror}.") from reason
    if found is None:
        raise NotFoundError(
            f"No session of profile {options.profile!r} has logged anything yet.",
            hint="A session begins its log when it starts: `blink serve`, or `blink` for a prompt.",
        )
    return found


async def tail(path: Path, lines: int, *, follow: bool) -> AsyncIterator[LogLine]:
    """Give the last records, oldest first; with `follow` also those that come, for ever.

    Raises:
        OSError: The file cannot be read.

    """
    with _Growing(path) as growing:
        for record in deque(read_lines([*_older(path), *growing.lines()]), maxlen=lines):
            yield record
        pending: list[str] = []
        while follow:
            came = list(growing.lines())
            # A record may have more lines: it is whole when the next one begins, or when nothing more comes.
            for line in came:
                if pending and starts_record(line):
                    for record in read_lines(pending):
                        yield record
                    pending = []
                pending.append(line)
            if pending and not came:
                for record in read_lines(pending):
                    yield record
                pending = []
            await asyncio.sleep(EVERY_S)


def _older(path: Path) -> list[str]:
    """What the same session wrote before its file was full."""
    before = path.with_name(f"{path.name}.1")
    if before not in log_paths(path.parent):
        return []
    with open_reading(before) as file:
        return file.read().decode(errors="replace").splitlines()


class _Growing:
    """A file that another process writes and, when it is full, renames and begins anew."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = open_reading(path)
        self._rest = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def lines(self) -> Iterator[str]:
        """Give the whole lines that have come since it was asked last."""
        yield from self._read()
        if self._renamed():
            yield from self._read()  # what came before it was renamed
            file = open_reading(self._path)
            self._file.close()
            self._file = file
            yield from self._read()

    def _read(self) -> Iterator[str]:
        text = self._rest + self._file.read().decode(errors="replace")
        *whole, self._rest = text.split("\n")
        yield from whole

    def _renamed(self) -> bool:
        try:
            now = self._path.stat()
        except OSError:
            return False  # between its two names, or removed
        return not os.path.samestat(now, os.fstat(self._file.fileno()))
