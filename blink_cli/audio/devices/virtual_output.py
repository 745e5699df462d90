"""`null` and `wav:`: speakers without hardware, which play at real time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from blink_cli.audio.devices.interface import DeviceParameters, DeviceReading
from blink_cli.audio.devices.virtual import OUTPUT_LEAD_S, VirtualClock

if TYPE_CHECKING:
    from blink_cli.audio.samples import Samples


class Listener(Protocol):
    """What becomes of the sound that a virtual speaker plays."""

    @property
    def heard_before(self) -> int:
        """Samples that it heard before the present start: an earlier call's."""

    def begin(self) -> None:
        """Get ready for sound.

        Raises:
            DeviceError: It cannot.

        """

    def hear(self, samples: Samples) -> None:
        """Take the next samples, shape `(n,)` at 48 kHz. Never blocks; keeps no reference."""

    def hear_nothing(self, count: int) -> None:
        """Take `count` samples of silence."""

    def end(self) -> None:
        """Finish. May block for as long as a disk takes."""

    @property
    def dropped_samples(self) -> int:
        """Samples that it was given and could not keep up with."""

    @property
    def failure(self) -> str | None:
        """A sentence, once it cannot take sound any more."""


class Nobody:
    """The listener of `null`."""

    heard_before = 0
    dropped_samples = 0
    failure = None

    def begin(self) -> None:
        """Nothing to get ready."""

    def hear(self, samples: Samples) -> None:
        """Leave it."""

    def hear_nothing(self, count: int) -> None:
        """Leave it."""

    def end(self) -> None:
        """Nothing to finish."""


class VirtualOutput:
    """A speaker whose sample k is played at `start_s + k / 48000` (drift aside)."""

    def __init__(
        self, name: str, listener: Listener, drift_ppm: float = 0.0, *, phase_ms: float | None = None
    ) -> None:
        self._clock = VirtualClock(drift_ppm, phase_ms=phase_ms)
        self._listener = listener
        self._parameters = DeviceParameters(name, self._clock.sample_rate_hz, channels=1, virtual=True)

    @property
    def parameters(self) -> DeviceParameters:
        """One channel at 48 kHz."""
        return self._parameters

    def start(self, now_s: float) -> None:
        """Play from `now_s` on."""
        self._listener.begin()
        self._clock.start(now_s)

    def ready_s(self, now_s: float) -> float:
        """Return when the next block is due: shortly before its first sample is played."""
        missed = self._clock.backlog_frames(now_s)
        if missed:
            # A real speaker would have been silent meanwhile.
            self._listener.hear_nothing(missed)
            self._clock.frames += missed
            self._clock.lost_frames += missed
        return self._clock.time_of_s(self._clock.frames) - OUTPUT_LEAD_S

    def heard_at(self) -> float:
        """Return when the next frame to be written is played, exactly."""
        return self._clock.time_of_s(self._clock.frames)

    def queued_frames(self, now_s: float) -> int:
        """Return how much was written ahead of time."""
        return max(0, self._clock.frames - self._clock.elapsed_frames(now_s))

    def write(self, frames: Samples) -> int:
        """Play `frames`, shape `(n, 1)`, behind what was written before."""
        self._listener.hear(frames[:, 0])
        self._clock.frames += len(frames)
        return len(frames)

    def stop(self) -> None:
        """End playing; what was written counts as played."""
        if self._clock.start_s is not None:
            self._clock.stop()
            self._listener.end()

    def position_s(self, now_s: float) -> float | None:
        """Return the second of the output that is played at `now_s`, exactly; for a WAV file, counted from the file's beginning."""
        position_s = self._clock.position_s(now_s)
        return (
            None
            if position_s is None
            else position_s + self._listener.heard_before / self._clock.sample_rate_hz
        )

    def reading(self, now_s: float) -> DeviceReading:
        """Return how it does. Lost frames came too late to be played, or faster than the disk took them."""
        running = self._clock.start_s is not None
        elapsed = self._clock.elapsed_frames(now_s)
        queued = max(0, self._clock.frames - elapsed) if running else 0
        return DeviceReading(
            running=running,
            frames=elapsed,
            lost_frames=self._clock.lost_frames + self._listener.dropped_samples,
            queued_frames=queued,
            latency_s=queued / self._clock.sample_rate_hz,
            failure=self._listener.failure,
        )
