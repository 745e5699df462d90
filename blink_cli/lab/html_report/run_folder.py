"""The folder of a run (`lab run --out DIR`): the sounds and the decision logs beside its report."""

from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import soundfile

from blink_cli.core.errors import BlinkError
from blink_cli.core.text.decoding_mistake import mistake_of
from blink_cli.core.text.path_text import shown
from blink_cli.files.reading import open_reading, read_whole
from blink_cli.lab.envelopes import Samples
from blink_cli.record.rtp_log.decision_lines import DecisionLine

_MOST_DECISION_BYTES: Final = 1 << 28
_HINT: Final = "The folder of a report has all that it names: make it again with `blink lab run … --out DIR`."
_LINES: Final = msgspec.json.Decoder(DecisionLine)


class RunFolder:
    """Implements `RunFiles`. Names in a report that lead out of the folder are refused: a report may come from anybody."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def sound(self, name: str) -> Samples:
        """Read a WAV file. Raises `BlinkError` if that fails."""
        try:
            with open_reading(self._path(name)) as file:
                frames, _ = soundfile.read(file, dtype="float32", always_2d=True)
        except (OSError, soundfile.SoundFileError) as error:
            raise self._unreadable(name, error) from error
        return np.asarray(frames[:, 0], np.float32)

    def decisions(self, name: str) -> list[DecisionLine]:
        """Read a decision log. Raises `BlinkError` if that fails."""
        try:
            return _LINES.decode_lines(read_whole(self._path(name), _MOST_DECISION_BYTES))
        except OSError as error:
            raise self._unreadable(name, error) from error
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise BlinkError(
                f"{shown(self._folder / name)} is no decision log: {mistake_of(error).sentence}.", hint=_HINT
            ) from error

    def _path(self, name: str) -> Path:
        path = self._folder / name
        if not path.resolve().is_relative_to(self._folder.resolve()):
            raise BlinkError(
                f"The report names {shown(name)}, which is outside of its folder.",
                hint="Make it again with `blink lab run … --out DIR`.",
            )
        return path

    def _unreadable(self, name: str, error: Exception) -> BlinkError:
        return BlinkError(
            f"{shown(self._folder / name)} cannot be read: {getattr(error, 'strerror', None) or error}.",
            hint=_HINT,
        )
