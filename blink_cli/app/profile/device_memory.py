"""Remembers the devices that were chosen last in a profile, so that the next session begins with them."""

import threading
from typing import Final, Literal

import msgspec

from blink_cli.app.profile.profile import Profile
from blink_cli.core.api.device_name import (
    EchoDevice,
    EchoEar,
    FileDevice,
    ToneDevice,
    WavDevice,
    parse_input_name,
    parse_output_name,
)
from blink_cli.core.errors import UsageError
from blink_cli.core.text.json_text import decode_json, encode_json
from blink_cli.files.reading import read_whole
from blink_cli.files.writing import write_over

Direction = Literal["input", "output"]

_MOST_BYTES: Final = 65_536


class _Document(msgspec.Struct, frozen=True):
    input: str | None = None
    output: str | None = None


_DOCUMENT: Final = msgspec.json.Decoder(_Document)


class DeviceMemory:
    """`devices.json` beside the profile's key. Blocks for as long as the disk does; any thread."""

    def __init__(self, profile: Profile) -> None:
        self._path = profile.data_dir / "devices.json"
        self._writing = threading.Lock()
        """Input and output may be chosen at the same time, and are in one file."""

    def chosen(self, direction: Direction) -> str | None:
        """The device chosen last; None when none was, or the file cannot be read."""
        document = self._read()
        name = document.input if direction == "input" else document.output
        if name is None or _passing(direction, name):
            return None
        return name

    def remember(self, direction: Direction, name: str) -> None:
        """Keep a choice. Files and tones are of one session: the next one must not speak, or write over, a file unasked.

        Raises:
            OSError: The profile cannot be written.

        """
        if not _passing(direction, name):
            with self._writing:
                document = msgspec.structs.replace(self._read(), **{direction: name})
                write_over(self._path, encode_json(document))

    def _read(self) -> _Document:
        try:
            return decode_json(read_whole(self._path, _MOST_BYTES), _DOCUMENT)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return _Document()


def _passing(direction: Direction, name: str) -> bool:
    """Whether it is for one session, or no device's name."""
    try:
        parsed = parse_input_name(name) if direction == "input" else parse_output_name(name)
    except UsageError:
        return True
    return isinstance(parsed, FileDevice | ToneDevice | WavDevice | EchoDevice | EchoEar)
