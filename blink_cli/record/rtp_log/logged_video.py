"""A log's rows about pictures, into their analysis."""

from typing import Final

from blink_cli.core.analysis.video_analysis import VideoAnalysis, VideoPacket
from blink_cli.core.ids import Did
from blink_cli.record.rtp_log.format import LogEvent, LogRow
from blink_cli.record.rtp_log.logged_reports import reception_report
from blink_cli.record.rtp_log.video_rows import DELTA, FEEDBACK_EVENTS, KEY

_FEEDBACK: Final = {event: kind for kind, event in FEEDBACK_EVENTS.items()}

VIDEO_EVENTS: Final = frozenset(
    {
        LogEvent.VIDEO_PACKET,
        LogEvent.VIDEO_RETRANSMISSION,
        LogEvent.VIDEO_SENDER_REPORT,
        LogEvent.VIDEO_RECEPTION_REPORT,
        *_FEEDBACK,
    }
)


def take_video(call: VideoAnalysis, peer: Did, row: LogRow) -> None:
    """Feed one row of these events."""
    kind = _FEEDBACK.get(row.event)
    if kind is not None:
        stream = (
            call.receiving(peer, row.ssrc) if row.direction == "received" else call.sending(peer, row.ssrc)
        )
        stream.watched.feedback(kind, row.packets)
    elif row.event is LogEvent.VIDEO_RECEPTION_REPORT:
        call.sending(peer, row.ssrc).reported(reception_report(row))
    elif row.event in (LogEvent.VIDEO_PACKET, LogEvent.VIDEO_RETRANSMISSION):
        _take_packet(call, peer, row)


def _take_packet(call: VideoAnalysis, peer: Did, row: LogRow) -> None:
    again = row.event is LogEvent.VIDEO_RETRANSMISSION
    packet = _packet(row)
    if row.direction == "received":
        received = call.receiving(peer, row.ssrc)
        (received.came_again if again else received.packet)(packet)
        return
    sent = call.sending(peer, row.ssrc)
    if again:
        sent.went_again()
    else:
        sent.packet(packet)


def _packet(row: LogRow) -> VideoPacket:
    assert row.sequence is not None, "the reader lets no packet without a number pass"
    return VideoPacket(
        sequence=row.sequence,
        timestamp=row.timestamp,
        at_s=row.time_s,
        payload_bytes=row.payload_bytes,
        begins_frame=row.note in (KEY, DELTA),
        ends_frame=row.marker,
        is_key=row.note == KEY,
    )
