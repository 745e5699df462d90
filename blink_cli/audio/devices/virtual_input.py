"""`file:`, `tone:` and `silence`: a sound that is known beforehand, captured at real time."""

from typing import Protocol

import numpy as np

from blink_cli.audio.devices.interface import DeviceParameters, DeviceReading
from blink_cli.audio.devices.virtual import VirtualClock
from blink_cli.audio.samples import Samples


class Sound(Protocol):
    """Samples in order, from the beginning, at 48 kHz in one channel."""

    def rewind(self) -> None:
        """Begin again."""

    def next(self, count: int) -> Samples:
        """Return the next `count` samples, shape `(count,)`. There are always more: after the end comes silence."""

    def skip(self, count: int) -> None:
        """Leave out the next `count` samples."""

    def close(self) -> None:
        """Let go of files. `rewind` opens them again."""


class VirtualInput:
    """A microphone that hears a known sound. Sample k of the sound is captured at `start_s + k / 48000` (drift aside)."""

    def __init__(self, name: str, sound: Sound, drift_ppm: float = 0.0) -> None:
        self._clock = VirtualClock(drift_ppm)
        self._sound = sound
        self._parameters = DeviceParameters(name, self._clock.sample_rate_hz, channels=1, virtual=True)

    @property
    def parameters(self) -> DeviceParameters:
        """One channel at 48 kHz, whatever the file has: it is converted ahead of time, so that this costs no delay."""
        return self._parameters

    def start(self, now_s: float) -> None:
        """Capture from the beginning of the sound."""
        self._sound.rewind()
        self._clock.start(now_s)

    def ready_s(self, frames: int, now_s: float) -> float:
        """Return when the next `frames` frames are captured, to the clock's precision."""
        lost = self._clock.backlog_frames(now_s)
        if lost:
            self._sound.skip(lost)
            self._clock.frames += lost
            self._clock.lost_frames += lost
        return self._clock.time_of_s(self._clock.frames + frames)

    def read(self, frames: int) -> Samples:
        """Return the next frames, shape `(frames, 1)`, even if they are not captured yet: wait for `ready_s` first."""
        samples = self._sound.next(frames)
        self._clock.frames += frames
        return samples[:, np.newaxis]

    def stop(self) -> None:
        """End capturing and close the file."""
        self._clock.stop()
        self._sound.close()

    def position_s(self, now_s: float) -> float | None:
        """Return the second of the sound that is captured at `now_s`, exactly. It goes on past the end of a file that is not looped."""
        return self._clock.position_s(now_s)

    def reading(self, now_s: float) -> DeviceReading:
        """Return how it does. It cannot fail."""
        elapsed = self._clock.elapsed_frames(now_s)
        return DeviceReading(
            running=self._clock.start_s is not None,
            frames=elapsed,
            lost_frames=self._clock.lost_frames,
            queued_frames=max(0, elapsed - self._clock.frames) if self._clock.start_s is not None else 0,
            latency_s=0.0,
            failure=None,
        )
