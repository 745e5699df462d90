"""One device of the system, as it is listed."""

import msgspec


class SystemDeviceInfo(msgspec.Struct, frozen=True):
    """What PortAudio or the sound server says of a device."""

    name: str
    host_api: str
    inputs: int
    """Channels that it can capture; 0 when it is no input."""

    outputs: int
    """Channels that it can play; 0 when it is no output."""

    default_input: bool
    default_output: bool
    sample_rate: float
    """Its preferred one, in Hz."""

    description: str | None = None
    """What people call it, where that differs from its name."""

    monitor: bool = False
    """It hears what a sink of the sound server plays, and is no microphone."""
