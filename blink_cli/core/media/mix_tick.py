"""One tick of the playout thread: all that went into the 10 ms that were mixed, and what became of them.

    packets taken ──> playout buffer ──> decisions, block (checksum) ──> gain ──> mix ──> fades ──> block (checksum) ──> speaker

What one tick did depends on nothing but the ticks before it and what stands here: who has all of them can play them again, to the same samples.
"""

from typing import Final, Protocol

import msgspec

from blink_cli.core.ids import Did
from blink_cli.core.media.playout_decision import PlayoutDecision
from blink_cli.core.media.rtp import RtpPacket

SILENT_CHECKSUM: Final = 0
"""Of a block that is silent by identity."""


class PlayedTrack(msgspec.Struct, frozen=True, gc=False):
    """Whose sound a sink track plays."""

    number: int
    """Counts the tracks of a session: a link that is made again with other payload types has another one."""

    peer: Did
    opus: int
    """Payload type."""

    red: int | None


class Speaker(msgspec.Struct, frozen=True, gc=False):
    """The output device in use."""

    number: int
    """Counts the devices of a call."""

    name: str
    rate_hz: int
    channels: int
    taken_at: float
    """Monotonic time at which it was taken into use."""

    silent_frames: int
    """What it was given when it was taken into use: silence, until it wanted the sound of now."""


class TrackTick(msgspec.Struct, frozen=True, gc=False):
    """What one sink track did at a tick."""

    track: PlayedTrack
    ticks_before: int
    """How often it had been asked for a block before: 0 at its beginning."""

    packets: tuple[RtpPacket, ...]
    """What was put into its buffer before it was asked, in this order."""

    decisions: tuple[PlayoutDecision, ...]
    gain_before: float
    """The factor at the end of the tick before; 0: muted."""

    gain: float
    """The factor at the end of this one."""

    checksum: int
    """CRC-32 of its block as it was decoded: 480 samples, float32, little-endian."""


class MixTick(msgspec.Struct, frozen=True, gc=False):
    """What the mixer did at a tick."""

    at_s: float
    """The time for which the tracks were asked: monotonic, nominal."""

    late_s: float
    """How much later than wanted by the device it ran."""

    speaker: Speaker
    heard_at: float | None
    """Monotonic time at which its first sample is heard, as far as the device knows; None when it was mixed for nobody, since the device stood still."""

    is_silence: bool
    """Whether the tracks were not asked: a device that stood still got the silence of that time."""

    gain_before: float
    """0 while deafened, else 1: at the end of the tick before."""

    gain: float
    fades_in: bool
    fades_out: bool
    frames: int
    """Frames at the device's rate that it was offered."""

    written: int
    """Of those, what it took."""

    checksum: int
    """CRC-32 of the block that it was offered, before it was converted to the device's rate: 480 samples, float32, little-endian."""

    tracks: tuple[TrackTick, ...]


class TickListener(Protocol):
    """Who may want to know of every tick."""

    @property
    def wants_ticks(self) -> bool:
        """Whether anybody does now. Asked at each tick, on the playout thread."""
        ...

    def played(self, what: MixTick) -> None:
        """Take what a tick did. On the playout thread: append to something and return."""
        ...
