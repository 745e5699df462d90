"""Packets, outcomes and reports in, finished rows of text out, in order.

A received packet's row waits for what the playout makes of it, at most `OUTCOME_PATIENCE_S`; the rows behind it wait as well. They are in the order of
their times, which is not that in which they come: datagrams that waited in several sockets are read one socket after the other. So every row waits
for one more round of the writer. Used by the writer's thread alone; time comes in.
"""

import csv
import io
from binascii import b2a_base64
from collections.abc import Callable
from datetime import UTC, datetime
from heapq import heappop, heappush
from typing import Any, Final, Literal, TypeAlias

import msgspec

from blink_cli.core.ids import Did
from blink_cli.core.media import red
from blink_cli.core.media.media_tap import PlayoutOutcome
from blink_cli.core.media.rtp import ReceptionReport, RepeatedPacket, RtpPacket, SenderReport, SentPacket
from blink_cli.core.media.unwrapper import FIRST_SEQUENCE_TURN, TIMESTAMP_MASK, Unwrapper, sequence_unwrapper
from blink_cli.core.media.video_feedback import VideoFeedback
from blink_cli.record.rtp_log.csv_words import as_cell
from blink_cli.record.rtp_log.format import COLUMNS, ZEROS, LogEvent

OUTCOME_PATIENCE_S: Final = 2.0
"""The playout keeps nothing for longer than a second; a packet without an outcome by then has none."""

_LINE_END: Final = "\r\n"
"""A cell that holds one of its letters is quoted only by a writer that knows it."""

_REMEMBERED_TIMESTAMPS: Final = 256
_EARLY_OUTCOMES: Final = 256
"""The playout has a packet a moment before the log has it: so many outcomes are kept for packets that come behind them."""

MOST_PAYLOAD_BYTES: Final = 1 << 30
"""That one log keeps, a third less than they take in the file: five hours of a call of eight. Behind them rows go on without."""

MOST_STREAMS: Final = 256
"""Whose numbers are extended; of more, the oldest are forgotten, and begin at their number on the wire."""

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


class VideoEntry(msgspec.Struct, frozen=True, gc=False):
    """It is about pictures."""

    what: RtpPacket | SentPacket | SenderReport | ReceptionReport | VideoFeedback


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
    | VideoEntry
    | Remark
)


class _Row:
    """One row, or a received packet's that is not finished."""

    __slots__ = ("at_s", "begin", "number", "outcome", "payload", "waits")

    def __init__(self, begin: str, number: int, *, at_s: float, waits: bool) -> None:
        self.begin = begin
        self.number = number
        self.at_s = at_s
        self.waits = waits
        self.outcome = ""
        self.payload = ""
        """The last cell."""

    def __lt__(self, other: "_Row") -> bool:
        return (self.at_s, self.number) < (other.at_s, other.number)


_AFTER_OUTCOME: Final = "," * (len(COLUMNS) - COLUMNS.index("buffer_ms") - 1)


class _Numbers:
    """Extends the sequence numbers of one stream, and knows which frame had which."""

    __slots__ = ("_sequences", "by_timestamp", "frame_ticks", "last_timestamp")

    def __init__(self) -> None:
        self._sequences: Unwrapper | None = None
        self.last_timestamp = 0
        self.frame_ticks = 0
        self.by_timestamp: dict[int, int] = {}

    @property
    def _highest(self) -> int | None:
        return None if self._sequences is None else self._sequences.highest - FIRST_SEQUENCE_TURN

    def extended(self, sequence_number: int) -> int:
        if self._sequences is None:
            self._sequences = sequence_unwrapper(sequence_number)
        return self._sequences.unwrap(sequence_number) - FIRST_SEQUENCE_TURN

    def received(self, sequence_number: int, timestamp: int) -> int:
        before = self._highest
        number = self.extended(sequence_number)
        if before is not None and number == before + 1:
            self.frame_ticks = (timestamp - self.last_timestamp) & TIMESTAMP_MASK
        if number == self._highest:
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
            number = self.by_timestamp.get((timestamp + frames * self.frame_ticks) & TIMESTAMP_MASK)
            if number is not None:
                return number - frames
        return None


