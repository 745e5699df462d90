"""From the name of a system's device to the engine that runs it.

default, a name --> the sound server: its name or description, then a part of them --> PulseEngine
               '--> PortAudio's list --> ALSA's plugins, `default` among them --------> AlsaEngine
                                    '--> sound cards, and all of macOS and Windows ---> PortAudioEngine
"""

import re
import sys
from typing import Final, Literal

from blink_cli.audio.devices.alsa import AlsaEngine
from blink_cli.audio.devices.engine import Engine, OutputChannels
from blink_cli.audio.devices.listing import portaudio_devices
from blink_cli.audio.devices.portaudio import PortAudioEngine
from blink_cli.audio.devices.pulse import PulseEngine
from blink_cli.audio.devices.pulse_connection import NoSoundServerError, PulseConnection, ServerDevice
from blink_cli.audio.devices.system_device import SystemDeviceInfo
from blink_cli.core.api.device_choice import DeviceLabel, named, no_such_device, partly_named
from blink_cli.core.api.device_name import FILE_KINDS, DefaultDevice, NamedDevice, SystemDevice
from blink_cli.core.api.name_options import reads_like_file
from blink_cli.core.errors import BlinkError, DeviceError, NotFoundError

Direction = Literal["input", "output"]

_SOUND_CARD: Final = re.compile(r"\(hw:\d+,\d+\)$")
"""How PortAudio names what ALSA's kernel drivers have."""


class SystemEngines:
    """One per session: a sound server that was there once is waited for, not gone around.

    Without it ALSA would reach the sound card itself, and the server that comes back would find it taken.
    """

    def __init__(self, outputs: OutputChannels = OutputChannels.VOICE) -> None:
        self._outputs = outputs
        self.server_seen = False
        """Whether a sound server answered once."""

        self._plugins: set[tuple[Direction, str]] = set()
        """Devices of ALSA that were used: they can be tried without asking PortAudio for its list."""

    def find(self, direction: Direction, name: SystemDevice) -> Engine:
        """Return what runs this device, not started. Blocks for some 5 ms, half a second where PortAudio is asked, seconds where a server hangs.

        Raises:
            NotFoundError: The system has no such device, or several fit.
            DeviceError: It cannot be used.

        """
        try:
            with PulseConnection() as connection:
                devices = _of(direction, connection.devices())
        except NoSoundServerError as gone:
            if isinstance(name, NamedDevice):
                return self._beside_server(direction, name, gone)
            if self.server_seen:
                raise
            return _without_server(direction, name, self._outputs)
        self.server_seen = True
        if isinstance(name, DefaultDevice):
            return PulseEngine(direction, name, _default(direction, devices), self._outputs)
        by_name = {device.info.name: device for device in devices}
        labels = _labels(devices)
        chosen = named(name.text, labels)
        if chosen is None:
            if (direction, name.text) in self._plugins:
                return AlsaEngine(direction, name.text, self._outputs)
            others = _portaudio(direction)
            exact = named(name.text, [DeviceLabel(other) for other in others])
            chosen = None if exact is not None else partly_named(name.text, labels)
            if chosen is None:
                return self._listed(direction, name, labels, others)
        return PulseEngine(direction, name, by_name[chosen.name], self._outputs)

    def served(self, direction: Direction, name: SystemDevice) -> bool:
        """Whether the sound server answers and has this device now, or it is a plugin of ALSA that can be opened. Blocks as `find`."""
        try:
            with PulseConnection() as connection:
                devices = _of(direction, connection.devices())
            if isinstance(name, DefaultDevice):
                return _default(direction, devices) is not None
            labels = _labels(devices)
            if (named(name.text, labels) or partly_named(name.text, labels)) is not None:
                return True
        except NoSoundServerError:
            pass  # ALSA's plugins may lead elsewhere
        except BlinkError:
            return False
        return isinstance(name, NamedDevice) and self._opens(direction, name.text)

    def _opens(self, direction: Direction, plugin: str) -> bool:
        """Whether a device of ALSA that was used before can be opened now."""
        if (direction, plugin) not in self._plugins:
            return False
        try:
            AlsaEngine(direction, plugin)
        except DeviceError:
            return False
        return True

    def _beside_server(self, direction: Direction, name: NamedDevice, gone: DeviceError) -> Engine:
        try:
            return self._listed(direction, name, [])
        except NotFoundError:
            if self.server_seen:
                raise gone from None  # it may well be one of the server's
            raise

    def _listed(
        self,
        direction: Direction,
        name: NamedDevice,
        known: list[DeviceLabel],
        listed: dict[str, SystemDeviceInfo] | None = None,
    ) -> Engine:
        """What runs a device that is not the sound server's."""
        if (direction, name.text) in self._plugins:
            return AlsaEngine(direction, name.text, self._outputs)
        engine = _engine_of(direction, name, known, listed, self._outputs)
        if isinstance(engine, AlsaEngine):
            self._plugins.add((direction, engine.parameters.name))
        return engine


def _of(direction: Direction, devices: list[ServerDevice]) -> list[ServerDevice]:
    if direction == "input":
        return [device for device in devices if device.info.inputs]
    return [device for device in devices if device.info.outputs]


def _labels(devices: list[ServerDevice]) -> list[DeviceLabel]:
    return [DeviceLabel(d.info.name, d.info.description, d.info.monitor) for d in devices]


def _default(direction: Direction, devices: list[ServerDevice]) -> ServerDevice:
    for device in devices:
        if device.info.default_input if direction == "input" else device.info.default_output:
            return device
    raise DeviceError(
        f"The sound server has no {direction} device.", hint="Plug one in, or use a virtual one."
    )


def _portaudio(direction: Direction) -> dict[str, SystemDeviceInfo]:
    """What PortAudio lists, its own preference first."""
    try:
        listed = portaudio_devices()
    except DeviceError:
        return {}  # without PortAudio the server's devices are all there is
    found = [device for device in listed if (device.inputs if direction == "input" else device.outputs)]
    return {device.name: device for device in reversed(found)}


def _engine_of(
    direction: Direction,
    name: NamedDevice,
    known: list[DeviceLabel],
    listed: dict[str, SystemDeviceInfo] | None,
    outputs: OutputChannels,
) -> Engine:
    if listed is None and sys.platform != "linux":
        return PortAudioEngine(direction, name, outputs=outputs)
    devices = _portaudio(direction) if listed is None else listed
    labels = [DeviceLabel(device) for device in devices]
    chosen = named(name.text, labels) or partly_named(name.text, labels)
    if chosen is None:
        if not devices and not reads_like_file(name.text):
            PortAudioEngine(direction, name)  # which says what is missing
        raise no_such_device(name.text, [*known, *labels], FILE_KINDS[direction])
    if devices[chosen.name].host_api == "ALSA" and not _SOUND_CARD.search(chosen.name):
        return AlsaEngine(direction, chosen.name, outputs)
    return PortAudioEngine(direction, NamedDevice(chosen.name), outputs=outputs)


def _without_server(direction: Direction, name: DefaultDevice, outputs: OutputChannels) -> Engine:
    if sys.platform == "linux":
        try:
            return AlsaEngine(direction, "default", outputs)
        except DeviceError:
            pass  # PortAudio may know another way, and says what is missing otherwise
    return PortAudioEngine(direction, name, outputs=outputs)
