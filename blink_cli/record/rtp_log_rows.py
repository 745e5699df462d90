"""Packets, outcomes and reports in, finished rows of text out, in order.

A received packet's row waits for what the playout makes of it, at most `OUTCOME_PATIENCE_S`; the rows behind it wait as well, so that the file is
in order. Used by the writer's thread alone; time comes in.
"""

import csv
import io
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final, Literal, TypeAlias

import msgspec

from blink_cli.core import red
from blink_cli.core.media_tap import PlayoutOutcome
from blink_cli.core.names import Did
from blink_cli.core.rtp import (
    ReceptionReport,
    RepeatedPacket,
    RtpPacket,
    SenderReport,
    SentPacket,
    sequence_difference,
)
from blink_cli.record.rtp_log_format import COLUMNS, LogEvent

OUTCOME_PATIENCE_S: Final = 2.0
"""The playout keeps nothing for longer than a second; a packet without an outcome by then has none."""

_REMEMBERED_TIMESTAMPS: Final = 256
_NEXT_FRAMES: Final = 3
"""A frame is rebuilt from one of the next packets: FEC is in the next one, redundant copies in the next two, of which one may be missing."""


class FramePlayed(msgspec.Struct, frozen=True, gc=False):
    """What the playout made of a frame."""

    ssrc: int
    timestamp: int
    outcome: PlayoutOutcome
    at_s: float


class PlayoutCounted(msgspec.Struct, frozen=True, gc=False):
    """Running counts of a peer's playout."""

    concealed_samples: int
    total_samples: int
    at_s: float


class LinkBegan(msgspec.Struct, frozen=True, gc=False):
    """Media of this peer may come, with these payload types."""

    opus: int
    red: int | None
    at_s: float


class Remark(msgspec.Struct, frozen=True, gc=False):
    """Any other row."""

    event: LogEvent
    at_s: float
    note: str = ""
    packets: int = 0


Entry: TypeAlias = (
    RtpPacket
    | SentPacket
    | RepeatedPacket
    | SenderReport
    | ReceptionReport
    | FramePlayed
    | PlayoutCounted
    | LinkBegan
    | Remark
)


class _Row:
    """One row, or a received packet's that is not finished."""

    __slots__ = ("arrival_s", "begin", "outcome", "waits")

    def __init__(self, begin: str, *, arrival_s: float, waits: bool) -> None:
        self.begin = begin
        self.arrival_s = arrival_s
        self.waits = waits
        self.outcome = ""


_AFTER_OUTCOME: Final = "," * (len(COLUMNS) - COLUMNS.index("buffer_ms") - 1)


class _Numbers:
    """Extends the sequence numbers of one stream, and knows which frame had which."""

    __slots__ = ("by_timestamp", "frame_ticks", "highest", "last_timestamp")

    def __init__(self) -> None:
        self.highest: int | None = None
        self.last_timestamp = 0
        self.frame_ticks = 0
        self.by_timestamp: dict[int, int] = {}

    def extended(self, sequence_number: int) -> int:
        if self.highest is None:
            self.highest = sequence_number
            return sequence_number
        number = self.highest + sequence_difference(sequence_number, self.highest & 0xFFFF)
        self.highest = max(self.highest, number)
        return number

    def received(self, sequence_number: int, timestamp: int) -> int:
        before = self.highest
        number = self.extended(sequence_number)
        if before is not None and number == before + 1:
            self.frame_ticks = (timestamp - self.last_timestamp) & 0xFFFFFFFF
        if number == self.highest:
            self.last_timestamp = timestamp
        known = self.by_timestamp
        known[timestamp] = number
        if len(known) > 2 * _REMEMBERED_TIMESTAMPS:
            for old in list(known)[:_REMEMBERED_TIMESTAMPS]:
                del known[old]
        return number

    def of_frame(self, timestamp: int) -> int | None:
        """The number of a frame whose own packet has not come, by the packets after it."""
        for frames in range(_NEXT_FRAMES + 1):
            number = self.by_timestamp.get((timestamp + frames * self.frame_ticks) & 0xFFFFFFFF)
            if number is not None:
                return number - frames
        return None


