"""A ring of frames between a device's callback and one of our threads.

One writer, one reader, no lock: each side changes only its own counter, after the samples are in place, and the interpreter
makes the change of an attribute atomic. All memory is made beforehand.
"""

import numpy as np

from blink_cli.audio.samples import Samples


class FrameRing:
    """A bounded queue of frames, shape `(capacity, channels)`, for one writing and one reading thread."""

    def __init__(self, capacity_frames: int, channels: int) -> None:
        self._frames = np.zeros((capacity_frames, channels), dtype=np.float32)
        self.capacity = capacity_frames
        """Frames that it holds at most."""

        self.written = 0
        """Frames ever written."""

        self.taken = 0
        """Frames ever taken or skipped."""

    @property
    def queued(self) -> int:
        """Frames written and not yet taken. Either side may ask: the answer errs to the safe side of the asker."""
        return self.written - self.taken

    def write(self, frames: Samples) -> int:
        """Append as much of `frames`, shape `(n, channels)`, as fits, and return how many did. The rest is not kept."""
        count = min(len(frames), self.capacity - self.queued)
        start = self.written % self.capacity
        first = min(count, self.capacity - start)
        self._frames[start : start + first] = frames[:first]
        self._frames[: count - first] = frames[first:count]
        self.written += count
        return count

    def read_into(self, out: Samples) -> int:
        """Fill the beginning of `out`, shape `(n, channels)`, with what is there, and return how many frames that was."""
        count = min(len(out), self.queued)
        start = self.taken % self.capacity
        first = min(count, self.capacity - start)
        out[:first] = self._frames[start : start + first]
        out[first:count] = self._frames[: count - first]
        self.taken += count
        return count

    def skip(self, frames: int) -> int:
        """Forget the oldest frames; only for the reading side. Return how many there were to forget."""
        count = min(frames, self.queued)
        self.taken += count
        return count
