"""A file of JSON objects, one a line, written by one thread. The first write that fails ends it, with a whole line."""

import io
import logging
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from blink_cli.files.writing import create
from blink_cli.record.failure_text import failure_text

_log = logging.getLogger(__name__)


class LineFile:
    """Made with its first lines, its owner's alone. `lines`, `bytes_written` and `failure` may be read by any thread."""

    def __init__(self, path: Path) -> None:
        """Make nothing yet."""
        self.path = path
        self.lines = 0
        self.bytes_written = 0
        self.failure: str | None = None
        """Why nothing is written any more, as the end of a sentence."""

        self._file: io.FileIO | None = None

    def make(self) -> None:
        """Make it now, so that what stands in the way is known at once. Never raises: see `failure`."""
        try:
            if self._file is None and self.failure is None:
                # Without a buffer: what was refused must not be tried again when it is closed.
                self._file = io.FileIO(create(self.path), "wb")
        except OSError as failure:
            self._fail(failure)

    def write(self, lines: Sequence[bytes]) -> None:
        """Append lines, their ends not included. Never raises: see `failure`."""
        if not lines:
            return
        self.make()
        if self._file is None or self.failure is not None:
            return
        data = b"".join(line + b"\n" for line in lines)
        written = 0
        try:
            while written < len(data):
                written += self._file.write(data[written:])
        except OSError as failure:
            self._fail(failure)
            with suppress(OSError):  # a disk that takes nothing at all any more
                self._file.truncate(self.bytes_written)
        else:
            self.bytes_written += len(data)
            self.lines += len(lines)

    def close(self) -> None:
        """Write no more."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _fail(self, failure: OSError) -> None:
        self.failure = failure_text(failure)
        _log.warning("%s is not written any more: %s", self.path, self.failure)