class LogRows:
    """Makes the rows of one call's log."""

    def __init__(self, wall_offset_s: float) -> None:
        """`wall_offset_s` is the wall clock's time since 1970 less the monotonic time; it may be renewed at any time."""
        self.wall_offset_s = wall_offset_s
        self._rows: deque[_Row] = deque()
        self._unfinished: dict[tuple[Did | None, int, int], _Row] = {}
        self._received: dict[tuple[Did | None, int], _Numbers] = {}
        self._sent: dict[tuple[Did | None, int], _Numbers] = {}
        self._red_types: dict[Did | None, int | None] = {}
        self._second = -1
        self._second_text = ""
        self._makers: dict[type, Callable[[Did | None, Any], None]] = {
            RtpPacket: self._packet_received,
            SentPacket: self._packet_sent,
            FramePlayed: self._frame_played,
            RepeatedPacket: self._packet_repeated,
            SenderReport: self._sender_report,
            ReceptionReport: self._reception_report,
            PlayoutCounted: self._playout,
            LinkBegan: self._link_began,
            Remark: self._remark,
        }

    def __len__(self) -> int:
        """Rows that have not been taken."""
        return len(self._rows)

    def take(self, peer: Did | None, entry: Entry) -> None:
        """Make the row of an entry, or finish an earlier one's."""
        self._makers[type(entry)](peer, entry)

    def finished(self, now_s: float) -> list[str]:
        """Return and forget the rows, each without its line end, that wait for nothing and stand behind none that does."""
        rows = self._rows
        patience_over_s = now_s - OUTCOME_PATIENCE_S
        texts = []
        while rows:
            row = rows[0]
            if row.waits and row.arrival_s > patience_over_s:
                break
            rows.popleft()
            texts.append(row.begin + row.outcome)
            row.waits = False
        if len(self._unfinished) > 2 * len(rows) + 1000:  # packets of which the playout never told anything
            self._unfinished = {key: row for key, row in self._unfinished.items() if row.waits}
        return texts

    # ---- rows

    def _packet_received(self, peer: Did | None, p: RtpPacket) -> None:
        stream = (peer, p.ssrc)
        numbers = self._received.get(stream)
        if numbers is None:
            numbers = self._received[stream] = _Numbers()
        number = numbers.received(p.sequence_number, p.timestamp)
        copies = red.count_copies(p.payload) if p.payload_type == self._red_types.get(peer) else 0
        row = _Row(
            f"packet,{self._times(p.arrival_s)},{peer},received,{p.ssrc},{number},{_header_cells(p, len(p.payload), copies)}",
            arrival_s=p.arrival_s,
            waits=True,
        )
        row.outcome = f",{_AFTER_OUTCOME}"
        self._rows.append(row)
        self._unfinished[(peer, p.ssrc, p.timestamp)] = row

    def _frame_played(self, peer: Did | None, f: FramePlayed) -> None:
        if f.outcome is PlayoutOutcome.RECOVERED:
            numbers = self._received.get((peer, f.ssrc))
            number = None if numbers is None else numbers.of_frame(f.timestamp)
            self._finished_row(
                f"recovered,{self._times(f.at_s)},{peer},received,{f.ssrc},{'' if number is None else number},{f.timestamp},,,,,,,"
                f"recovered,{_AFTER_OUTCOME}"
            )
            return
        row = self._unfinished.pop((peer, f.ssrc, f.timestamp), None)
        if row is not None and row.waits:
            row.waits = False
            buffer_ms = f"{1000 * (f.at_s - row.arrival_s):.3f}" if f.outcome is PlayoutOutcome.PLAYED else ""
            row.outcome = f"{f.outcome.value},{buffer_ms}{_AFTER_OUTCOME}"

    def _packet_repeated(self, peer: Did | None, p: RepeatedPacket) -> None:
        numbers = self._received.get((peer, p.ssrc))
        number = p.sequence_number if numbers is None else numbers.extended(p.sequence_number)
        self._finished_row(
            f"packet,{self._times(p.arrival_s)},{peer},received,{p.ssrc},{number},{_header_cells(p, p.payload_bytes, '')}"
            f"duplicate,{_AFTER_OUTCOME}"
        )

    def _packet_sent(self, peer: Did | None, p: SentPacket) -> None:
        stream = (peer, p.ssrc)
        numbers = self._sent.get(stream)
        if numbers is None:
            numbers = self._sent[stream] = _Numbers()
        number = numbers.extended(p.sequence_number)
        self._finished_row(
            f"packet,{self._times(p.sent_s)},{peer},sent,{p.ssrc},{number},{_header_cells(p, p.payload_bytes, p.redundancy)}"
            f",{_AFTER_OUTCOME}"
        )

    def _sender_report(self, peer: Did | None, r: SenderReport) -> None:
        self._cells(
            LogEvent.SENDER_REPORT,
            r.arrival_s,
            peer,
            direction="received",
            ssrc=r.ssrc,
            timestamp=r.rtp_timestamp,
            ntp_s=f"{r.ntp_s:.6f}",
            packets=r.packet_count,
            octets=r.octet_count,
        )

    def _reception_report(self, peer: Did | None, r: ReceptionReport) -> None:
        self._cells(
            LogEvent.RECEPTION_REPORT,
            r.arrival_s,
            peer,
            direction="sent",
            ssrc=r.ssrc,
            sequence=r.highest_sequence,
            rtt_ms="" if r.rtt_s is None else f"{1000 * r.rtt_s:.3f}",
            fraction_lost=f"{r.fraction_lost:.6f}",
            packets_lost=r.packets_lost,
            jitter_ms=f"{1000 * r.jitter_s:.3f}",
        )

    def _playout(self, peer: Did | None, p: PlayoutCounted) -> None:
        self._cells(
            LogEvent.PLAYOUT,
            p.at_s,
            peer,
            direction="received",
            concealed_samples=p.concealed_samples,
            total_samples=p.total_samples,
        )

    def _link_began(self, peer: Did | None, link: LinkBegan) -> None:
        self._red_types[peer] = link.red
        self._cells(
            LogEvent.LINK_CONNECTED,
            link.at_s,
            peer,
            payload_type=link.opus,
            note="no RED" if link.red is None else f"RED {link.red}",
        )

    def _remark(self, peer: Did | None, remark: Remark) -> None:
        self._cells(remark.event, remark.at_s, peer, note=remark.note, packets=remark.packets or "")

    def _cells(self, event: LogEvent, at_s: float, peer: Did | None, **cells: object) -> None:
        text = io.StringIO()
        csv.writer(text, lineterminator="").writerow(str(cells.get(name, "")) for name in COLUMNS[4:])
        self._finished_row(f"{event.value},{self._times(at_s)},{peer or ''},{text.getvalue()}")

    def _finished_row(self, text: str) -> None:
        self._rows.append(_Row(text, arrival_s=0.0, waits=False))

    def _times(self, at_s: float) -> str:
        """Both time columns: monotonic seconds, and ISO 8601 in UTC; with microseconds."""
        microseconds = round((at_s + self.wall_offset_s) * 1e6)
        second, fraction = divmod(microseconds, 1_000_000)
        if second != self._second:
            self._second = second
            self._second_text = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        return f"{at_s:.6f},{self._second_text}.{fraction:06d}Z"


def _header_cells(
    p: RtpPacket | RepeatedPacket | SentPacket, payload_bytes: int, copies: int | Literal[""]
) -> str:
    """From the timestamp to the number of redundant copies."""
    level = "" if p.audio_level_dbov is None else p.audio_level_dbov
    return f"{p.timestamp},{p.marker:d},{p.payload_type},{payload_bytes},{level},{p.voice:d},{copies},"
