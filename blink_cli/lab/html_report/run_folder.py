"""The folder of a run (`lab run --out DIR`): its report, its sounds and its decision logs."""

from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import soundfile

from blink_cli.core.errors import BlinkError, NotFoundError, UsageError
from blink_cli.core.text.path_text import shown
from blink_cli.files.reading import open_reading, read_whole
from blink_cli.lab.envelopes import Samples
from blink_cli.lab.verdict.report import SCHEMA, LabReport
from blink_cli.record.rtp_log.decision_lines import DecisionLine

REPORT: Final = "report.json"
_MOST_REPORT_BYTES: Final = 1 << 30
_MOST_DECISION_BYTES: Final = 1 << 28
_LINES: Final = msgspec.json.Decoder(DecisionLine)


def read_report(path: Path) -> LabReport:
    """Read a report, by its own name or by that of the folder that holds it.

    Raises:
        NotFoundError: There is none.
        UsageError: It is no report of this version.
        BlinkError: It cannot be read.

    """
    file = path / REPORT if path.is_dir() else path
    try:
        content = read_whole(file, _MOST_REPORT_BYTES)
    except FileNotFoundError:
        raise NotFoundError(
            f"There is no {shown(file)}.", hint=f"`blink lab run … --out DIR` writes {REPORT} into DIR."
        ) from None
    except OSError as error:
        raise BlinkError(f"{shown(file)} cannot be read: {error.strerror or error}.") from error
    try:
        report = msgspec.json.decode(content, type=LabReport)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{shown(file)} is no report of this version of blink: {error}.",
            hint="Make it again with `blink lab run … --out DIR`.",
        ) from error
    if report.schema != SCHEMA:
        raise UsageError(
            f"{shown(file)} has schema {report.schema}, and this version of blink reads {SCHEMA}.",
            hint="Make it again with `blink lab run … --out DIR`.",
        )
    return report


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
        except (OSError, msgspec.DecodeError) as error:
            raise self._unreadable(name, error) from error

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
            hint="The folder of a report has all that it names: make it again with `blink lab run … --out DIR`.",
        )
