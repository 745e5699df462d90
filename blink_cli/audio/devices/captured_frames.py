"""What a system's microphone captured: the newest frames and when each was captured. The part that all sound systems' inputs share.

sound system's thread ── captured(block, latency) ──> CaptureRing ───────────────> read
                                └──> arrivals ──> [capture thread] CaptureClock ──> ready_s, captured_at

The sound system's thread waits for nobody.
"""

import time
from collections import deque
from collections.abc import Callable
from typing import Final

from blink_cli.audio.devices.capture_clock import CaptureClock
from blink_cli.audio.devices.capture_ring import CaptureRing
from blink_cli.audio.samples import Samples
from blink_cli.core.audio_format import TICK_MS

RING_S: Final = 0.5
"""How long our thread may be away before samples are lost."""

MOST_ARRIVALS: Final = 8192
"""Callbacks that the capture thread has not looked at: half a minute of short ones. It looks every 50 ms."""

POLL_S: Final = 0.001
"""How often the thread looks again when a callback is late. Callbacks cannot wake it: that would take a lock."""


class CapturedFrames:
    """One for each start of a device. `captured` belongs to the sound system's thread, the rest to the capture thread."""

    def __init__(
        self, sample_rate_hz: int, channels: int, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._rate_hz = sample_rate_hz
        self._monotonic = monotonic
        self._ring = CaptureRing(int(sample_rate_hz * RING_S), channels)
        self._clock = CaptureClock(sample_rate_hz)
        self._arrivals: deque[tuple[int, int, float, float | None]] = deque(maxlen=MOST_ARRIVALS)
        self.latency_s = 0.0
        """From the microphone to the last callback, by what the system says. Any thread."""

        self.frames = 0
        """Captured so far. Any thread."""

        self.last_arrival_s: float | None = None
        """When the last callback came. Any thread."""

        self._usual_frames = sample_rate_hz * TICK_MS // 1000

    @property
    def queued(self) -> int:
        """Frames that wait to be read. Any thread."""
        return self._ring.queued

    @property
    def lost_frames(self) -> int:
        """Frames that were overwritten before they were read. Any thread."""
        return self._ring.overrun

    def captured(self, block: Samples, latency_s: float | None) -> None:
        """Take what the system captured. Copies and counts, nothing else.

        Args:
            block: Shape `(n, channels)`.
            latency_s: How long ago its first frame was captured, by what the system says; None if it says nothing.

        """
        arrived_at = self._monotonic()
        frames = len(block)
        self._ring.write(block)
        self.frames += frames
        self._usual_frames = frames
        self.latency_s = max(0.0, latency_s or 0.0)
        self._arrivals.append((self.frames, frames, arrived_at, latency_s))
        self.last_arrival_s = arrived_at

    def ready_s(self, frames: int, now_s: float) -> float:
        """Return when the callback that completes `frames` came, or is expected. Sound before a gap is ready at once."""
        arrivals = self._arrivals
        while arrivals:
            self._clock.observe(*arrivals.popleft())
        self._ring.skip_overrun()
        following = self._clock.break_behind(self._ring.next)
        missing = frames - (self._clock.released - self._ring.next)
        if missing <= 0 or (following is not None and following <= self._clock.released):
            return self.last_arrival_s or now_s
        expected_s = (self.last_arrival_s or now_s) + min(missing, self._usual_frames) / self._rate_hz
        return max(expected_s, now_s + POLL_S)

    def captured_at(self) -> float:
        """Return when the next frame was captured."""
        return self._clock.captured_at(self._ring.next)

    def read(self, frames: int) -> Samples:
        """Return up to `frames` frames that were captured one after the other."""
        until = self._clock.break_behind(self._ring.next) or self._clock.released
        return self._ring.read(max(0, min(frames, until - self._ring.next)))
