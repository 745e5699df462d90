"""What each device of the system can do: rates, channels, sample types, latencies. For people who choose; calls ask only for what they need.

the sound server ──> what each sink and source really runs at; it converts everything else
PortAudio, in a process of its own ──> what it lets be opened, combination by combination
"""

import msgspec

from blink_cli.audio.devices.libpulse import SAMPLE_FORMATS
from blink_cli.audio.devices.listing import ask_portaudio
from blink_cli.audio.devices.pulse_connection import NoSoundServerError, PulseConnection, ServerDevice
from blink_cli.core.errors import DeviceError

RATES_HZ = (8_000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 88_200, 96_000, 176_400, 192_000)
SAMPLE_TYPES = ("int16", "int24", "int32", "float32")
SERVER_CHANNELS = 32


class DeviceAbilities(msgspec.Struct, frozen=True, kw_only=True):
    """One direction of one device."""

    name: str
    description: str | None = None
    host_api: str
    direction: str
    """input or output"""

    default: bool
    """Of its direction: what `default` means."""

    monitor: bool = False
    """It hears what a sink of the sound server plays, and is no microphone."""

    rates: tuple[int, ...]
    """Of the usual ones those that it can be opened with, in Hz."""

    channels: tuple[int, ...]
    """Counts that it can be opened with: of PortAudio one, two and its most; of the sound server up to 32."""

    sample_types: tuple[str, ...]
    preferred_rate: int
    """What it runs at by itself. At other rates somebody converts."""

    preferred_channels: int
    preferred_type: str | None
    """Null where the system does not tell."""

    converts: bool
    """The sound server converts rates, channels and types."""

    latency_low_ms: float | None
    """What PortAudio calls suitable for interaction; null of the server's."""

    latency_high_ms: float | None
    latency_now_ms: float | None
    """What the sound server runs it with now; null where it does not run, or is not the server's."""


class FoundAbilities(msgspec.Struct, tag="abilities", frozen=True):
    """What the asked process found."""

    devices: list[DeviceAbilities]


def device_abilities() -> list[DeviceAbilities]:
    """Return what the system's devices can do: the server's, then PortAudio's that are not the server's. Blocks, for some seconds where there are many.

    Raises:
        DeviceError: There is neither a sound server nor PortAudio, or one does not answer.

    """
    try:
        with PulseConnection() as connection:
            served = [_of_server(device) for device in connection.devices()]
    except NoSoundServerError:
        return ask_portaudio("abilities", FoundAbilities).devices
    try:
        others = ask_portaudio("abilities", FoundAbilities).devices
    except DeviceError:
        return served
    names = {device.name for device in served}
    return served + [
        msgspec.structs.replace(other, default=False) for other in others if other.name not in names
    ]


def _of_server(device: ServerDevice) -> DeviceAbilities:
    info = device.info
    output = info.outputs > 0
    return DeviceAbilities(
        name=info.name,
        description=info.description,
        host_api=info.host_api,
        direction="output" if output else "input",
        default=info.default_output if output else info.default_input,
        monitor=info.monitor,
        rates=RATES_HZ,
        channels=tuple(range(1, SERVER_CHANNELS + 1)),
        sample_types=SAMPLE_TYPES,
        preferred_rate=int(info.sample_rate),
        preferred_channels=info.outputs or info.inputs,
        preferred_type=SAMPLE_FORMATS.get(device.sample_format),
        converts=True,
        latency_low_ms=None,
        latency_high_ms=None,
        latency_now_ms=device.configured_latency_us / 1000 if device.configured_latency_us else None,
    )