class LogRows:
    """Makes the rows of one call's log."""

    def __init__(self, wall_offset_s: float, *, payload_bytes: int = 0) -> None:
        """Make rows.

        Args:
            wall_offset_s: The wall clock's time since 1970 less the monotonic time; it may be renewed at any time.
            payload_bytes: So much of what packets carry is kept with them.

        """
        self.wall_offset_s = wall_offset_s
        self.payload_bytes = 0
        """Kept so far."""

        self._most_payload_bytes = payload_bytes
        self._rows: list[_Row] = []
        """A heap: the earliest is the first."""

        self._taken = 0
        self._settled = 0
        self._begun_s = float("-inf")
        self._unfinished: dict[tuple[Did | None, int, int], _Row] = {}
        self._early: dict[tuple[Did | None, int, int], FramePlayed] = {}
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
            VideoEntry: self._video,
            Remark: self._remark,
        }

    def __len__(self) -> int:
        """Rows that have not been taken."""
        return len(self._rows)

    def take(self, peer: Did | None, entry: Entry) -> None:
        """Make the row of an entry, or finish an earlier one's."""
        self._makers[type(entry)](peer, entry)

    def settle(self) -> None:
        """Say that nothing comes any more that is earlier than what has been taken so far; to be called at the beginning of each round."""
        self._settled = self._taken

    def finished(self, now_s: float) -> list[str]:
        """Return and forget the rows, each without its line end, that are settled, wait for nothing and stand behind none that does.

        With infinity all are.
        """
        rows = self._rows
        patience_over_s = now_s - OUTCOME_PATIENCE_S
        settled = self._taken if now_s == float("inf") else self._settled
        texts = []
        while rows:
            row = rows[0]
            if row.number > settled or (row.waits and row.at_s > patience_over_s):
                break
            heappop(rows)
            texts.append(row.begin + row.outcome + row.payload)
            row.waits = False
        if len(self._unfinished) > 2 * len(rows) + 1000:  # packets of which the playout never told anything
            self._unfinished = {key: row for key, row in self._unfinished.items() if row.waits}
        return texts

    # ---- rows

    def _packet_received(self, peer: Did | None, p: RtpPacket) -> None:
        stream = (peer, p.ssrc)
        numbers = self._received.get(stream)
        if numbers is None:
            numbers = _numbers_for(self._received, stream)
        if p.retransmitted:
            self._retransmission(peer, p, numbers.extended(p.sequence_number))
            return
        number = numbers.received(p.sequence_number, p.timestamp)
        copies = red.count_copies(p.payload) if p.payload_type == self._red_types.get(peer) else 0
        row = self._row(
            f"packet,{self._times(p.arrival_s)},{peer},received,{p.ssrc},{number},{_header_cells(p, len(p.payload), copies)}",
            p.arrival_s,
            waits=True,
        )
        row.outcome = f",{_AFTER_OUTCOME}"
        row.payload = self._kept(p.payload, p.arrival_s)
        frame = (peer, p.ssrc, p.timestamp)
        self._unfinished[frame] = row
        outcome = self._early.pop(frame, None)
        if outcome is not None:
            self._frame_played(peer, outcome)

    def _frame_played(self, peer: Did | None, f: FramePlayed) -> None:
        if f.outcome is PlayoutOutcome.RECOVERED:
            numbers = self._received.get((peer, f.ssrc))
            number = None if numbers is None else numbers.of_frame(f.timestamp)
            self._finished_row(
                f"recovered,{self._times(f.at_s)},{peer},received,{f.ssrc},{'' if number is None else number},{f.timestamp},,,,,,,"
                f"recovered,{_AFTER_OUTCOME}",
                f.at_s,
            )
            return
        frame = (peer, f.ssrc, f.timestamp)
        row = self._unfinished.pop(frame, None)
        if row is None:
            self._early[frame] = f
            if len(self._early) > _EARLY_OUTCOMES:
                del self._early[next(iter(self._early))]
        elif row.waits:
            row.waits = False
            buffer_ms = f"{1000 * (f.at_s - row.at_s):.3f}" if f.outcome is PlayoutOutcome.PLAYED else ""
            row.outcome = f"{f.outcome.value},{buffer_ms}{_AFTER_OUTCOME}"

    def _retransmission(self, peer: Did | None, p: RtpPacket, number: int) -> None:
        """Its frame has no outcome of its own: if it is played in place of the lost packet, a row `recovered` says so."""
        row = self._row(
            f"retransmission,{self._times(p.arrival_s)},{peer},received,{p.ssrc},{number},{_header_cells(p, len(p.payload), 0)}"
            f",{_AFTER_OUTCOME}",
            p.arrival_s,
            waits=False,
        )
        row.payload = self._kept(p.payload, p.arrival_s)

    def _packet_repeated(self, peer: Did | None, p: RepeatedPacket) -> None:
        numbers = self._received.get((peer, p.ssrc))
        number = p.sequence_number if numbers is None else numbers.extended(p.sequence_number)
        self._finished_row(
            f"packet,{self._times(p.arrival_s)},{peer},received,{p.ssrc},{number},{_header_cells(p, p.payload_bytes, '')}"
            f"duplicate,{_AFTER_OUTCOME}",
            p.arrival_s,
        )

    def _packet_sent(self, peer: Did | None, p: SentPacket) -> None:
        stream = (peer, p.ssrc)
        numbers = self._sent.get(stream)
        if numbers is None:
            numbers = _numbers_for(self._sent, stream)
        number = numbers.extended(p.sequence_number)
        row = self._row(
            f"packet,{self._times(p.sent_s)},{peer},sent,{p.ssrc},{number},{_header_cells(p, p.payload_bytes, p.redundancy)}"
            f",{_AFTER_OUTCOME}",
            p.sent_s,
            waits=False,
        )
        row.payload = self._kept(p.payload, p.sent_s)

    def _sender_report(
        self, peer: Did | None, r: SenderReport, event: LogEvent = LogEvent.SENDER_REPORT
    ) -> None:
        self._cells(
            event,
            r.arrival_s,
            peer,
            direction="received",
            ssrc=r.ssrc,
            timestamp=r.rtp_timestamp,
            ntp_s=f"{r.ntp_s:.6f}",
            packets=r.packet_count,
            octets=r.octet_count,
        )

    def _reception_report(
        self, peer: Did | None, r: ReceptionReport, event: LogEvent = LogEvent.RECEPTION_REPORT
    ) -> None:
        self._cells(
            event,
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

    def _video(self, peer: Did | None, entry: VideoEntry) -> None:
        from blink_cli.record.rtp_log.video_rows import FEEDBACK_EVENTS  # noqa: PLC0415 - calls of voices need nothing of it

        match entry.what:
            case RtpPacket() as p:
                self._video_packet(peer, p, "received", self._received, p.arrival_s)
            case SentPacket() as p:
                self._video_packet(peer, p, "sent", self._sent, p.sent_s)
            case SenderReport() as report:
                self._sender_report(peer, report, LogEvent.VIDEO_SENDER_REPORT)
            case ReceptionReport() as report:
                self._reception_report(peer, report, LogEvent.VIDEO_RECEPTION_REPORT)
            case VideoFeedback() as feedback:
                self._cells(
                    FEEDBACK_EVENTS[feedback.kind],
                    feedback.at_s,
                    peer,
                    direction="received" if feedback.is_ours else "sent",
                    ssrc=feedback.ssrc,
                    packets=feedback.packets or "",
                )

    def _video_packet(
        self,
        peer: Did | None,
        p: RtpPacket | SentPacket,
        direction: str,
        streams: dict[tuple[Did | None, int], _Numbers],
        at_s: float,
    ) -> None:
        from blink_cli.record.rtp_log.video_rows import packet_cells, packet_event  # noqa: PLC0415 - as above

        stream = (peer, p.ssrc)
        numbers = streams.get(stream)
        if numbers is None:
            numbers = _numbers_for(streams, stream)
        number = numbers.extended(p.sequence_number)
        self._finished_row(
            f"{packet_event(p)},{self._times(at_s)},{peer},{direction},{p.ssrc},{number},{packet_cells(p)}",
            at_s,
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
        if remark.event is LogEvent.CALL_BEGAN:
            self._begun_s = remark.at_s
        if remark.event is LogEvent.CALL_BEGAN:
            self._cells(remark.event, remark.at_s, peer, **ZEROS, note=remark.note)
            return
        self._cells(remark.event, remark.at_s, peer, note=remark.note, packets=remark.packets or "")

    def _cells(self, event: LogEvent, at_s: float, peer: Did | None, note: str = "", **cells: object) -> None:
        text = io.StringIO()
        csv.writer(text, lineterminator=_LINE_END).writerow(
            as_cell(note) if name == "note" else str(cells.get(name, "")) for name in COLUMNS[4:]
        )
        self._finished_row(
            f"{event.value},{self._times(at_s)},{peer or ''},{text.getvalue().removesuffix(_LINE_END)}", at_s
        )

    def _finished_row(self, text: str, at_s: float) -> None:
        self._row(text, at_s, waits=False)

    def _row(self, text: str, at_s: float, *, waits: bool) -> _Row:
        self._taken += 1
        row = _Row(text, self._taken, at_s=at_s, waits=waits)
        if at_s >= self._begun_s:  # what waited in a socket when the log began is no part of it
            heappush(self._rows, row)
        return row

    def _kept(self, payload: bytes, at_s: float) -> str:
        """The cell of a payload; says once that no more are kept."""
        most = self._most_payload_bytes
        if not most or not payload:
            return ""
        if self.payload_bytes + len(payload) > most:
            self._most_payload_bytes = 0
            self._cells(LogEvent.PAYLOADS_END, at_s, None, octets=self.payload_bytes)
            return ""
        self.payload_bytes += len(payload)
        return as_cell(b2a_base64(payload, newline=False).decode("ascii"))

    def _times(self, at_s: float) -> str:
        """Both time columns: monotonic seconds, and ISO 8601 in UTC; with microseconds."""
        microseconds = round((at_s + self.wall_offset_s) * 1e6)
        second, fraction = divmod(microseconds, 1_000_000)
        if second != self._second:
            self._second = second
            self._second_text = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        return f"{at_s:.6f},{self._second_text}.{fraction:06d}Z"


def _numbers_for(known: dict[tuple[Did | None, int], _Numbers], stream: tuple[Did | None, int]) -> _Numbers:
    if len(known) >= MOST_STREAMS:
        del known[next(iter(known))]
    numbers = known[stream] = _Numbers()
    return numbers


def _header_cells(
    p: RtpPacket | RepeatedPacket | SentPacket, payload_bytes: int, copies: int | Literal[""]
) -> str:
    """From the timestamp to the number of redundant copies."""
    level = "" if p.audio_level_dbov is None else p.audio_level_dbov
    return f"{p.timestamp},{p.marker:d},{p.payload_type},{payload_bytes},{level},{p.voice:d},{copies},"
