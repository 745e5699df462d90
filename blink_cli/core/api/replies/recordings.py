"""Replies about recordings: while one is made, when it is done, what was left unfinished."""

from blink_cli.core.api.replies.document import ReplyPart, WholeReply
from blink_cli.core.api.replies.loudness import RecordedLoudness
from blink_cli.core.api.replies.peers import NamedPeer


class RecordingBegun(WholeReply, frozen=True, tag="recording_begun"):
    """The file is on the disk, and everybody in the call is told."""

    path: str
    """The MP4 while it grows; it has another name when it is finished."""

    sidecar: str
    since: str
    """ISO 8601, UTC: the first sample."""


class RecordedFile(ReplyPart, frozen=True):
    """A file of a recording."""

    path: str
    kind: str
    """mp4, wav, opus, mix, grid, or sidecar; microphone, reference or processed of `record start --processing`"""

    participants: tuple[NamedPeer, ...]
    """Whose sound it holds."""

    duration_s: float


class RecordingFiles(WholeReply, frozen=True, tag="recording_files"):
    """A recording that has ended."""

    files: tuple[RecordedFile, ...]
    reason: str
    """Why it ended."""

    warning: str | None = None
    """What was asked for and could not be made."""

    loudness: tuple[RecordedLoudness, ...] = ()
    """Of each participant, where it was measured: with WAV files or a mix, by `record stop --loudness` and by `record loudness`."""


class LeftoverRecording(ReplyPart, frozen=True):
    """An unfinished file whose program died; `record repair` finishes it."""

    path: str
    bytes: int
    started: str | None
    """ISO 8601, UTC; None where its sidecar is gone."""


class ProcessingFiles(ReplyPart, frozen=True):
    """The files of `record start --processing`: microphone, reference and processed, which lie on each other to the sample."""

    paths: tuple[str, ...]
    """In this order; empty before they are there."""

    duration_s: float
    lost_s: float
    """What the disk was too slow for: silence in all three."""

    failure: str | None
    """Why they are not written any more; the recording goes on."""


class RecordingStatus(WholeReply, frozen=True, tag="recording_status"):
    """What is being recorded, and what was left unfinished in the folders used last."""

    recording: bool
    path: str | None = None
    since: str | None = None
    duration_s: float | None = None
    participants: tuple[NamedPeer, ...] = ()
    formats: tuple[str, ...] = ()
    packets_dropped: int = 0
    """What this machine, or its disk, was too slow for."""

    exporting: bool = False
    """The WAV files or the mixdown of an earlier recording are being made."""

    leftovers: tuple[LeftoverRecording, ...] = ()
    processing: ProcessingFiles | None = None
    """None unless `--processing` was asked for."""

    pictures: bool | None = None
    """Whether what is seen is recorded too: false of a recording of voices, which stays one to its end. None: nothing is recorded."""


class RecordingMarked(WholeReply, frozen=True, tag="recording_marked"):
    """The marker is in the recording."""

    at_s: float
    """Seconds from its first sample."""

    text: str
