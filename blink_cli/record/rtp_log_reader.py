"""Reads RTP logs, also such as another program has saved again, or a crash has cut off."""

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TextIO, TypeVar

from blink_cli.core.errors import BlinkError, NotFoundError, UsageError
from blink_cli.core.media_tap import PlayoutOutcome
from blink_cli.core.names import Did
from blink_cli.record.believable_times import BelievableTimes
from blink_cli.record.rtp_log_format import COLUMNS, LogEvent, LogRow

NEEDED: Final = ("event", "time_s", "peer", "direction", "ssrc", "sequence", "timestamp")
"""Without one of these columns nothing can be said."""

_HINT: Final = "`blink rtp-log start PATH` writes such logs; docs/analysis.md has their columns"
_LONGEST_LINE: Final = 10_000
_PROGRESS_LINES: Final = 2_000

T = TypeVar("T")


class RtpLogReader:
    """Iterate over its rows once. Rows that cannot be read are left out and counted."""

    def __init__(self, path: Path, progress: Callable[[float], None] = lambda _: None) -> None:
        """Read a file; it is opened by iterating. `progress` is told the part that is read, 0 to 1, now and then; what it raises ends the reading."""
        self.path = path
        self._progress = progress
        self.rows_read = 0
        self._unreadable = 0
        self._times = BelievableTimes()

    @property
    def rows_unreadable(self) -> int:
        """Lines with numbers that are missing, cut off or impossible: a crash leaves one at most, at the end."""
        return self._unreadable + self._times.refused

    def __iter__(self) -> Iterator[LogRow]:
        """Yield the rows in the order of the file.

        Raises:
            NotFoundError: There is no such file.
            UsageError: It is no RTP log.
            BlinkError: It cannot be read.

        """
        with _opened(self.path) as file:
            lines = csv.reader(self._lines(file), strict=False)
            header = next(lines, None)
            places = _places(header, self.path)
            try:
                for cells in lines:
                    if not cells:
                        continue
                    row = _row(cells, places)
                    if row is None:
                        self._unreadable += 1
                        continue
                    for believed in self._times.take(row):
                        self.rows_read += 1
                        yield believed
            except csv.Error as error:
                raise _no_log(self.path, f"it is no table of text ({error})") from error
        for believed in self._times.end():
            self.rows_read += 1
            yield believed
        if not self.rows_read and self.rows_unreadable:
            raise _no_log(self.path, "none of its lines can be read")

    def _lines(self, file: TextIO) -> Iterator[str]:
        """Lines, none of which can fill the memory."""
        size_bytes = self.path.stat().st_size or 1
        count = 0
        while line := file.readline(_LONGEST_LINE):
            if len(line) >= _LONGEST_LINE or "\0" in line:
                raise _no_log(self.path, "it has no lines of text")
            if count % _PROGRESS_LINES == 0:
                self._progress(min(file.buffer.tell() / size_bytes, 1.0))
            count += 1
            yield line


@contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    try:
        if path.is_dir():
            raise UsageError(f"{path} is a folder.", hint="name one of the CSV files in it")
        # Spreadsheets put a byte order mark in front.
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield file
    except FileNotFoundError as error:
        raise NotFoundError(
            f"There is no file {path}.", hint="`blink rtp-log status` names the log that is being written"
        ) from error
    except UnicodeDecodeError as error:
        raise _no_log(path, "it is no text") from error
    except OSError as error:
        raise BlinkError(f"{path} cannot be read: {error.strerror or error}.") from error


def _places(header: Sequence[str] | None, path: Path) -> dict[str, int]:
    if header is None:
        raise _no_log(path, "it is empty")
    places = {name.strip(): index for index, name in enumerate(header)}
    missing = [name for name in NEEDED if name not in places]
    if missing:
        if len(header) == 1 and (";" in header[0] or "\t" in header[0]):
            raise _no_log(path, "its columns are not separated by commas")
        raise _no_log(path, f"it has no column {', '.join(missing)}")
    return {name: index for name, index in places.items() if name in COLUMNS}


def _no_log(path: Path, reason: str) -> UsageError:
    return UsageError(f"{path} is no RTP log of blink: {reason}.", hint=_HINT)


class _Cells:
    """One line by column names."""

    __slots__ = ("_cells", "_places")

    def __init__(self, cells: Sequence[str], places: Mapping[str, int]) -> None:
        self._cells = cells
        self._places = places

    def text(self, name: str) -> str:
        place = self._places.get(name)
        return "" if place is None else self._cells[place]

    def integer(self, name: str) -> int:
        text = self.text(name)
        return int(text) if text else 0

    def integer_or_none(self, name: str) -> int | None:
        text = self.text(name)
        return int(text) if text else None

    def number(self, name: str) -> float:
        text = self.text(name)
        return float(text) if text else 0.0

    def number_or_none(self, name: str) -> float | None:
        text = self.text(name)
        return float(text) if text else None


def _row(cells: Sequence[str], places: Mapping[str, int]) -> LogRow | None:
    if len(cells) < len(places):
        return None
    c = _Cells(cells, places)
    try:
        event = LogEvent(c.text("event"))
        outcome = c.text("outcome")
        peer = c.text("peer")
        row = LogRow(
            event,
            float(c.text("time_s")),
            c.text("wall_time"),
            Did(peer) if peer else None,
            c.text("direction"),
            c.integer("ssrc"),
            c.integer_or_none("sequence"),
            c.integer("timestamp"),
            c.integer("marker") != 0,
            c.integer("payload_type"),
            c.integer("payload_bytes"),
            c.integer_or_none("level_dbov"),
            c.integer("voice") != 0,
            c.integer("redundancy"),
            PlayoutOutcome(outcome) if outcome else None,
            c.number_or_none("buffer_ms"),
            c.number_or_none("rtt_ms"),
            c.number("fraction_lost"),
            c.integer("packets_lost"),
            c.number("jitter_ms"),
            c.number("ntp_s"),
            c.integer("packets"),
            c.integer("octets"),
            c.integer("concealed_samples"),
            c.integer("total_samples"),
            c.text("note"),
        )
    except (ValueError, IndexError):
        return None
    return row if _is_possible(row) else None


def _is_possible(row: LogRow) -> bool:
    """Whether the numbers can be those of packets: what a hand or another program changed is not believed."""
    if not abs(row.time_s) < 1e12:
        return False
    if row.event is LogEvent.PACKET:
        return (
            row.peer is not None
            and row.direction in {"sent", "received"}
            and row.sequence is not None
            and abs(row.sequence) < 1 << 48
            and 0 <= row.timestamp < 1 << 32
            and 0 <= row.ssrc < 1 << 32
            and 0 <= row.payload_type < 128
            and 0 <= row.payload_bytes < 1 << 16
        )
    return row.event not in _ABOUT_PEERS or row.peer is not None


_ABOUT_PEERS: Final = frozenset(
    {
        LogEvent.RECOVERED,
        LogEvent.SENDER_REPORT,
        LogEvent.RECEPTION_REPORT,
        LogEvent.PLAYOUT,
        LogEvent.LINK_CONNECTED,
        LogEvent.LINK_ENDED,
    }
)
