"""Replies about the log of a call's RTP packets."""

from blink_cli.core.api.replies.document import ReplyPart, WholeReply
from blink_cli.core.ids import CallId


class ProcessingLogFile(ReplyPart, frozen=True):
    """The file beside a log: what the filters of the microphone did, a line a second. Made with its first line."""

    path: str
    lines: int
    failure: str | None
    """Why it ended before the log did."""


class PlayoutLogFile(ReplyPart, frozen=True):
    """A file beside a log: what the playout did, or what a replay needs."""

    path: str
    lines: int
    bytes: int
    failure: str | None
    """Why it ended before the log did."""


class PlayoutLogs(ReplyPart, frozen=True):
    """What stands beside a log of what the playout does."""

    decisions: PlayoutLogFile | None
    """None: not asked for."""

    replay: PlayoutLogFile | None
    ticks_lost: int
    """Could not be written, because the disk was too slow."""


class RtpLogFile(ReplyPart, frozen=True):
    """One file that is closed."""

    path: str
    rows: int
    rows_lost: int
    bytes: int
    reason: str
    """Why it was closed."""

    processing: ProcessingLogFile | None = None
    playout: PlayoutLogs | None = None
    payload_bytes: int | None = None
    """Of what packets carried, kept in it; None unless it was asked for."""


class RtpLogState(WholeReply, frozen=True, tag="rtp_log"):
    """How the RTP log stands."""

    state: str
    """off; waiting: for a call; logging; paused, in a call or before one."""

    path: str | None
    """What `rtp-log start` was told."""

    file: str | None
    """The file that is open now."""

    call: CallId | None
    rows: int
    """In the open file; up to two seconds behind, since a packet's row waits for what the playout makes of it."""

    rows_lost: int
    """Could not be written to the open file, because the disk was too slow."""

    bytes: int
    files: tuple[RtpLogFile, ...]
    """Closed since the log was started."""

    processing: ProcessingLogFile | None = None
    """Beside the open file; None while the filters do nothing."""

    playout: PlayoutLogs | None = None
    """Beside the open file; None unless it was asked for."""

    payload_bytes: int | None = None
    """Of what packets carry, kept in the open file so far; None unless it was asked for."""
