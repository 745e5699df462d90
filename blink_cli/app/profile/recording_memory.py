"""Remembers the folders that a profile recorded into, so that what was left unfinished there is found again."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from blink_cli.app.profile.profile import Profile
from blink_cli.core.api.replies.recordings import LeftoverRecording
from blink_cli.core.text.json_text import decode_json, encode_json
from blink_cli.files.reading import read_whole
from blink_cli.files.writing import write_over
from blink_cli.runtime.on_demand import on_demand

if TYPE_CHECKING:
    from blink_cli.record.finished import leftovers
else:
    leftovers = on_demand("blink_cli.record.finished.leftovers")

MOST_FOLDERS: Final = 8
"""The newest ones are kept."""

_MOST_BYTES: Final = 65_536


class _Document(msgspec.Struct, frozen=True):
    folders: list[str] = []


_DOCUMENT: Final = msgspec.json.Decoder(_Document)


class RecordingMemory:
    """`recordings.json` beside the profile's key. Blocks for as long as the disk does."""

    def __init__(self, profile: Profile) -> None:
        self._path = profile.data_dir / "recordings.json"

    def folders(self) -> list[Path]:
        """The newest first; none when the file is not there or cannot be read."""
        try:
            document = decode_json(read_whole(self._path, _MOST_BYTES), _DOCUMENT)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return []
        return [Path(folder) for folder in document.folders[:MOST_FOLDERS]]

    def remember(self, folder: Path) -> None:
        """Put a folder first.

        Raises:
            OSError: The profile cannot be written.

        """
        known = [str(folder), *(str(one) for one in self.folders() if one != folder)]
        write_over(self._path, encode_json(_Document(known[:MOST_FOLDERS])))

    def leftovers(self) -> "list[leftovers.Leftover]":
        """Unfinished recordings in these folders."""
        return leftovers.leftovers(self.folders())


def leftover_recordings(memory: RecordingMemory) -> tuple[LeftoverRecording, ...]:
    """Unfinished recordings of a profile, as replies show them. Reads the disk."""
    return tuple(
        LeftoverRecording(path=str(one.path), bytes=one.size_bytes, started=one.started)
        for one in memory.leftovers()
    )
