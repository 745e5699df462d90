"""What every audio device can do.

A device never sleeps and never calls back: it says at which monotonic time it will have, or want, the next frames, and the voice
thread that owns it waits until then (`blink_cli.audio.waiting`). So every device is tested in virtual time, and the thread decides how to
wait, when to give up on a stalled device, and what to do meanwhile.

Threads: `start` is called before the voice thread gets the device, and may block. `ready_s`, `read` and `write` belong to one voice thread at
a time. `stop` is called when that thread has let go of the device, and may block. `position_s` and `reading` may be asked from any thread.
"""

from dataclasses import dataclass
from typing import Protocol

from blink_cli.audio.samples import Samples


@dataclass(frozen=True, slots=True)
class DeviceParameters:
    """What is fixed for as long as a device is open."""

    name: str
    """As the user would write it to get this device again."""

    sample_rate_hz: int
    channels: int
    virtual: bool
    """Has no hardware: it can neither be unplugged nor be muted by the system, and may deliver zeros for hours."""


@dataclass(frozen=True, slots=True)
class DeviceReading:
    """What a watcher sees of a device from outside, at one moment."""

    running: bool
    frames: int
    """Captured or played since it was opened, by the device's own clock; stands still when the device does."""

    lost_frames: int
    """Captured and overwritten before they were read, or due and not there to be played."""

    queued_frames: int
    """Captured and not yet read, or written and not yet played."""

    latency_s: float
    """From the microphone to us, or from us to the speaker, as far as the system knows; our own queue included."""

    failure: str | None
    """A sentence, once the device has ended by itself."""


class InputDevice(Protocol):
    """A microphone, or what stands in for one."""

    @property
    def parameters(self) -> DeviceParameters:
        """Its rate, channels and name."""

    def start(self, now_s: float) -> None:
        """Begin to capture. A stopped device may be started again.

        Raises:
            DeviceError: The system does not let us.

        """

    def ready_s(self, frames: int, now_s: float) -> float:
        """Return when `frames` frames will be there to read; `now_s` or earlier when they are."""

    def read(self, frames: int) -> Samples:
        """Return the next frames, shape `(n, channels)`, n at most `frames`; fewer when `ready_s` was not awaited. Never blocks."""

    def stop(self) -> None:
        """End capturing. Safe to call twice, and without a start."""

    def position_s(self, now_s: float) -> float | None:
        """Return which second of its sound is being captured at `now_s`; None while it does not run."""

    def reading(self, now_s: float) -> DeviceReading:
        """Return how it does."""


class OutputDevice(Protocol):
    """A speaker, or what stands in for one."""

    @property
    def parameters(self) -> DeviceParameters:
        """Its rate, channels and name."""

    def start(self, now_s: float) -> None:
        """Begin to play. A stopped device may be started again.

        Raises:
            DeviceError: The system does not let us.

        """

    def ready_s(self, now_s: float) -> float:
        """Return when it wants the next 10 ms, so that its queue never runs dry and never grows; `now_s` or earlier when it wants them."""

    def write(self, frames: Samples) -> int:
        """Queue `frames`, shape `(n, channels)`, and return how many fitted; the rest is lost. Never blocks; keeps no reference."""

    def stop(self) -> None:
        """End playing; what is queued may or may not be heard. Safe to call twice, and without a start."""

    def position_s(self, now_s: float) -> float | None:
        """Return which second of its sound is being played at `now_s`; None while it does not run."""

    def reading(self, now_s: float) -> DeviceReading:
        """Return how it does."""
