"""Reads RTP logs, also such as another program has saved again, or a crash has cut off."""

import codecs
import csv
import io
import math
import os
from binascii import a2b_base64
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TextIO, TypeVar

from blink_cli.core.errors import BlinkError, NotFoundError, UsageError
from blink_cli.core.ids import Did
from blink_cli.core.media.media_tap import PlayoutOutcome
from blink_cli.files.reading import open_reading
from blink_cli.record.rtp_log.believable_times import BelievableTimes
from blink_cli.record.rtp_log.csv_words import from_cell
from blink_cli.record.rtp_log.format import COLUMNS, LogEvent, LogRow

NEEDED: Final = ("event", "time_s", "peer", "direction", "ssrc", "sequence", "timestamp")
"""Without one of these columns nothing can be said."""

_HINT: Final = "`blink rtp-log start PATH` writes such logs; `docs/analysis.md` lists their columns."

DELIMITERS: Final = (",", ";", "\t", "|")
"""Of columns: ours, and those of spreadsheets where a comma is the decimal point."""

_NOTHING: Final = frozenset({"", "nan", "na", "n/a", "<na>", "null", "none", "missing"})
"""What dataframes write where there is no value."""

_TRUTHS: Final = {"true": 1, "false": 0}
_LONGEST_LINE: Final = 10_000
_LONGEST_NUMBER: Final = 40
_MOST_LINES: Final = 100
"""Of one row: a quoted cell may hold line ends, but a row of ours never does, and one without an end would fill the memory."""

_LARGEST: Final = 1e15
"""No count of packets, octets or seconds is larger; what is larger is damage, and would spoil every sum."""

_LONGEST_WORD: Final = 200
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
        self._lines_in_row = 0
        self._torn = False  # the line that was read last has no end: perhaps a crash cut it off
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
            texts = self._lines(file)
            header = next(texts, "")
            if header.strip().strip('"').lower().startswith("sep="):  # Excel's own way to name it
                header = next(texts, "")
            delimiter = max(DELIMITERS, key=header.count)
            places = _places(next(csv.reader([header], delimiter=delimiter), None), delimiter, self.path)
            width = max(places.values()) + 1
            try:
                for cells in csv.reader(texts, delimiter=delimiter, strict=False):
                    self._lines_in_row = 0
                    if not any(cells):
                        continue
                    if len(cells) < width and not self._torn:
                        cells.extend(
                            [""] * (width - len(cells))
                        )  # spreadsheets leave out empty cells at the end
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
        size_bytes = os.fstat(file.fileno()).st_size or 1
        count = 0
        while line := file.readline(_LONGEST_LINE):
            if len(line) >= _LONGEST_LINE or "\0" in line:
                raise _no_log(self.path, "it has no lines of text")
            if count % _PROGRESS_LINES == 0:
                self._progress(min(file.buffer.tell() / size_bytes, 1.0))
            count += 1
            self._lines_in_row += 1
            if self._lines_in_row > _MOST_LINES:
                raise _no_log(self.path, f"row {count - _MOST_LINES} has no end")
            self._torn = not line.endswith(("\n", "\r"))
            yield line


@contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    try:
        if path.is_dir():
            raise UsageError(f"{path} is a folder.", hint="Name one of the CSV files in it.")
        with open_reading(path) as raw:
            is_utf16 = raw.read(2) in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE}
            raw.seek(0)
            # Spreadsheets put a byte order mark in front, and "Unicode text" of theirs is UTF-16.
            yield io.TextIOWrapper(raw, encoding="utf-16" if is_utf16 else "utf-8-sig", newline="")
    except FileNotFoundError as error:
        raise NotFoundError(
            f"There is no file {path}.",
            hint="Check the path. `blink rtp-log status` names the log that is being written.",
        ) from error
    except UnicodeError as error:
        raise _no_log(path, "it is no text") from error
    except OSError as error:
        raise BlinkError(f"{path} cannot be read: {error.strerror or error}.") from error


