"""A log's rows into the analysis that the live monitor uses too."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from blink_cli.core.analysis.call_analysis import CallAnalysis
from blink_cli.core.analysis.timeline import Timeline
from blink_cli.core.analysis.video_analysis import VideoAnalysis
from blink_cli.core.ids import Did
from blink_cli.core.media.media_tap import PlayoutOutcome
from blink_cli.record.rtp_log.format import LogEvent, LogRow
from blink_cli.record.rtp_log.logged_reports import reception_report
from blink_cli.record.rtp_log.logged_video import VIDEO_EVENTS, take_video

MOST_TIMELINES: Final = 64
"""Of the streams that began last; nobody tells more lines apart in a plot."""


MOST_IMPAIRMENTS: Final = 100
"""That are told."""


@dataclass(slots=True)
class LogAnalysis:
    """What a log says."""

    call: CallAnalysis = field(default_factory=CallAnalysis)
    video: VideoAnalysis = field(default_factory=VideoAnalysis)
    call_id: str | None = None
    begun: str | None = None
    """Wall time of the first row, ISO 8601."""

    duration_s: float = 0.0
    rows_lost: int = 0
    """Rows that the log itself says are missing."""

    pauses: int = 0
    impairments: list[str] = field(default_factory=list)
    """What was impaired on purpose, each once."""

    timelines: dict[tuple[Did, int], Timeline] = field(default_factory=dict)


def analyse(rows: Iterable[LogRow], *, timelines: bool = False) -> LogAnalysis:
    """Feed every row. With `timelines`, received streams are followed second by second as well, which a plot needs."""
    found = LogAnalysis()
    first_s: float | None = None
    for row in rows:
        if first_s is None:
            first_s = row.time_s
            found.begun = row.wall_time or None
        found.duration_s = max(found.duration_s, row.time_s - first_s)
        if row.peer is None:
            _take_remark(found, row)
        elif row.event is LogEvent.PACKET and row.direction == "received":
            if timelines:
                _follow(found, row.peer, row, first_s)
            _take_received(found.call, row.peer, row)
        elif row.event is LogEvent.PACKET:
            found.call.sending(row.peer, row.ssrc).packet(
                row.time_s, row.payload_bytes, row.redundancy, marker=row.marker
            )
        elif row.event in VIDEO_EVENTS:
            take_video(found.video, row.peer, row)
        else:
            _take_other(found.call, row.peer, row)
    return found


def _take_received(call: CallAnalysis, peer: Did, row: LogRow) -> None:
    assert row.sequence is not None, "the reader lets no packet without a number pass"
    stream = call.receiving(peer, row.ssrc)
    new = stream.packet(
        row.sequence & 0xFFFF,
        row.timestamp,
        row.time_s,
        row.payload_bytes,
        marker=row.marker,
        level_dbov=row.level_dbov,
        voice=row.voice,
    )
    if new and row.outcome is not None:
        played_s = None if row.buffer_ms is None else row.time_s + row.buffer_ms / 1000
        stream.outcome(row.timestamp, row.outcome, played_s)


def _take_other(call: CallAnalysis, peer: Did, row: LogRow) -> None:
    match row.event:
        case LogEvent.RETRANSMISSION:
            stream = call.stream(peer, row.ssrc)
            if stream is not None:
                stream.retransmitted()
        case LogEvent.RECOVERED:
            call.outcome(peer, row.ssrc, row.timestamp, PlayoutOutcome.RECOVERED)
        case LogEvent.RECEPTION_REPORT:
            call.reported(peer, reception_report(row))
        case LogEvent.SENDER_REPORT:
            call.sender_reported(peer, row.ssrc, row.timestamp & 0xFFFFFFFF, row.time_s)
        case LogEvent.PLAYOUT:
            call.playout(peer, row.concealed_samples, row.total_samples)
        case _:
            pass  # of links nothing is computed


def _take_remark(found: LogAnalysis, row: LogRow) -> None:
    match row.event:
        case LogEvent.CALL_BEGAN:
            found.call_id = row.note or None
        case LogEvent.PAUSED:
            found.pauses += 1
            found.call.interrupted()
            found.video.interrupted()
        case LogEvent.IMPAIRED:
            if row.note not in found.impairments and len(found.impairments) < MOST_IMPAIRMENTS:
                found.impairments.append(row.note)
        case LogEvent.ROWS_LOST:
            found.rows_lost += row.packets
            found.call.interrupted()
            found.video.interrupted()
        case _:
            pass


def _follow(found: LogAnalysis, peer: Did, row: LogRow, first_s: float) -> None:
    key = peer, row.ssrc
    timeline = found.timelines.get(key)
    if timeline is None:
        stream = found.call.receiving(peer, row.ssrc)
        timeline = found.timelines[key] = Timeline(stream, first_s, row.time_s)
        if len(found.timelines) > MOST_TIMELINES:
            del found.timelines[next(iter(found.timelines))]
    timeline.packet(row.time_s, row.level_dbov)
