"""`file:`, `tone:` and `silence`: a sound that is known beforehand, captured at real time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

from blink_cli.audio.devices.interface import DeviceParameters, DeviceReading
from blink_cli.audio.devices.virtual import VirtualClock
from blink_cli.core.errors import DeviceError
from blink_cli.runtime.on_demand import on_demand

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from blink_cli.audio.channel_reading import ChannelReading
    from blink_cli.audio.samples import Samples
else:
    np = on_demand("numpy")

T = TypeVar("T")


class Sound(Protocol):
    """Samples in order, from the beginning, at 48 kHz in one channel."""

    def rewind(self) -> None:
        """Begin again.

        Raises:
            DeviceError: It cannot be heard any more.

        """

    def next(self, count: int) -> Samples:
        """Return the next `count` samples, shape `(count,)`. There are always more: after the end comes silence.

        Raises:
            DeviceError: It is damaged here.

        """

    def skip(self, count: int) -> None:
        """Leave out the next `count` samples. Raises as `next`."""

    def close(self) -> None:
        """Let go of files. `rewind` opens them again."""

    def channels(self) -> ChannelReading | None:
        """Return what became of its channels; None if it has but one. Any thread."""


class VirtualInput:
    """A microphone that hears a known sound. Sample k of the sound is captured at `start_s + k / 48000` (drift aside)."""

    def __init__(
        self,
        name: str,
        sound: Sound,
        drift_ppm: float = 0.0,
        *,
        phase_ms: float | None = None,
        channels: int = 1,
    ) -> None:
        """Hear nothing yet; `channels` are the sound's, `ppm` and `phase` as in a device's name."""
        self._clock = VirtualClock(drift_ppm, phase_ms=phase_ms)
        self._sound = sound
        self._failure: str | None = None
        self._parameters = DeviceParameters(name, self._clock.sample_rate_hz, channels, virtual=True)

    @property
    def parameters(self) -> DeviceParameters:
        """One channel at 48 kHz, or two of a file that has two: it is converted ahead of time, so that this costs no delay."""
        return self._parameters

    def start(self, now_s: float) -> None:
        """Capture from the beginning of the sound."""
        self._failure = None
        self._sound.rewind()
        self._clock.start(now_s)

    def ready_s(self, frames: int, now_s: float) -> float:
        """Return when the next `frames` frames are captured, to the clock's precision."""
        lost = self._clock.backlog_frames(now_s)
        if lost:
            self._hear(self._sound.skip, lost)
            self._clock.frames += lost
            self._clock.lost_frames += lost
        return self._clock.time_of_s(self._clock.frames + frames)

    def captured_at(self) -> float:
        """Return when the next frame begins, exactly."""
        return self._clock.time_of_s(self._clock.frames)

    def read(self, frames: int) -> Samples:
        """Return the next frames, shape `(frames, channels)`, even if they are not captured yet: wait for `ready_s` first.

        Once the sound turned out to be damaged these are zeros, and `reading` tells why.
        """
        samples = self._hear(self._sound.next, frames)
        self._clock.frames += frames
        if samples is None:
            samples = np.zeros((frames, self._parameters.channels), dtype=np.float32)
        return samples if samples.ndim > 1 else samples[:, np.newaxis]

    def stop(self) -> None:
        """End capturing and close the file."""
        self._clock.stop()
        self._sound.close()

    def position_s(self, now_s: float) -> float | None:
        """Return the second of the sound that is captured at `now_s`, exactly. It goes on past the end of a file that is not looped."""
        return self._clock.position_s(now_s)

    def reading(self, now_s: float) -> DeviceReading:
        """Return how it does. It fails when its sound is damaged."""
        elapsed = self._clock.elapsed_frames(now_s)
        return DeviceReading(
            running=self._clock.start_s is not None,
            frames=elapsed,
            lost_frames=self._clock.lost_frames,
            queued_frames=max(0, elapsed - self._clock.frames) if self._clock.start_s is not None else 0,
            latency_s=0.0,
            failure=self._failure,
            channels=self._sound.channels(),
        )

    def _hear(self, listen: Callable[[int], T], count: int) -> T | None:
        """Return what `listen` hears; None once the sound is damaged. The voice thread that reads must live on."""
        if self._failure is not None:
            return None
        try:
            return listen(count)
        except DeviceError as damage:
            self._failure = damage.message
            return None
