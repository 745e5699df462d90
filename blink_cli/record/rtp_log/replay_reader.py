"""Reads replay logs, also such as a crash has cut off."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import msgspec

from blink_cli.core.errors import BlinkError, NotFoundError, UsageError
from blink_cli.core.text.json_text import decode_json
from blink_cli.files.reading import open_reading
from blink_cli.record.rtp_log.replay_lines import SUFFIX, VERSION, Head, ReplayLine

_HINT: Final = "`blink rtp-log start PATH --replayable` writes such logs; `docs/replay.md` tells more."

_LONGEST_LINE: Final = 4_000_000
"""Of a tick in which all that may wait for the playout thread came at once, of many peers."""

_PROGRESS_LINES: Final = 500
_DECODER: Final = msgspec.json.Decoder(ReplayLine)


def replay_path(path: Path) -> Path:
    """The replay log that stands beside an RTP log; the path itself when it is one."""
    return path if path.name.endswith(SUFFIX) else path.with_name(f"{path.stem}{SUFFIX}")


class ReplayReader:
    """Iterate over its lines once; the head comes first. Lines that cannot be read are left out and counted."""

    def __init__(self, path: Path, progress: Callable[[float], None] = lambda _: None) -> None:
        """Read a file; it is opened by iterating. `progress` is told the part that is read, 0 to 1, now and then; what it raises ends the reading."""
        self.path = path
        self.lines_unreadable = 0
        self._progress = progress

    def __iter__(self) -> Iterator[ReplayLine]:
        """Yield the lines.

        Raises:
            NotFoundError: There is no such file.
            UsageError: It is no replay log, or one of another version.
            BlinkError: It cannot be read.

        """
        try:
            with open_reading(self.path) as file:
                size = max(1, self.path.stat().st_size)
                first = self._decoded(file.readline(_LONGEST_LINE))
                if not isinstance(first, Head):
                    raise UsageError(f"{self.path} is no replay log.", hint=_HINT)
                if first.version != VERSION:
                    raise UsageError(
                        f"{self.path} is a replay log of version {first.version}, and this program plays version {VERSION}.",
                        hint="Replay it with the version of blink that wrote it.",
                    )
                yield first
                read = 0
                while data := file.readline(_LONGEST_LINE):
                    line = self._decoded(data)
                    if line is None:
                        self.lines_unreadable += 1
                    else:
                        yield line
                    read += 1
                    if read % _PROGRESS_LINES == 0:
                        self._progress(min(1.0, file.tell() / size))
        except FileNotFoundError as failure:
            raise NotFoundError(f"There is no {self.path}.", hint=_HINT) from failure
        except OSError as failure:
            raise BlinkError(f"{self.path} cannot be read: {failure.strerror or failure}.") from failure

    def _decoded(self, data: bytes) -> ReplayLine | None:
        try:
            return decode_json(data, _DECODER) if data.endswith(b"\n") else None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
