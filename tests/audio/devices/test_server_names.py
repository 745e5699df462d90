"""The sound server's devices are found by name, by description, or by a part of them."""

import pytest

from blink_cli.audio.devices.listing import system_devices
from blink_cli.audio.devices.opener import DeviceOpener
from blink_cli.core.errors import NotFoundError
from tests.support.pipewire_server import PipeWireServer
from tests.support.sound_server import sound_system

pytestmark = pytest.mark.sound


def test_devices_are_listed_and_found_as_people_call_them() -> None:
    with PipeWireServer("cans", "speaker", descriptions=("Blue Headset",)) as server, sound_system(server):
        listed = {device.name: device for device in system_devices()}
        assert (listed["cans"].description, listed["cans"].host_api) == ("Blue Headset", "PipeWire")
        assert [name for name, device in listed.items() if device.monitor] == [
            "cans.monitor",
            "speaker.monitor",
        ]
        opener = DeviceOpener()
        for wanted in ("cans", "Blue Headset", "blue head"):
            device = opener.open_output(wanted)
            assert (device.parameters.name, device.parameters.description) == ("cans", "Blue Headset")
        assert opener.open_input("Monitor of Blue").parameters.name == "cans.monitor"
        assert opener.open_input("cans").parameters.name == "cans_mic"
        with pytest.raises(NotFoundError, match=r"fits 2 audio devices: .*\(cans_mic\), .*\(speaker_mic\)"):
            opener.open_input("remapped")
