"""Recordings whose program died before it finished them, found by their names."""

import itertools
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from blink_cli.record.file_lock import is_growing
from blink_cli.record.recording.recording import PART_SUFFIX, RecordingPaths
from blink_cli.record.recording.sidecar import Sidecar, beginning, read_sidecar

MOST_LEFTOVERS: Final = 100
"""More are not looked at."""

_SUFFIXES: Final = (PART_SUFFIX, ".mp4", ".json")


class Leftover(msgspec.Struct, frozen=True):
    """An unfinished recording that nobody writes any more."""

    path: Path
    size_bytes: int
    started: str | None
    """ISO 8601, UTC; None without a sidecar."""


def leftovers(folders: Iterable[Path]) -> list[Leftover]:
    """Those in some folders. What cannot be read is left out."""
    found = []
    for folder in folders:
        try:
            parts = sorted(itertools.islice(folder.glob(f"*{PART_SUFFIX}"), MOST_LEFTOVERS))
        except OSError:
            continue
        for path in parts:
            try:
                if not is_growing(path):
                    started = _started(path)
                    found.append(Leftover(path, path.stat().st_size, started))
            except OSError:
                continue
    return found


def paths_of(path: Path) -> RecordingPaths:
    """The files that belong to a recording, given any one of them."""
    name = path.name
    for suffix in _SUFFIXES:
        if name.endswith(suffix):
            return RecordingPaths.of(path.parent, name.removesuffix(suffix))
    return RecordingPaths.of(path.parent, path.stem)


def belongs(path: Path) -> bool:
    """Whether a path has the name of an MP4 or a sidecar of a recording."""
    return path.name.endswith(_SUFFIXES)


def sidecar_of(path: Path) -> Sidecar | None:
    """What the sidecar of a recording says; None when there is none that can be read.

    It can be long: a session asks for `beginning` instead.
    """
    try:
        return read_sidecar(paths_of(path).sidecar)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError, MemoryError):
        return None


def _started(path: Path) -> str | None:
    try:
        return beginning(paths_of(path).sidecar)
    except OSError:
        return None
