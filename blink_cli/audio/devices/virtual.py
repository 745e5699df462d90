"""The clock of a device that has no hardware.

Frame k is captured, or played, at `start_s + k / (sample_rate_hz * (1 + ppm / 10^6))` of monotonic time, exactly. So two sessions on
one machine, one speaking from a file and one writing to another, can be compared to the millisecond.
With a phase, `start_s` itself is known but for whole periods of 20 ms: when a frame is sent, when it may be played.
"""

from dataclasses import dataclass, field
from typing import Final

from blink_cli.core.api.device_name import PHASE_PERIOD_MS
from blink_cli.core.audio_format import SAMPLE_RATE_HZ

BACKLOG_S: Final = 0.5
"""How late the thread behind a virtual device may be before frames are lost, like in the ring of a real one: after a process was
frozen for a minute, nobody wants to hear that minute."""

OUTPUT_LEAD_S: Final = 0.001
"""A virtual output wants its next block this long before it is played: enough for the thread to wake and mix, so that what is said to be
played at a time existed at that time; small, because it is delay that everybody hears."""


def next_moment(now_s: float, phase_ms: float) -> float:
    """Return the first moment from `now_s` on that is `phase_ms` behind a multiple of `PHASE_PERIOD_MS`, in seconds."""
    return now_s + (phase_ms / 1000 - now_s) % (PHASE_PERIOD_MS / 1000)


@dataclass(slots=True)
class VirtualClock:
    """Counts the frames of one virtual device against monotonic time. Used by one thread at a time."""

    drift_ppm: float = 0.0
    sample_rate_hz: int = SAMPLE_RATE_HZ
    phase_ms: float | None = None
    """At which part of `PHASE_PERIOD_MS` it starts; None: at once."""

    start_s: float | None = None
    frames: int = 0
    """Frames read or written since `start`, lost ones included."""

    lost_frames: int = 0
    _rate_hz: float = field(init=False)

    def __post_init__(self) -> None:
        self._rate_hz = self.sample_rate_hz * (1.0 + self.drift_ppm * 1e-6)

    def start(self, now_s: float) -> None:
        """Let frame 0 be captured, or played, from `now_s` on, or from the next moment of its phase."""
        self.start_s = now_s if self.phase_ms is None else next_moment(now_s, self.phase_ms)
        self.frames = 0

    def stop(self) -> None:
        """Let no further frame come."""
        self.start_s = None

    def time_of_s(self, frame: int) -> float:
        """Return when `frame` begins."""
        assert self.start_s is not None, "a device that was not started has no time"
        return self.start_s + frame / self._rate_hz

    def elapsed_frames(self, now_s: float) -> int:
        """Return how many frames have wholly passed at `now_s`; 0 when stopped."""
        if self.start_s is None:
            return 0
        # The small term makes up for rounding: at the very moment of `time_of_s(n)`, n frames have passed.
        return max(0, int((now_s - self.start_s) * self._rate_hz + 1e-3))

    def position_s(self, now_s: float) -> float | None:
        """Return the second of the device's sound, at its nominal rate, that passes at `now_s`; None when stopped."""
        if self.start_s is None:
            return None
        return max(0.0, now_s - self.start_s) * self._rate_hz / self.sample_rate_hz

    def backlog_frames(self, now_s: float) -> int:
        """Return how many frames more than `BACKLOG_S` the thread is behind: these are lost. 0 nearly always."""
        if self.start_s is None or now_s - self.start_s < BACKLOG_S + self.frames / self._rate_hz:
            return 0
        behind = self.elapsed_frames(now_s) - self.frames
        return behind if behind > BACKLOG_S * self.sample_rate_hz else 0
