"""The JSON beside a recording: who is on which track, when, what is missing and why.

It is written anew every few seconds while the recording runs (`finished` is false then), each time whole or not at all.
Times are seconds from the recording's first sample unless their names say otherwise.
"""

import re
from pathlib import Path
from typing import Final

import msgspec

from blink_cli.core.ids import CallId, Did
from blink_cli.core.text.json_text import decode_json, encode_json
from blink_cli.files.reading import open_reading, read_whole
from blink_cli.files.writing import replacing

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


class ClockStepEntry(msgspec.Struct, frozen=True):
    """Where the sender's RTP time stepped against the clock. The track was moved there at once."""

    at_s: float
    step_s: float
    """Positive: sound is missing before it, which a gap says. Negative: so much came twice or too early, and was left out."""


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


class PicturesEntry(msgspec.Struct, frozen=True):
    """The track of somebody's pictures."""

    track: int
    """The number of the MP4's video stream, from 0."""

    pictures: int
    """That are in it, signs included."""


class ParticipantEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One participant and its track."""

    did: Did
    nickname: str
    self: bool
    track: int
    """The number of the MP4's audio stream, from 0."""

    pictures: PicturesEntry | None = None
    """None where only voices were recorded."""

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
    clock_steps: list[ClockStepEntry] = []


class Codec(msgspec.Struct, frozen=True):
    """This session's encoder; a peer's packets say for themselves what they are."""

    bitrate: int
    frame_ms: int | float
    bandwidth: str
    application: str
    fec: bool
    """Whether the encoder may add in-band FEC."""

    dtx: bool
    redundancy: str
    stereo: bool = False


class FileEntry(msgspec.Struct, frozen=True):
    """A file of this recording, beside the sidecar."""

    name: str
    kind: str
    """mp4, wav, opus, mix; microphone, reference, processed."""

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
    """What was asked for: mp4, wav, opus, mix."""

    codec: Codec | None = None
    participants: list[ParticipantEntry]
    markers: list[Marker]
    impairments: list[Marker] = []
    """What was impaired on purpose from when on, in the words of `impair`; `nothing` where it ended."""

    files: list[FileEntry]


_SIDECAR: Final = msgspec.json.Decoder(Sidecar)


_FRONT_BYTES: Final = 4_096
_STARTED: Final = re.compile(rb'"started"\s*:\s*"([0-9TZ:.+-]{1,40})"')


def beginning(path: Path) -> str | None:
    """When a recording began, by the first bytes of its sidecar: quick whatever the rest is. None when they do not say.

    Raises:
        OSError: It cannot be read.

    """
    with open_reading(path) as file:
        found = _STARTED.search(file.read(_FRONT_BYTES))
    return None if found is None else found[1].decode("ascii")


def read_sidecar(path: Path) -> Sidecar:
    """The document of a file.

    Raises:
        OSError: It cannot be read, or is longer than any is.
        msgspec.DecodeError: It is not a sidecar.

    """
    return decode_json(read_whole(path, MOST_BYTES), _SIDECAR)


def write_sidecar(path: Path, sidecar: Sidecar) -> None:
    """Write it through a file beside it, so that a reader finds the old one or the new one.

    Raises:
        OSError: It cannot be written; the old one is as it was.

    """
    with replacing(path) as stream:
        stream.write(msgspec.json.format(encode_json(sidecar), indent=1))
