"""What the rows of pictures in an RTP log have that those of voices have not."""

from typing import Final

from blink_cli.core.errors import WireError
from blink_cli.core.media.rtp import RtpPacket, SentPacket
from blink_cli.core.media.video.coded_picture import is_key_frame
from blink_cli.core.media.video.vp8_payload import read
from blink_cli.core.media.video_feedback import FeedbackKind
from blink_cli.record.rtp_log.format import COLUMNS, LogEvent

FEEDBACK_EVENTS: Final = {
    FeedbackKind.NACK: LogEvent.VIDEO_NACK,
    FeedbackKind.PLI: LogEvent.VIDEO_PLI,
    FeedbackKind.FIR: LogEvent.VIDEO_FIR,
}

KEY: Final = "key"
DELTA: Final = "delta"

_NOTE: Final = COLUMNS.index("note")
_TO_NOTE: Final = "," * (_NOTE - COLUMNS.index("payload_bytes"))
_BEHIND_NOTE: Final = "," * (len(COLUMNS) - 1 - _NOTE)


def packet_event(packet: RtpPacket | SentPacket) -> LogEvent:
    """What its row is."""
    return LogEvent.VIDEO_RETRANSMISSION if packet.retransmitted else LogEvent.VIDEO_PACKET


def packet_cells(packet: RtpPacket | SentPacket) -> str:
    """The cells of a packet's row from its timestamp on."""
    return (
        f"{packet.timestamp},{packet.marker:d},{packet.payload_type},{len(packet.payload)}"
        f"{_TO_NOTE}{_frame_begun(packet.payload)}{_BEHIND_NOTE}"
    )


def _frame_begun(payload: bytes) -> str:
    """What kind of frame a packet is the first one of; empty of all others."""
    try:
        found = read(payload)
    except WireError:
        return ""
    if not found.begins_frame:
        return ""
    return KEY if is_key_frame(found.data) else DELTA
