"""Whether the sound server itself keeps a source silent: muted, or turned down to nothing."""

from blink_cli.audio.devices.pulse_connection import PulseConnection
from blink_cli.core.errors import DeviceError


def switched_off(source: str) -> str | None:
    """Return what to do about a source of the sound server that is muted or has no volume; None if it is neither. Takes some 5 ms.

    Args:
        source: Its name, as the server has it.

    """
    try:
        with PulseConnection() as connection:
            found = [one for one in connection.devices() if one.info.name == source and one.info.inputs]
    except DeviceError:
        return None
    for one in found:
        if one.muted:
            return f"It is muted in the sound server: `pactl set-source-mute {source} 0`."
        if one.volume == 0.0:
            return f"Its volume in the sound server is zero: `pactl set-source-volume {source} 100%`."
    return None
