"""The replay log: every packet with its payload and every tick of the playout thread, one JSON object a line (docs/replay.md).

    head ──> speaker, track: each before the first tick that names it ──> tick, tick, … ──> end

Numbers are written so that they are read as the very same ones: a replay computes with them what the session computed.
"""

from typing import Annotated, Final, TypeAlias

import msgspec

from blink_cli.core.ids import CallId, Did
from blink_cli.core.media.mix_tick import MixTick, PlayedTrack, Speaker, TrackTick
from blink_cli.core.media.rtp import RtpPacket
from blink_cli.core.text.json_text import encode_json

SUFFIX: Final = ".replay.jsonl"
"""Behind the log's name, as `decision_lines.SUFFIX`."""

VERSION: Final = 1
"""Of this format: a replay of another one would be something else than was heard."""


class Head(msgspec.Struct, frozen=True, tag_field="is", tag="head"):
    """The first line."""

    version: int
    call: CallId
    opus: str
    """Which libopus decoded: another one gives other samples."""

    settings: dict[str, float]
    """Of the playout, by their names."""

    wall_offset_s: float
    """Seconds since 1970 less monotonic seconds, when the log began."""


class SpeakerLine(msgspec.Struct, frozen=True, tag_field="is", tag="speaker"):
    """A device is taken into use."""

    number: int
    name: str
    rate_hz: Annotated[int, msgspec.Meta(ge=8_000, le=768_000)]
    channels: int
    taken_at: float
    silent_frames: Annotated[int, msgspec.Meta(ge=0, le=10_000_000)]

    @property
    def value(self) -> Speaker:
        """As the ticks name it."""
        return Speaker(self.number, self.name, self.rate_hz, self.channels, self.taken_at, self.silent_frames)


class TrackLine(msgspec.Struct, frozen=True, tag_field="is", tag="track"):
    """A stream is played for the first time in this log."""

    number: int
    peer: Did
    opus: int
    red: int | None
    ticks_before: int
    """0: the log has it from its beginning, and a replay is exact."""

    gain: float
    """At the end of the tick before."""

    @property
    def value(self) -> PlayedTrack:
        """As the ticks name it."""
        return PlayedTrack(self.number, self.peer, self.opus, self.red)


class TrackPart(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What one track did at a tick."""

    track: int
    n: int
    """Ticks of it before this one."""

    packets: tuple[RtpPacket, ...] = ()
    gain: float = 1.0
    sum: int = 0
    """CRC-32 of its block."""


class TickLine(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, tag_field="is", tag="tick"):
    """One tick."""

    at_s: float
    late_s: float
    speaker: int
    frames: int = 480
    written: int = 480
    heard_at: float | None = None
    silence: bool = False
    gain: float = 1.0
    fades_in: bool = False
    fades_out: bool = False
    sum: int = 0
    """CRC-32 of the block that the device was offered."""

    tracks: tuple[TrackPart, ...] = ()


class Lost(msgspec.Struct, frozen=True, tag_field="is", tag="lost"):
    """So many ticks are missing here: the disk was too slow, or the log was paused."""

    ticks: int


class End(msgspec.Struct, frozen=True, tag_field="is", tag="end"):
    """The last line; a log that was cut off has none."""


ReplayLine: TypeAlias = Head | SpeakerLine | TrackLine | TickLine | Lost | End


class ReplayLines:
    """Ticks in, lines out. One per log; used by one thread."""

    def __init__(self) -> None:
        self._tracks: set[int] = set()
        self._speaker: Speaker | None = None

    def take(self, tick: MixTick) -> list[bytes]:
        """Return the lines of a tick."""
        lines: list[bytes] = []
        if tick.speaker != self._speaker:
            speaker = self._speaker = tick.speaker
            lines.append(encode_json(SpeakerLine(*msgspec.structs.astuple(speaker))))
        for one in tick.tracks:
            if one.track.number not in self._tracks:
                self._tracks.add(one.track.number)
                lines.append(msgspec.json.encode(_first_seen(one)))
        lines.append(
            msgspec.json.encode(
                TickLine(
                    at_s=tick.at_s,
                    late_s=tick.late_s,
                    speaker=tick.speaker.number,
                    frames=tick.frames,
                    written=tick.written,
                    heard_at=tick.heard_at,
                    silence=tick.is_silence,
                    gain=tick.gain,
                    fades_in=tick.fades_in,
                    fades_out=tick.fades_out,
                    sum=tick.checksum,
                    tracks=tuple(
                        TrackPart(one.track.number, one.ticks_before, one.packets, one.gain, one.checksum)
                        for one in tick.tracks
                    ),
                )
            )
        )
        return lines


def _first_seen(one: TrackTick) -> TrackLine:
    track = one.track
    return TrackLine(track.number, track.peer, track.opus, track.red, one.ticks_before, one.gain_before)