def _places(header: Sequence[str] | None, delimiter: str, path: Path) -> dict[str, int]:
    if not header:
        raise _no_log(path, "it is empty")
    places = {name.strip().lower(): index for index, name in enumerate(header)}
    missing = [name for name in NEEDED if name not in places]
    if missing:
        also = "" if delimiter == "," else "its columns are not separated by commas, and "
        raise _no_log(path, f"{also}it has no column {', '.join(missing)}")
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

    def word(self, name: str) -> str:
        """One of a few words, or a DID.

        Raises:
            ValueError: It is longer than any of them.

        """
        text = self.text(name).strip()
        if len(text) > _LONGEST_WORD:
            raise ValueError("too long for a word")
        return "" if text.lower() in _NOTHING else text

    def payload(self, name: str) -> bytes:
        """Base64.

        Raises:
            ValueError: It is none.

        """
        text = self.text(name).strip()
        return b"" if text.lower() in _NOTHING else a2b_base64(from_cell(text), strict_mode=True)

    def integer(self, name: str) -> int:
        return self.integer_or_none(name) or 0

    def integer_or_none(self, name: str) -> int | None:
        text = self.text(name)
        if not text:
            return None
        if len(text) > _LONGEST_NUMBER:  # before it is computed: that takes longer for longer ones
            raise ValueError("too long for a number")
        try:
            number = int(text)
        except ValueError:
            return _whole(text)
        if abs(number) > _LARGEST:
            raise ValueError(f"{text!r} counts nothing")
        return number

    def number(self, name: str) -> float:
        return self.number_or_none(name) or 0.0

    def number_or_none(self, name: str) -> float | None:
        text = self.text(name)
        return _number(text) if text else None


def _number(text: str) -> float | None:
    """A number as this and other programs write it: 1234.5, 1.2345E+03, 1234,5; None for what they write where there is none.

    Raises:
        ValueError: It is no number.

    """
    try:
        number = float(text)
    except ValueError:
        if text.strip().lower() in _NOTHING:
            return None
        # A comma is the decimal point of half the world; beside one it stands between thousands.
        number = float(text.replace(",", "") if "." in text else text.replace(",", "."))
    if math.isnan(number):
        return None
    if abs(number) > _LARGEST:
        raise ValueError(f"{text!r} counts nothing")
    return number


def _whole(text: str) -> int | None:
    """A whole number as others write it: 65530.0, TRUE. As `_number`."""
    word = text.strip().lower()
    if word in _TRUTHS:
        return _TRUTHS[word]
    number = _number(text)
    if number is None:
        return None
    if not number.is_integer():
        raise ValueError(f"{text!r} is not whole")
    return int(number)


def _row(cells: Sequence[str], places: Mapping[str, int]) -> LogRow | None:
    c = _Cells(cells, places)
    try:
        event = LogEvent(c.word("event"))
        time_s = c.number_or_none("time_s")
        if time_s is None:
            return None
        wall_time = c.word("wall_time")
        if event is LogEvent.CALL_BEGAN:  # its numbers mean nothing
            row = LogRow(event, time_s, wall_time, note=from_cell(c.word("note")))
            return row if _is_possible(row) else None
        outcome = c.word("outcome")
        peer = c.word("peer")
        row = LogRow(
            event,
            time_s,
            wall_time,
            Did(peer) if peer else None,
            c.word("direction"),
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
            from_cell(c.word("note")),
            c.payload("payload"),
        )
    except (ValueError, IndexError, OverflowError):
        return None
    return row if _is_possible(row) else None


def _is_possible(row: LogRow) -> bool:
    """Whether the numbers can be those of packets: what a hand or another program changed is not believed."""
    if not abs(row.time_s) < 1e12 or not 0.0 <= row.fraction_lost <= 1.0:
        return False
    if row.event in _PACKETS:
        return (
            row.peer is not None
            and row.direction in {"sent", "received"}
            and row.sequence is not None
            and abs(row.sequence) < 1 << 48
            and 0 <= row.timestamp < 1 << 32
            and 0 <= row.ssrc < 1 << 32
            and 0 <= row.payload_type < 128
            and 0 <= row.payload_bytes < 1 << 16
            and 0 <= row.redundancy < 1 << 16
            and (row.level_dbov is None or -127 <= row.level_dbov <= 0)
        )
    return row.event not in _ABOUT_PEERS or row.peer is not None


_PACKETS: Final = frozenset(
    {
        LogEvent.PACKET,
        LogEvent.RETRANSMISSION,
        LogEvent.VIDEO_PACKET,
        LogEvent.VIDEO_RETRANSMISSION,
    }
)

_ABOUT_PEERS: Final = frozenset(
    {
        LogEvent.VIDEO_SENDER_REPORT,
        LogEvent.VIDEO_RECEPTION_REPORT,
        LogEvent.VIDEO_NACK,
        LogEvent.VIDEO_PLI,
        LogEvent.VIDEO_FIR,
        LogEvent.RECOVERED,
        LogEvent.SENDER_REPORT,
        LogEvent.RECEPTION_REPORT,
        LogEvent.PLAYOUT,
        LogEvent.LINK_CONNECTED,
        LogEvent.LINK_ENDED,
    }
)
