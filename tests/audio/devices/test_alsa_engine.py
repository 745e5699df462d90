"""Opening a device of ALSA to see what it can do, without a device."""

import time
from typing import ClassVar

import pytest
from typing_extensions import override

from blink_cli.audio.devices.alsa import AlsaEngine
from blink_cli.core.errors import DeviceError

pytestmark = pytest.mark.no_clock(sockets=True)


class _SlowSet(set[tuple[str, str]]):
    """A thread that is about to take something out of it loses the processor."""

    @override
    def discard(self, element: object, /) -> None:
        time.sleep(0.05)
        self -= {element}


class _Found(AlsaEngine):
    _probing: ClassVar[set[tuple[str, str]]] = _SlowSet()

    @override
    def _probe(self) -> int:
        if self._name == "gone":
            raise DeviceError("It is gone.")
        return 2


def test_a_device_can_be_tried_again_at_once() -> None:
    for _ in range(2):
        assert _Found("input", "plug").parameters.channels == 2
        with pytest.raises(DeviceError, match="It is gone"):
            _Found("input", "gone")
