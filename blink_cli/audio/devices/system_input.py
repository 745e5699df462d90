"""A microphone of the system.

library's thread ── callback ──> CapturedFrames ──> capture thread
"""

from msgspec.structs import replace

from blink_cli.audio.devices.captured_frames import CapturedFrames
from blink_cli.audio.devices.engine import Engine
from blink_cli.audio.devices.interface import DeviceParameters, DeviceReading
from blink_cli.audio.samples import Samples
from blink_cli.core.api.device_name import no_such_channel


def only_channel(parameters: DeviceParameters, channel: int) -> DeviceParameters:
    """Return the parameters of a device of which one channel is heard.

    Raises:
        NotFoundError: It has no such channel.

    """
    if channel > parameters.channels:
        raise no_such_channel(parameters.name, parameters.channels, channel)
    return replace(parameters, name=f"{parameters.name}?channel={channel}", channel=channel)


class SystemInput:
    """Implements `InputDevice` on an engine."""

    def __init__(self, engine: Engine, channel: int | None = None) -> None:
        """Take an engine that nobody else uses. Nothing is captured yet.

        Args:
            engine: Whose device it is.
            channel: The only one to hear, from 1.

        Raises:
            NotFoundError: The device has no such channel.

        """
        self._engine = engine
        self._parameters = engine.parameters
        if channel is not None:
            self._parameters = only_channel(engine.parameters, channel)
        self._captured = CapturedFrames(self._parameters.sample_rate_hz, self._parameters.channels)

    @property
    def parameters(self) -> DeviceParameters:
        """What the engine found."""
        return self._parameters

    def start(self, now_s: float) -> None:
        """Open the stream and start it: a few ms, or as long as the sound server takes."""
        del now_s
        parameters = self._parameters
        self._captured = CapturedFrames(parameters.sample_rate_hz, parameters.channels)
        self._engine.start(self._captured.captured)

    def stop(self) -> None:
        """End the stream and let go of the device."""
        self._engine.stop()

    def ready_s(self, frames: int, now_s: float) -> float:
        """Return when the callback that completes `frames` came, or is expected."""
        return self._captured.ready_s(frames, now_s)

    def captured_at(self) -> float:
        """Return when the next frame was at the microphone, as far as the system knows."""
        return self._captured.captured_at()

    def read(self, frames: int) -> Samples:
        """Return up to `frames` frames that were captured one after the other."""
        return self._captured.read(frames)

    def position_s(self, now_s: float) -> float | None:
        """Return the second that is at the microphone at `now_s`: an estimate from the last callback and the device's latency."""
        captured = self._captured
        if not self._engine.running or captured.last_arrival_s is None:
            return None
        return (
            captured.frames / self._parameters.sample_rate_hz
            + captured.latency_s
            + (now_s - captured.last_arrival_s)
        )

    def reading(self, now_s: float) -> DeviceReading:
        """Return how it does. Frames stand still when callbacks do."""
        del now_s  # nothing here is extrapolated
        captured = self._captured
        return DeviceReading(
            running=self._engine.running,
            frames=captured.frames,
            lost_frames=captured.lost_frames + self._engine.lost_frames,
            queued_frames=captured.queued,
            latency_s=captured.latency_s + captured.queued / self._parameters.sample_rate_hz,
            failure=self._engine.failure,
            place=self._engine.place,
            raised_latency_s=self._engine.raised_latency_s,
        )
