"""The newest frames of a microphone, between its callback and the capture thread.

One writer, one reader, no lock. The writer never waits and overwrites the oldest frames: what a thread that was away for long wants to
have is the newest. Frames keep the number under which they were captured, so that the reader knows which are gone. The writer changes its own
counter alone, after the samples are in place; the reader looks at it again after it has copied, and takes nothing that may have been
overwritten meanwhile.
"""

from typing import Final

import numpy as np

from blink_cli.audio.samples import Samples

_SPARE_SHARE: Final = 4
"""After an overrun the reader goes on a quarter of the ring ahead of the writer's edge, so that it is not overrun again at once."""


class CaptureRing:
    """The last `capacity` frames, shape `(capacity, channels)`, for one writing and one reading thread."""

    def __init__(self, capacity_frames: int, channels: int) -> None:
        self._frames = np.zeros((capacity_frames, channels), dtype=np.float32)
        self.capacity = capacity_frames
        self.written = 0
        """Frames ever written."""

        self.next = 0
        """The number of the next frame that the reader takes."""

        self.overrun = 0
        """Frames that were overwritten before they were read."""

    @property
    def queued(self) -> int:
        """Frames written and not taken, overwritten ones aside."""
        return min(self.written - self.next, self.capacity)

    def write(self, frames: Samples) -> None:
        """Append `frames`, shape `(n, channels)`. Writer's thread."""
        last = frames[-self.capacity :]
        start = (self.written + len(frames) - len(last)) % self.capacity
        first = min(len(last), self.capacity - start)
        self._frames[start : start + first] = last[:first]
        self._frames[: len(last) - first] = last[first:]
        self.written += len(frames)

    def skip_overrun(self) -> None:
        """Leave out what is overwritten, or soon will be. Reader's thread."""
        if self.written - self.next > self.capacity - self.capacity // (2 * _SPARE_SHARE):
            self._skip_to_safety()

    def skip(self, frames: int) -> None:
        """Leave out `frames` frames, at most what is there. Reader's thread."""
        self.next += min(frames, self.queued)

    def read(self, frames: int) -> Samples:
        """Return up to `frames` frames from `next` on, shape `(n, channels)`; none if they are overwritten just now. Reader's thread."""
        count = max(0, min(frames, self.written - self.next, self.capacity))
        start = self.next % self.capacity
        first = min(count, self.capacity - start)
        out: Samples = np.empty((count, self._frames.shape[1]), dtype=np.float32)
        out[:first] = self._frames[start : start + first]
        out[first:] = self._frames[: count - first]
        # Another write may be under way, which its counter does not tell yet: the frames at the edge are not trusted.
        if self.written - self.next > self.capacity - self.capacity // (2 * _SPARE_SHARE):
            self._skip_to_safety()
            return out[:0]
        self.next += count
        return out

    def _skip_to_safety(self) -> None:
        goes_on = self.written - self.capacity + self.capacity // _SPARE_SHARE
        self.overrun += goes_on - self.next
        self.next = goes_on
