"""The JSON beside a recording: who is on which track, when, what is missing and why.

It is written anew every few seconds while the recording runs (`finished` is false then), each time whole or not at all.
Times are seconds from the recording's first sample unless their names say otherwise.
"""

import os
import secrets
from pathlib import Path
from typing import Final

import msgspec

from blink_cli.core.names import CallId, Did

SCHEMA: Final = 1
MOST_BYTES: Final = 64 << 20
"""No sidecar is longer; what is, is none."""


class Stint(msgspec.Struct, frozen=True):
    """A time during which media of the participant could come."""

    from_s: float
    to_s: float


class GapEntry(msgspec.Struct, frozen=True):
    """A time without sound of its own: concealed or silent in the track."""

    from_s: float
    to_s: float
    reason: str
    """absent, muted, dtx, lost or overload."""


class AnchorEntry(msgspec.Struct, frozen=True):
    """Which sample of the sender's RTP stream stands where."""

    at_s: float
    wall_s: float
    """The same moment as seconds since 1970 by this machine's clock."""

    ssrc: int
    """0 for this session's own track, whose SSRC differs from peer to peer."""

    rtp_timestamp: int
    sender_wall_s: float | None = None
    """The moment by the sender's own clock, seconds since 1970, as its last sender report tells."""


class Marker(msgspec.Struct, frozen=True):
    """What somebody wanted to find again."""

    at_s: float
    text: str


class ParticipantEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One participant and its track."""

    did: Did
    nickname: str
    self: bool
    track: int
    """The number of the MP4's audio stream, from 0."""

    stints: list[Stint]
    gaps: list[GapEntry]
    gaps_omitted: int
    """Gaps that are not listed, because there were too many."""

    missing_s: dict[str, float]
    """What each reason took away in all."""

    frames: int
    """Opus packets that came from the sender and are in the track."""

    frames_recovered: int
    """Of these, how many came as redundant copies of lost ones."""

    frames_late: int
    """Packets that came after their place was filled."""

    clock_corrections: int
    """Times that the track was moved by milliseconds to stay in time."""

    anchors: list[AnchorEntry]


class Codec(msgspec.Struct, frozen=True):
    """This session's encoder; a peer's packets say for themselves what they are."""

    bitrate: int
    frame_ms: int
    bandwidth: str
    application: str
    fec: bool
    dtx: bool
    redundancy: str


class FileEntry(msgspec.Struct, frozen=True):
    """A file of this recording, beside the sidecar."""

    name: str
    kind: str
    """mp4, wav, mix."""

    participants: list[Did]


class Sidecar(msgspec.Struct, frozen=True, kw_only=True):
    """The whole document."""

    schema: int = SCHEMA
    finished: bool
    reason: str | None = None
    """Why it ended; None while it runs."""

    call: CallId
    started: str
    """ISO 8601, UTC: the first sample by this machine's clock."""

    started_monotonic_s: float
    """The same by its monotonic clock, as in `status --json`."""

    duration_s: float
    described_s: float | None = None
    """How far reaches what is told of the participants: to the end in a finished one, less far in one that grows or was repaired."""

    packets_dropped: int = 0
    """What this machine was too slow for."""

    formats: list[str]
    """What was asked for: mp4, wav, mix."""

    codec: Codec | None = None
    participants: list[ParticipantEntry]
    markers: list[Marker]
    files: list[FileEntry]


def read_sidecar(path: Path) -> Sidecar:
    """The document of a file.

    Raises:
        OSError: It cannot be read.
        msgspec.DecodeError: It is not a sidecar.

    """
    with path.open("rb") as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise msgspec.DecodeError("it is too long")
    return msgspec.json.decode(content, type=Sidecar)


def write_sidecar(path: Path, sidecar: Sidecar) -> None:
    """Write it through a file beside it, so that a reader finds the old one or the new one.

    Raises:
        OSError: It cannot be written; the old one is as it was.

    """
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    file = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
    try:
        with os.fdopen(file, "wb") as stream:
            stream.write(msgspec.json.format(msgspec.json.encode(sidecar), indent=1))
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
