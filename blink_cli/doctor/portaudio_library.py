"""PortAudio: there, and what it lists."""

from collections.abc import Iterator
from typing import Final

from blink_cli.audio.devices.listing import portaudio_devices
from blink_cli.core.errors import DeviceError
from blink_cli.doctor.finding import Finding, failed, fine
from blink_cli.doctor.situation import Situation

NAME: Final = "portaudio"


def look(_: Situation) -> Iterator[Finding]:
    """Have a process of its own ask it, as `list-devices` does."""
    try:
        devices = portaudio_devices()
    except DeviceError as error:
        yield failed(NAME, error.message.removesuffix("."), _sentence(error.hint))
        return
    inputs = sum(1 for device in devices if device.inputs)
    outputs = sum(1 for device in devices if device.outputs)
    yield fine(NAME, f"it lists {inputs} inputs and {outputs} outputs")


def _sentence(hint: str | None) -> str:
    text = hint or "Install PortAudio"
    return f"{text[:1].upper()}{text[1:].removesuffix('.')}."
