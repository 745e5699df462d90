"""Counts the frames of a stream of pictures by its packets: which are complete, and how long it is from one to the next."""

from dataclasses import dataclass, field
from typing import Final

MOST_OPEN: Final = 64
"""Frames that something is missing of: two seconds of pictures. What is older will not be complete any more."""


@dataclass(slots=True)
class _Frame:
    numbers: set[int] = field(default_factory=set)
    first: int | None = None
    last: int | None = None
    is_key: bool = False

    @property
    def is_complete(self) -> bool:
        return (
            self.first is not None
            and self.last is not None
            and len(self.numbers) == self.last - self.first + 1
        )


class FrameTally:
    """Of one stream. Time comes in."""

    __slots__ = ("_complete", "_complete_at", "_count", "_open", "incomplete", "key_frames", "max_interval_s")

    def __init__(self) -> None:
        """Count nothing yet."""
        self.key_frames = 0
        """Complete ones that need no other."""

        self.incomplete = 0
        """That were given up; those that are open are not among them."""

        self.max_interval_s = 0.0
        """The longest time from one complete frame to the next."""

        self._complete: dict[int, None] = {}
        self._complete_at: float | None = None
        self._open: dict[int, _Frame] = {}
        self._count = 0

    @property
    def frames(self) -> int:
        """Complete ones."""
        return self._count

    @property
    def open(self) -> int:
        """Begun, and not complete now."""
        return len(self._open)

    def packet(
        self, sequence: int, timestamp: int, at_s: float, *, begins: bool, ends: bool, is_key: bool
    ) -> None:
        """Take one packet, the first time or again.

        Args:
            sequence: Extended.
            timestamp: Of its frame, 0 to 2^32 - 1.
            at_s: Monotonic.
            begins: It may be its frame's first one; the first of these is.
            ends: It is its frame's last one.
            is_key: It begins a frame that needs no other.

        """
        if timestamp in self._complete:
            return
        frame = self._open.get(timestamp)
        if frame is None:
            if len(self._open) >= MOST_OPEN:
                del self._open[next(iter(self._open))]
                self.incomplete += 1
            frame = self._open[timestamp] = _Frame()
        frame.numbers.add(sequence)
        if begins:
            # Parameters of H.264 and the slice behind them may both be the first of a frame.
            frame.first = sequence if frame.first is None else min(frame.first, sequence)
            frame.is_key |= is_key
        if ends:
            frame.last = sequence
        if not frame.is_complete:
            return
        del self._open[timestamp]
        self._complete[timestamp] = None
        if len(self._complete) > MOST_OPEN:
            del self._complete[next(iter(self._complete))]
        self._count += 1
        self.key_frames += frame.is_key
        if self._complete_at is not None:
            self.max_interval_s = max(self.max_interval_s, at_s - self._complete_at)
        self._complete_at = at_s

    def interrupted(self) -> None:
        """Nobody watched for a while: what is open is not incomplete, and the time between is none between frames."""
        self._open.clear()
        self._complete_at = None
