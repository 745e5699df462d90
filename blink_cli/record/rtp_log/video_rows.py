"""What the rows of pictures in an RTP log have that those of voices have not."""

from typing import Final

from blink_cli.core.errors import WireError
from blink_cli.core.media.picture_packets import H264_PAYLOAD_TYPE
from blink_cli.core.media.rtp import RtpPacket, SentPacket
from blink_cli.core.media.video.payload_formats import read
from blink_cli.core.media.video_codec import VideoCodec
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
        f"{_TO_NOTE}{_frame_begun(packet)}{_BEHIND_NOTE}"
    )


def codec_of(payload_type: int) -> VideoCodec:
    """By what packets are encoded: sessions number codecs alike, since who offers names the number."""
    return VideoCodec.H264 if payload_type == H264_PAYLOAD_TYPE else VideoCodec.VP8


def _frame_begun(packet: RtpPacket | SentPacket) -> str:
    """What kind of frame a packet is the first one of; empty of all others."""
    try:
        found = read(codec_of(packet.payload_type), packet.payload)
    except WireError:
        return ""
    if not found.begins_frame:
        return ""
    return KEY if found.begins_key else DELTA
