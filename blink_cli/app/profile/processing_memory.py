"""Remembers what was chosen last in a profile of echo canceller, noise suppressor and gain control, so that the next session begins with it."""

import threading
from typing import Final

import msgspec

from blink_cli.app.profile.profile import Profile
from blink_cli.core.media.processing_settings import ProcessingChoice
from blink_cli.files.reading import read_whole
from blink_cli.files.writing import write_over

_MOST_BYTES: Final = 65_536
_CHOICE: Final = msgspec.json.Decoder(ProcessingChoice)


class ProcessingMemory:
    """`processing.json` beside the profile's key. Blocks for as long as the disk does; any thread."""

    def __init__(self, profile: Profile) -> None:
        self._path = profile.data_dir / "processing.json"
        self._writing = threading.Lock()
        """Two settings may be chosen at the same time, and are in one file."""

    def chosen(self) -> ProcessingChoice:
        """What was chosen; nothing where nothing was, or the file cannot be read."""
        try:
            return _CHOICE.decode(read_whole(self._path, _MOST_BYTES))
        except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return ProcessingChoice()

    def remember(self, choice: ProcessingChoice) -> None:
        """Keep a choice beside the earlier ones.

        Raises:
            OSError: The profile cannot be written.

        """
        with self._writing:
            write_over(self._path, msgspec.json.encode(choice.after(self.chosen())))
