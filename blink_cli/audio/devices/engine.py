"""What a system's microphone or speaker is made of: a stream of a sound library, and a ring between its callback and a voice thread.

    SystemInput   <── ring <── callback ── Engine ── PortAudio, or the sound server
    SystemOutput  ──> ring ──> callback ── Engine ── PortAudio, or the sound server

An engine knows one device of one library. The ring side (`system_input`, `system_output`) is the same for all.
"""

from collections.abc import Callable
from enum import Enum
from typing import Protocol

from blink_cli.audio.devices.interface import DeviceParameters, DevicePlace
from blink_cli.audio.samples import Samples

BlockCallback = Callable[[Samples, float | None], None]
"""Called on the library's thread with a block, shape `(n, channels)`, and its latency in s, None while unknown. An input's block was just
captured, and the latency is the age of its first sample; an output's is to be filled, and the latency is the time until its first sample is
heard. It copies and counts, nothing else."""


class OutputChannels(Enum):
    """Which channels of a speaker one writes."""

    VOICE = "voice"
    """One, where that is possible: the system brings it to every speaker."""

    EVERY = "every"
    """Each of its own."""


class Engine(Protocol):
    """One direction of one device. `start` and `stop` belong to one thread at a time, the rest may be asked from any."""

    @property
    def parameters(self) -> DeviceParameters:
        """Its name, rate and channels, found when it was made."""

    @property
    def running(self) -> bool:
        """Whether the stream is open."""

    @property
    def failure(self) -> str | None:
        """A sentence, once the stream has ended by itself."""

    @property
    def place(self) -> DevicePlace | None:
        """Where the sound really is, if the library says so."""

    @property
    def raised_latency_s(self) -> float | None:
        """What it was opened with again, after it moved slower than real time; None while the usual latency does."""

    @property
    def lost_frames(self) -> int:
        """Captured by the library and lost before the callback."""

    def start(self, callback: BlockCallback) -> None:
        """Open the stream and have `callback` called for it.

        Raises:
            BlinkError: The system does not let us.

        """

    def stop(self) -> None:
        """End the stream and let go of the device. Safe to call twice."""
