"""The request to a voice thread to use another device, and its answer."""

from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from blink_cli.audio.devices.interface import InputDevice, OutputDevice

DeviceT = TypeVar("DeviceT", InputDevice, OutputDevice)

SWAP_TIMEOUT_S: Final = 5.0
"""A sound server that takes longer to start a stream does not work."""


@dataclass(slots=True)
class DeviceSwap(Generic[DeviceT]):
    """One change of device: the new one, and a future that yields the old one, to be stopped by whoever asked."""

    device: DeviceT
    previous: "Future[DeviceT]" = field(default_factory=Future)
