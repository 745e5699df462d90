"""The frames that wait to be played, by their media time, with what is known of each."""

import enum

import msgspec

from blink_cli.core.media.opus_packet import is_discontinuous


class Origin(enum.Enum):
    """How a frame came."""

    OWN = enum.auto()
    """In its own packet."""

    COPY = enum.auto()
    """In a later packet, as a redundant copy (RED)."""

    AGAIN = enum.auto()
    """In its own packet, once more, because it was asked for (RFC 4585)."""


class StoredFrame(msgspec.Struct, gc=False):
    """One encoded frame that waits."""

    payload: bytes
    samples: int
    sequence: int
    """Extended sequence number of the frame's own packet, known or inferred."""

    arrival_s: float
    origin: Origin
    """The best so far: its own packet may still come behind a copy."""

    has_fec: bool
    """Whether the payload also holds the frame before it."""

    is_silent: bool
    """Whether its sender says that it is digital silence (RFC 6464 level 127)."""

    is_voice: bool = False
    """Whether its sender says that it is speech (the V bit of RFC 6464); not known of a frame that came as a copy alone."""

    dred_samples: int = 0
    """How much lost sound before it the payload tells of (DRED)."""

    @property
    def is_quiet(self) -> bool:
        """Whether the sender may pause behind it. A sender that is muted says nothing behind digital silence."""
        return self.is_silent or is_discontinuous(self.payload)


class Stored(enum.Enum):
    """What became of a frame that was offered."""

    NEW = enum.auto()
    CONFIRMED = enum.auto()
    """It was waiting, and now its own packet came as well."""

    KNOWN = enum.auto()
    FULL = enum.auto()


class FrameStore:
    """Frames by extended timestamp. Holds at most `capacity` of them: a flood is refused, not kept."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._frames: dict[int, StoredFrame] = {}

    def __len__(self) -> int:
        return len(self._frames)

    def offer(self, timestamp: int, frame: StoredFrame) -> Stored:
        """Keep a frame unless it is known or there is no room."""
        known = self._frames.get(timestamp)
        if known is not None:
            if known.origin is not Origin.OWN and frame.origin is Origin.OWN:
                known.origin = Origin.OWN
                known.is_silent, known.is_voice = frame.is_silent, frame.is_voice
                return Stored.CONFIRMED
            return Stored.KNOWN
        if len(self._frames) >= self._capacity:
            return Stored.FULL
        self._frames[timestamp] = frame
        return Stored.NEW

    def peek(self, timestamp: int) -> StoredFrame | None:
        """The frame that begins at this timestamp; it stays."""
        return self._frames.get(timestamp)

    def take(self, timestamp: int) -> StoredFrame | None:
        """The frame that begins at this timestamp; it goes."""
        return self._frames.pop(timestamp, None)

    def first(self) -> int | None:
        """The earliest timestamp that waits."""
        return min(self._frames, default=None)

    def drop_before(self, timestamp: int) -> list[int]:
        """Remove frames that begin earlier; their timestamps, in order."""
        dropped = sorted(at for at in self._frames if at < timestamp)
        for at in dropped:
            del self._frames[at]
        return dropped

    def drop_over(self, timestamp: int) -> list[int]:
        """Remove frames that end by then; the timestamps of those that were no copies, in order."""
        over = sorted(at for at, frame in self._frames.items() if at + frame.samples <= timestamp)
        return [at for at in over if self._frames.pop(at).origin is Origin.OWN]

    def clear(self) -> None:
        """Remove all."""
        self._frames.clear()
