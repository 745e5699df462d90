"""How a record is written, and read again.

2026-11-29T07:21:05.123Z WARNING net.signaling.udp_transport: Signals cannot be sent by eth0: Network is unreachable.
    a traceback, or another line of the same message, stands four blanks in
"""

import logging
import re
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec
from typing_extensions import override

from blink_cli.core.identity.nickname import harmless_text
from blink_cli.core.text.utc_text import utc_text_of
from blink_cli.core.text.veil import Veil

INDENT: Final = "    "
_PACKAGE: Final = "blink_cli."
_LINE: Final = re.compile(r"(\S+Z) ([A-Z]+) +(\S+): (.*)")


class LogLine(msgspec.Struct, frozen=True):
    """One record."""

    time: str
    """ISO 8601, UTC."""

    level: str
    """`DEBUG`, `INFO`, `WARNING`, `ERROR` or `CRITICAL`."""

    source: str
    """What said it: a part of this program, or a library."""

    message: str
    """Further lines of it, and a traceback, behind newlines."""


class LogFormatter(logging.Formatter):
    """Writes one record, without secrets, and without what could move a cursor."""

    def __init__(self, veil: Veil) -> None:
        super().__init__()
        self._veil = veil

    @override
    def format(self, record: logging.LogRecord) -> str:
        """Return its lines, without a newline at the end."""
        text = record.getMessage()
        if record.exc_info:
            text = f"{text}\n{self.formatException(record.exc_info)}"
        first, *more = [harmless_text(line, instead="?") for line in self._veil.over(text).splitlines()] or [
            ""
        ]
        head = (
            f"{utc_text_of(record.created)} {record.levelname} {record.name.removeprefix(_PACKAGE)}: {first}"
        )
        return "\n".join([head, *(INDENT + line for line in more)])


class ShortFormatter(LogFormatter):
    """Writes the sentence alone, for a terminal: its reason and place stand in the file."""

    @override
    def format(self, record: logging.LogRecord) -> str:
        """Return the first line of the message."""
        first, *_ = self._veil.over(record.getMessage()).splitlines() or [""]
        return harmless_text(first, instead="?")


def read_lines(lines: Iterable[str]) -> Iterator[LogLine]:
    """Read what was written. What has no time belongs to what stands before it: a message's further lines, or what a crash wrote."""
    current: LogLine | None = None
    for line in lines:
        found = _LINE.fullmatch(line)
        if found is not None:
            if current is not None:
                yield current
            current = LogLine(*found.groups())
        elif current is not None and line:
            current = msgspec.structs.replace(
                current, message=f"{current.message}\n{line.removeprefix(INDENT)}"
            )
    if current is not None:
        yield current


def starts_record(line: str) -> bool:
    """Whether a line is the first one of a record."""
    return _LINE.fullmatch(line) is not None
