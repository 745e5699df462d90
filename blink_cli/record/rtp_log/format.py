"""The RTP log on disk: comma-separated values with one header line, as spreadsheets and dataframes read them (RFC 4180).

One row for each packet sent or received (`event` = packet), in the order in which they went by; between them rows of other events. What a
column has nothing to say about is empty. docs/analysis.md explains every column to its reader.
"""

from enum import StrEnum
from typing import Final

import msgspec

from blink_cli.core.ids import Did
from blink_cli.core.media.media_tap import PlayoutOutcome

COLUMNS: Final = (
    "event",
    "time_s",
    "wall_time",
    "peer",
    "direction",
    "ssrc",
    "sequence",
    "timestamp",
    "marker",
    "payload_type",
    "payload_bytes",
    "level_dbov",
    "voice",
    "redundancy",
    "outcome",
    "buffer_ms",
    "rtt_ms",
    "fraction_lost",
    "packets_lost",
    "jitter_ms",
    "ntp_s",
    "packets",
    "octets",
    "concealed_samples",
    "total_samples",
    "note",
    "payload",
)
"""New ones are added behind."""

HEADER: Final = ",".join(COLUMNS)

ZEROS: Final = {
    **dict.fromkeys(
        ("ssrc", "sequence", "timestamp", "marker", "payload_type", "payload_bytes", "level_dbov", "voice"),
        "0",
    ),
    **dict.fromkeys(
        ("redundancy", "packets_lost", "packets", "octets", "concealed_samples", "total_samples"), "0"
    ),
    **dict.fromkeys(("buffer_ms", "rtt_ms", "fraction_lost", "jitter_ms", "ntp_s"), "0.0"),
}
"""Cells of the first row of a log, which mean nothing: polars and others tell by the first hundred rows whether a column is whole numbers,
numbers or text, and take one that is empty there for text."""


class LogEvent(StrEnum):
    """What a row is about."""

    CALL_BEGAN = "call_began"
    """The call's id is the note. Its numbers are `ZEROS`, so that others know what the columns are of."""

    LINK_CONNECTED = "link_connected"
    """Media of this peer may come; `payload_type` is Opus's, and RED's is the note."""

    LINK_ENDED = "link_ended"
    PACKET = "packet"
    RECOVERED = "recovered"
    """A frame whose own packet was missing when due, played from a redundant copy or from FEC."""

    RETRANSMISSION = "retransmission"
    """A packet of this stream that was lost and came again because it was asked for (RFC 4588); it counts as lost all the same, and says nothing of jitter."""

    SENDER_REPORT = "sender_report"
    """What the peer says of its clock: `ntp_s` and `timestamp` are one moment."""

    RECEPTION_REPORT = "reception_report"
    """What the peer says of the stream that we send to it."""

    VIDEO_PACKET = "video_packet"
    """Of pictures, sent or received. The note of the first one of a frame is `key` or `delta`."""

    VIDEO_RETRANSMISSION = "video_retransmission"
    """A packet of pictures that goes again, or came again, because it was asked for; with the numbers of the first time."""

    VIDEO_SENDER_REPORT = "video_sender_report"
    VIDEO_RECEPTION_REPORT = "video_reception_report"
    VIDEO_NACK = "video_nack"
    """So many packets (`packets`) of this stream are asked for again: of one that comes by us, of one that we send by the peer."""

    VIDEO_PLI = "video_pli"
    """A key frame of this stream is asked for, since pictures are missing."""

    VIDEO_FIR = "video_fir"
    """A key frame of this stream is asked for, for somebody new."""

    PLAYOUT = "playout"
    """Running counts of a peer's playout, about once a second."""

    PAUSED = "paused"
    RESUMED = "resumed"
    ROWS_LOST = "rows_lost"
    """So many rows (`packets`) are missing here: they came faster than they could be written."""

    IMPAIRED = "impaired"
    """From here on links are impaired on purpose as the note says; `nothing` for no more. What is logged is not the network's doing."""

    MARKED = "marked"
    """Somebody marked this moment (`mark`); the note is the text."""

    PAYLOADS_END = "payloads_end"
    """From here on no payloads are kept: the log holds as many bytes of them as it may (`octets`)."""

    CALL_ENDED = "call_ended"


class LogRow(msgspec.Struct, frozen=True, gc=False):
    """One row, read."""

    event: LogEvent
    time_s: float
    """Monotonic, of the session that wrote it."""

    wall_time: str
    peer: Did | None = None
    direction: str = ""
    ssrc: int = 0
    sequence: int | None = None
    """Extended: counts on where the 16 bits of the wire wrap."""

    timestamp: int = 0
    marker: bool = False
    payload_type: int = 0
    payload_bytes: int = 0
    level_dbov: int | None = None
    voice: bool = False
    redundancy: int = 0
    outcome: PlayoutOutcome | None = None
    buffer_ms: float | None = None
    rtt_ms: float | None = None
    fraction_lost: float = 0.0
    packets_lost: int = 0
    jitter_ms: float = 0.0
    ntp_s: float = 0.0
    packets: int = 0
    octets: int = 0
    concealed_samples: int = 0
    total_samples: int = 0
    note: str = ""
    payload: bytes = b""
    """Of a packet, where the log keeps payloads; base64 in the file."""
