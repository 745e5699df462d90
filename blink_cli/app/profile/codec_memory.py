"""Remembers what was chosen by `codec set` in a profile, so that the next session begins with it."""

from typing import Final

import msgspec

from blink_cli.app.profile.profile import Profile
from blink_cli.core.api.session_options import CodecOptions
from blink_cli.files.reading import read_whole
from blink_cli.files.writing import write_over

_MOST_BYTES: Final = 65_536
_OPTIONS: Final = msgspec.json.Decoder(CodecOptions)


class CodecMemory:
    """`codec.json` beside the profile's key. Blocks for as long as the disk does; one caller at a time."""

    def __init__(self, profile: Profile) -> None:
        self._path = profile.data_dir / "codec.json"

    def chosen(self) -> CodecOptions:
        """What was chosen; nothing where nothing was, or the file cannot be read."""
        try:
            return _OPTIONS.decode(read_whole(self._path, _MOST_BYTES))
        except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return CodecOptions()

    def remember(self, chosen: CodecOptions) -> None:
        """Keep all that is chosen.

        Raises:
            OSError: The profile cannot be written.

        """
        write_over(self._path, msgspec.json.encode(chosen))
