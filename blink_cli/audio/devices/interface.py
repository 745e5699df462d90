"""What every audio device can do.

A device never sleeps and never calls back: it says at which monotonic time it will have, or want, the next frames, and the voice
thread that owns it waits until then (`blink_cli.runtime.clock`). So every device is tested in virtual time, and the thread decides how to
wait, when to give up on a stalled device, and what to do meanwhile.

Threads: `start` is called before the voice thread gets the device, and may block. `ready_s`, `read` and `write` belong to one voice thread at
a time. `stop` is called when that thread has let go of the device, and may block. `position_s` and `reading` may be asked from any thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec

from blink_cli.audio.channel_reading import ChannelReading

if TYPE_CHECKING:
    from blink_cli.audio.samples import Samples


class DeviceParameters(msgspec.Struct, frozen=True):
    """What is fixed for as long as a device is open."""

    name: str
    """As the user would write it to get this device again."""

    sample_rate_hz: int
    channels: int
    virtual: bool
    """Has no hardware: it can neither be unplugged nor be muted by the system, and may deliver zeros for hours."""

    channel: int | None = None
    """Of an input, the only one that is heard, from 1; None: all that carry something."""

    description: str | None = None
    """What people call it, where the system says so."""


class DevicePort(msgspec.Struct, frozen=True):
    """What a sink or source is plugged into: one sink of a laptop plays on its speaker or on the headphones in its jack."""

    name: str
    """As the sound server knows it, such as `analog-output-headphones`."""

    description: str | None = None
    """What people call it."""

    kind: str | None = None
    """PulseAudio's word for what it is, such as `headphones`; None where it does not know."""


class DevicePlace(msgspec.Struct, frozen=True):
    """A sink or source of the sound server."""

    name: str
    description: str | None = None
    """What people call it."""

    port: DevicePort | None = None
    """The one in use; it changes when something is plugged in. None where the device has no ports."""

    form_factor: str | None = None
    """PulseAudio's word for what the device is, such as `headset`; None where it does not know."""


class DeviceReading(msgspec.Struct, frozen=True):
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

    channels: ChannelReading | None = None
    """What became of the channels, of an input that mixes them itself."""

    raised_latency_s: float | None = None
    """What it was opened with again, after it could not keep up."""

    place: DevicePlace | None = None
    """Where the sound really is: a sound server moves a stream when its device is unplugged, or when its user says so. None where the
    system does not tell."""


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

    def captured_at(self) -> float:
        """Return when the next unread frame was captured, in monotonic time. Only when `ready_s` said that there is one.

        This is the one account of captured time. Behind a frame captured at t, the next one was captured at t + 1 / rate, up to drift and
        better knowledge of less than 1 ms in 20 ms of sound. Where it is later by more, sound is missing in between.
        """

    def read(self, frames: int) -> Samples:
        """Return the next frames, shape `(n, channels)`, n at most `frames`. Never blocks.

        Fewer when `ready_s` was not awaited, or when sound is missing behind them: they were always captured one after the other.
        """

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

    def heard_at(self) -> float:
        """Return when the next frame to be written will be heard, in monotonic time, as far as the system knows.

        The mirror of `InputDevice.captured_at`. Behind a frame heard at t, the next one is heard at t + 1 / rate, up to drift and better
        knowledge of a few samples a second. Where it is later by more, silence that nobody wrote is heard in between. Voice thread.
        """

    def queued_frames(self, now_s: float) -> int:
        """Return how many frames were written and not played yet: what `reading` says of them, for the voice thread, which asks often."""

    def write(self, frames: Samples) -> int:
        """Queue `frames`, shape `(n, channels)`, and return how many fitted; the rest is lost. Never blocks; keeps no reference."""

    def stop(self) -> None:
        """End playing; what is queued may or may not be heard. Safe to call twice, and without a start."""

    def position_s(self, now_s: float) -> float | None:
        """Return which second of its sound is being played at `now_s`; None while it does not run."""

    def reading(self, now_s: float) -> DeviceReading:
        """Return how it does."""
